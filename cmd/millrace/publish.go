package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/millrace/millrace/transcode"
)

type publishCmd struct {
	Input string `arg:"" help:"File or URL."`
	URL   string `arg:"" name:"url" help:"Where to publish: rtsp://HOST/PATH."`
	Loop  bool   `help:"Begin again at the end, until stopped."`
}

// Help is printed by millrace help publish.
func (publishCmd) Help() string {
	return `Plays a file in real time to a server, as it is: nothing is encoded.

    millrace publish film.mp4 rtsp://localhost:8554/film
    millrace publish --loop film.mp4 'rtsp://media.example.org:8554/live/film?key=s3cret'
    millrace publish film.mp4 rtsp://publisher:s3cret@media.example.org:8554/live/film`
}

// Run plays the input until its end, or for ever.
func (p *publishCmd) Run(ctx context.Context, w *world) error {
	if err := checkInput(p.Input); err != nil {
		return err
	}
	if err := checkTarget(p.URL); err != nil {
		return err
	}
	ctx, stop := w.interruptible(ctx)
	defer stop()
	supervisor, err := w.supervisor()
	if err != nil {
		return err
	}
	open := func(ctx context.Context) (*transcode.Demuxer, error) {
		d, err := supervisor.Open(ctx, p.Input)
		if err != nil {
			return nil, inputError(p.Input, err)
		}
		return d, nil
	}
	first, err := open(ctx)
	if err != nil {
		return err
	}
	defer first.Close()
	out, err := push(ctx, p.URL, first.Tracks())
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "publishing to %s\n", redacted(p.URL))
	length := seconds(first.Info().Duration)
	if p.Loop {
		length = 0
	}
	bar := w.progress("publish")
	play := player{
		open: func(ctx context.Context) (reel, error) { return open(ctx) }, loop: p.Loop,
		show: func(done time.Duration) { bar.show(done, length) },
	}
	err = play.run(ctx, first, out)
	bar.close()
	if ctx.Err() != nil && p.Loop {
		err = nil // how a loop ends
	}
	if err != nil {
		_ = out.Close() // what went wrong is known already
		var sending sendFault
		if errors.As(err, &sending) {
			return fmt.Errorf("%s: %w", redacted(p.URL), hungUp(err))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return inputError(p.Input, err)
	}
	return out.Close()
}

// hungUp puts in words that the other side ended the session: it was kicked,
// taken over, or the server went down.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("the server ended the session (%w)", err)
	}
	return err
}
