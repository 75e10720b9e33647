package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// commands is the command line. Each command's Run is called with the context
// and the world.
type commands struct {
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Demo      demoCmd      `cmd:"" help:"Run the server with a built-in test camera."`
	Transcode transcodeCmd `cmd:"" help:"Make an HLS ladder of a file or URL, in a folder."`
	Probe     probeCmd     `cmd:"" help:"Say what is in a file or URL."`
	Publish   publishCmd   `cmd:"" help:"Play a file in real time to a server."`
	Script    scriptCmd    `cmd:"" name:"run" help:"Run a JavaScript or TypeScript program against the stream API."`
	Check     checkCmd     `cmd:"" help:"Judge an HLS presentation against RFC 8216bis."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
	Help      helpCmd      `cmd:"" help:"Explain a command, with examples."`
	Worker    workerCmd    `cmd:"" hidden:"" help:"Be a worker process of a server."`
	Camera    cameraCmd    `cmd:"" hidden:"" help:"Be the test camera of a demo."`
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, w *world) int {
	err := dispatch(ctx, w)
	report(w, err)
	return exitCode(err)
}

func dispatch(ctx context.Context, w *world) error {
	var c commands
	exited := false // kong printed help and wants to leave
	k, err := kong.New(&c,
		kong.Name("millrace"),
		kong.Description(description),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(w),
	)
	if err != nil {
		return fmt.Errorf("set up command line: %w", err)
	}
	args := w.args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := k.Parse(args)
	if exited {
		return nil
	}
	if err != nil {
		return wrongUsage(err)
	}
	return parsed.Run()
}

// wrongUsage says where to read on.
func wrongUsage(err error) error {
	topic := "millrace --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			topic = "millrace help " + node.Name
		}
	}
	what := strings.TrimSuffix(err.Error(), ".")
	if flag, _, ok := strings.Cut(what, ": expected "); ok && strings.Contains(what, `"EOL"`) {
		what = flag + " needs a value"
	}
	return usagef("%s; see %s", what, topic)
}
