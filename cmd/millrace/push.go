package main

import (
	"context"
	"net/url"

	"github.com/millrace/millrace/ingest/rtsp"
	"github.com/millrace/millrace/internal/media"
)

// pusher sends packets to another server.
type pusher interface {
	sink
	Close() error
}

// checkTarget tells what can be told of a URL to publish to without going
// there.
func checkTarget(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return usagef("%s is not a URL to publish to; write rtsp://HOST/PATH", redacted(target))
	}
	switch u.Scheme {
	case "rtsp", "rtsps":
		return nil
	case "rtmp", "rtmps", "srt":
		return notYet("publishing to " + u.Scheme + "://")
	}
	return usagef("cannot publish to %s://; write rtsp://HOST/PATH", u.Scheme)
}

// push begins to publish tracks at a URL. It fails when the server refuses, and
// in one line that names the URL without its secrets.
func push(ctx context.Context, target string, tracks []*media.Track) (pusher, error) {
	p, err := rtsp.Push(ctx, rtsp.PushConfig{URL: target}, tracks)
	if err != nil {
		return nil, err
	}
	return p, nil
}
