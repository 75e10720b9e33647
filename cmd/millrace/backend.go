package main

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/web"
)

// backend shows the manager to web, and remembers when somebody last watched.
type backend struct {
	*pipeline.Manager
	last  atomic.Int64 // media.Now of the newest playback request
	going atomic.Bool  // the server is going down
}

var _ web.Backend = (*backend)(nil)

func newBackend(m *pipeline.Manager) *backend {
	b := &backend{Manager: m}
	b.last.Store(int64(-time.Hour))
	return b
}

// Playback implements web.Backend.
func (b *backend) Playback(urlPath string) (web.Playback, bool) {
	b.last.Store(int64(media.Now()))
	p, ok := b.Manager.Playback(urlPath)
	return web.Playback{Path: p.Path, Handler: p.Handler, Target: p.Target, Licensed: p.Licensed}, ok
}

// Ready implements web.Backend.
func (b *backend) Ready() error {
	if b.going.Load() {
		return errors.New("the server is going down")
	}
	return b.Manager.Ready()
}

// watched reports whether somebody asked for a stream within the last d.
func (b *backend) watched(d time.Duration) bool {
	return media.Now()-time.Duration(b.last.Load()) < d
}

// wait gives viewers time to fetch the rest: until nobody has asked for
// anything for a while, at most d.
func (b *backend) wait(d time.Duration) {
	const step = 50 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for end := media.Now() + d; media.Now() < end && b.watched(quietPeriod); {
		<-ticker.C
	}
}
