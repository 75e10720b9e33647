package main

import (
	"context"
	"fmt"
	"time"
)

// benchLive measures what one stream costs the server that only repackages.
func benchLive(ctx context.Context, e *env) error {
	clip, err := liveClip(ctx)
	if err != nil {
		return err
	}
	names := []string{"millrace"}
	if e.mediamtx != "" {
		names = append(names, "mediamtx")
	}
	var t table
	t.add("2.5 Mbit/s RTSP to fMP4 HLS", "publishers", "cores a stream", "memory a stream")
	for _, publishers := range []int{1, 10, 50} {
		for _, name := range names {
			u, err := liveCost(ctx, e, name, clip, publishers)
			if err != nil {
				return err
			}
			t.add(name, fmt.Sprint(publishers),
				fmt.Sprintf("%.4f", u.cpu.Seconds()/u.wall.Seconds()/float64(publishers)),
				mebibytes(u.memory/int64(publishers)))
		}
	}
	t.print()
	return nil
}

func liveCost(ctx context.Context, e *env, name, clip string, publishers int) (usage, error) {
	c, err := startContender(ctx, e, name, 14*time.Second, false, "ladder: passthrough")
	if err != nil {
		return usage{}, err
	}
	var log string
	defer func() { log = c.stop(); _ = log }()
	for i := range publishers {
		stop, err := publish(ctx, clip, fmt.Sprintf("rtsp://%s/cam%d", c.rtsp, i))
		if err != nil {
			return usage{}, err
		}
		defer stop()
	}
	for i := range publishers {
		err := until(ctx, 30*time.Second, func() bool {
			_, _, err := firstSegment(ctx, c.playlist(fmt.Sprintf("cam%d", i)))
			return err == nil
		})
		if err != nil {
			return usage{}, fmt.Errorf("%s: stream %d of %d is not served: %w", name, i, publishers, err)
		}
	}
	// Both hold their full windows before memory is read.
	if err := wait(ctx, 30*time.Second); err != nil {
		return usage{}, err
	}
	return steady(ctx, c.pid(), e.window)
}
