package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/millrace/millrace/internal/config"
)

type serveCmd struct {
	settings
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, w *world) error {
	return c.serve(ctx, w, nil)
}

// serve runs a server until a signal or ctx ends it. beside, where there is
// one, runs as long; it is started when the server listens.
func (s *settings) serve(ctx context.Context, w *world, beside func(context.Context, *server) error) (err error) {
	signals, stop := w.signals() // first of all: a signal during the start is not lost
	defer stop()
	cfg, err := s.load(w)
	if err != nil {
		return err
	}
	log := w.logger(cfg.LogFormat)
	running, err := openServer(ctx, w, cfg, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running.announce()
	running.start(ctx)

	var company sync.WaitGroup
	defer company.Wait()
	left := make(chan error, 1)
	if beside != nil {
		company.Go(func() { left <- beside(ctx, running) })
	}
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				running.reload(func() (*config.Config, error) { return s.load(w) }) //nolint:contextcheck // an app lives until close
				continue
			}
			log.Info("told to stop", "signal", sig.String())
		case <-ctx.Done():
		case err = <-running.failed:
		case err = <-left:
		}
		break
	}
	cancel()
	return errors.Join(err, running.drainOrQuit(context.WithoutCancel(ctx), signals))
}

// echo is for how long a second signal is the first one once more: timeout and
// shells send one to the process and one to its group.
const echo = time.Second

// drainOrQuit ends the server in order, or at once at a second signal.
func (s *server) drainOrQuit(ctx context.Context, signals <-chan os.Signal) error {
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- s.drain(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case sig := <-signals:
			if sig != syscall.SIGHUP && time.Since(begin) > echo {
				return errors.New("told to stop at once")
			}
		}
	}
}

// Help is printed by millrace help serve.
func (serveCmd) Help() string {
	return `Without a configuration file the server listens for RTSP, SRT and HTTP, takes publishers from this
machine on any path, and offers each stream in several qualities as low-latency HLS.

Start it, publish, and watch:

    millrace serve
    ffmpeg -re -i film.mp4 -c copy -f rtsp rtsp://localhost:8554/film
    http://localhost:8080/watch/film

With a configuration (docs/config.md lists its keys, examples/millrace.yaml shows them):

    millrace serve -c millrace.yaml

Other addresses, no RTMP and SRT, a log for machines:

    millrace serve --http :80 --rtsp 192.0.2.1:554 --rtmp off --srt off --log-format json

Publishing from elsewhere needs a key: auth.publish in the configuration, or for a start

    auth: {publish: [{path: "*", key: s3cret}], api: {token: t0ken}}

SIGHUP reads the configuration again; streams whose entry did not change keep running. SIGTERM and
SIGINT tell publishers and viewers, and end the server within 10 seconds; a second one ends it at once.`
}
