package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

type scriptCmd struct {
	Limits string `enum:"mild,strict,none" default:"mild" help:"What ends a script that goes too far: mild (10 s without coming back to the event loop, 2 GiB), strict (as in the server: 1.5 s, 256 MiB) or none."`
	Types  bool   `help:"Write the TypeScript declarations of the module millrace, and run nothing."`
	mediaFlags
	// One list, so that what follows the script is the script's, flags too.
	Script []string `arg:"" optional:"" passthrough:"" help:"JavaScript or TypeScript file, and its own arguments."`
}

// Help is printed by millrace help run.
func (scriptCmd) Help() string {
	return `Runs a program as "node SCRIPT" would, with Node's modules and the module
millrace beside them. ES modules, CommonJS and TypeScript run as they are;
npm packages come from a node_modules folder beside the script.

    millrace run hello.js
    millrace run convert.ts in.mp4 out.m3u8       # process.argv[2], [3]
    cat lines.txt | millrace run upper.js         # process.stdin, process.stdout
    npm install csv-parse && millrace run table.js
    millrace run --dot convert.js in.mp4 | dot -Tsvg > graph.svg
    millrace run --types > millrace.d.ts                    # for the editor
    millrace run --source clip.mp4 --out out pipeline.js    # rehearse a stream's script

    // upper.js: the stream API is Node's
    import { Transform } from 'node:stream';
    import { pipeline } from 'node:stream/promises';
    const upper = new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } });
    await pipeline(process.stdin, upper, process.stdout);

A script that loops for ever, fills the memory or recurses too deeply ends with
an error that says where it was; --limits sets how far it may go.

The exit code is the script's: 0, what it gave process.exit, or 1 after an
error that nothing caught, which is shown with its line.`
}

// Run runs the script to its end.
func (s *scriptCmd) Run(ctx context.Context, w *world) error {
	if s.Types {
		_, err := io.WriteString(w.stdout, builtin.Types)
		return err
	}
	if len(s.Script) == 0 {
		return usagef("expected a script; see millrace help run")
	}
	script, err := compile.File(s.Script[0], compile.Options{})
	if err != nil {
		return scriptError(w, s.Script[0], err)
	}
	cwd, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working folder: %w", err)
	}
	exe, err := w.executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	signals := newSignals(w, func(sig os.Signal) { cancel(signalled{sig}) })
	defer signals.close()
	around, err := s.around(ctx, w)
	if err != nil {
		return err
	}
	p, err := program.New(program.Options{Guard: s.bounds(w), Extra: around.provide, Host: node.Host{ //nolint:contextcheck // what it begins ends with its loop
		Exec: exe, Script: script.Path, Args: s.Script[1:], Env: environment(w), Cwd: cwd,
		Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr,
		Terminals: [3]bool{isInput(w.stdin), w.outTerminal, w.errTerminal},
		Columns:   w.width, Rows: 24,
		Signals: signals.listen,
	}})
	if err != nil {
		return err
	}
	err = around.run(ctx, p, script)
	var exit *node.Exit
	var sig signalled
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return exitError(exit.Code)
	case errors.As(err, &sig):
		return exitError(128 + int(sig.number()))
	}
	fmt.Fprintln(w.stderr, p.Report(err))
	var unsettled *program.Unsettled
	if errors.As(err, &unsettled) {
		return exitError(exitUnsettled)
	}
	return exitError(exitFailed)
}

// exitUnsettled is Node's exit code of a program that waits in vain.
const exitUnsettled = 13

// bounds are what the script is held to.
func (s *scriptCmd) bounds(w *world) *guard.Options {
	o := &guard.Options{Limits: guard.Mild(), Exit: func(err error) {
		fmt.Fprintln(w.stderr, program.Stopped(err))
		os.Exit(exitFailed) // the script is in a function that nothing interrupts
	}}
	switch s.Limits {
	case "strict":
		o.Limits = guard.Strict()
	case "none":
		o.Limits = guard.Limits{}
	}
	return o
}

// scriptError tells of a script that cannot be started.
func scriptError(w *world, path string, err error) error {
	var bad *compile.Error
	switch {
	case errors.As(err, &bad):
		fmt.Fprintln(w.stderr, program.Faults(bad))
		return exitError(exitFailed)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: there is no such file", path)
	}
	return err
}

// environment is the variables that the program was started with: a program
// that a person starts sees what node would see.
func environment(w *world) map[string]string {
	env := make(map[string]string)
	if w.vars == nil {
		return env
	}
	for _, pair := range w.vars() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

func isInput(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && isTerminal(f)
}

// signalled is why a script ended that did not listen to a signal.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return "stopped by signal: " + s.String() }

func (s signalled) number() syscall.Signal {
	n, _ := s.Signal.(syscall.Signal)
	return n
}

// signals gives a script the signals that it listens to, and ends it at others.
type signals struct {
	stop     func()
	done     chan struct{}
	mu       sync.Mutex
	deliver  map[string]func()
	names    map[os.Signal]string
	fallback func(os.Signal)
}

func newSignals(w *world, fallback func(os.Signal)) *signals {
	s := &signals{
		done: make(chan struct{}), deliver: make(map[string]func()), fallback: fallback,
		names: map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP"},
	}
	c, stop := w.signals()
	s.stop = stop
	go func() {
		for {
			select {
			case sig := <-c:
				s.take(sig)
			case <-s.done:
				return
			}
		}
	}()
	return s
}

func (s *signals) take(sig os.Signal) {
	s.mu.Lock()
	deliver := s.deliver[s.names[sig]]
	s.mu.Unlock()
	if deliver == nil {
		s.fallback(sig)
		return
	}
	deliver()
}

func (s *signals) listen(name string, deliver func()) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliver[name] = deliver
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.deliver, name)
	}, nil
}

func (s *signals) close() {
	s.stop()
	close(s.done)
}
