// Command bench measures Millrace beside its peers, in one run on one machine,
// and prints a table for each thing it measured. `make bench` runs it.
//
// The binary under test is MILLRACE (bin/millrace unless set). The peers are
// the ffmpeg and nginx on PATH, and the MediaMTX binary that MEDIAMTX names;
// a peer that is missing is left out of the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is one benchmark.
type bench struct {
	name string
	what string
	run  func(context.Context, *env) error
}

var benches = []bench{
	{"transcode", "a 60 s file to a ladder, beside ffmpeg", benchTranscode},
	{"live", "many RTSP publishers packaged to HLS, beside MediaMTX", benchLive},
	{"serve", "segments and playlists a second, beside nginx", benchServe},
	{"reload", "viewers who wait for each part of a low-latency playlist", benchReload},
	{"start", "from the first packet to the first segment, beside MediaMTX", benchStart},
	{"sizing", "cores and memory that one stream of each kind takes", benchSizing},
	{"script", "plain streams beside Node, and an identity Transform on a live stream", benchScript},
}

// env is what all benchmarks share.
type env struct {
	millrace string // path of the binary under test
	mediamtx string // empty: left out
	runs     int
	window   time.Duration // how long a steady state is measured
	dir      string        // scratch, removed at the end
}

func main() {
	var names []string
	for _, b := range benches {
		names = append(names, b.name)
	}
	e := &env{millrace: os.Getenv("MILLRACE"), mediamtx: os.Getenv("MEDIAMTX")}
	flag.IntVar(&e.runs, "runs", 5, "alternating runs; the table shows medians")
	flag.DurationVar(&e.window, "window", 20*time.Second, "how long a steady state is measured")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: bench [flags] [%s]...\n", strings.Join(names, "|"))
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(e, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(e *env, wanted []string) error {
	if e.millrace == "" {
		e.millrace = "bin/millrace"
	}
	var err error
	if e.millrace, err = filepath.Abs(e.millrace); err != nil {
		return err
	}
	if _, err := os.Stat(e.millrace); err != nil {
		return fmt.Errorf("the binary under test: %w (make build)", err)
	}
	if e.dir, err = os.MkdirTemp("", "millrace-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(e.dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, b := range benches {
		if len(wanted) > 0 && !slices.Contains(wanted, b.name) {
			continue
		}
		fmt.Printf("\n## %s: %s\n\n", b.name, b.what)
		if err := b.run(ctx, e); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return ctx.Err()
}
