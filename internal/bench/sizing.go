package main

import (
	"context"
	"fmt"
	"time"
)

// benchSizing measures what one live stream of each kind takes, all of its
// processes together.
func benchSizing(ctx context.Context, e *env) error {
	clip, err := liveClip(ctx)
	if err != nil {
		return err
	}
	var t table
	t.add("one 720p30 source of 2.5 Mbit/s", "cores", "memory")
	for _, kind := range []struct{ name, stream string }{
		{"passed through", "ladder: passthrough"},
		{"auto: 720p copied, 480p and 360p encoded", "ladder: auto"},
		{"720p, 480p and 360p encoded", "ladder: [{height: 720}, {height: 480}, {height: 360}]"},
		{"the same, preset ultrafast", "ladder: [{height: 720}, {height: 480}, {height: 360}]\n    encoder: {preset: ultrafast}"},
	} {
		u, err := sizeOf(ctx, e, clip, kind.stream)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		t.add(kind.name, fmt.Sprintf("%.3f", u.cpu.Seconds()/u.wall.Seconds()), mebibytes(u.memory))
	}
	t.print()
	return nil
}

func sizeOf(ctx context.Context, e *env, clip, stream string) (usage, error) {
	c, err := startContender(ctx, e, "millrace", 30*time.Second, false, stream)
	if err != nil {
		return usage{}, err
	}
	defer c.stop()
	stop, err := publish(ctx, clip, "rtsp://"+c.rtsp+"/cam")
	if err != nil {
		return usage{}, err
	}
	defer stop()
	if err := wait(ctx, 10*time.Second); err != nil {
		return usage{}, err
	}
	return steady(ctx, c.pid(), e.window)
}
