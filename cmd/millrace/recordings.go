package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/recording"
	"github.com/millrace/millrace/packager/storyboard"
	"github.com/millrace/millrace/web"
)

// tidyPause is how often recordings are looked at that are too old or too much.
const tidyPause = 10 * time.Second

// archive shows recordings to web and keeps them, and time shift, within their
// bounds.
type archive struct {
	lib    *recording.Library
	shifts *recording.Shifts

	mu     sync.Mutex
	retain recording.Retain
	again  chan struct{} // the bounds have changed
}

var _ web.Archive = (*archive)(nil)

func openArchive(cfg *config.Config, bus *pipeline.Bus, pictures storyboard.Maker, log *slog.Logger) (*archive, error) {
	lib, err := recording.Open(filepath.Join(cfg.Data, "recordings"), recording.Options{
		Logger: log, Tell: func(kind, path string, data any) { bus.Send(kind, path, data) }, Pictures: pictures,
	})
	if err != nil {
		return nil, err
	}
	shifts := recording.OpenShifts(filepath.Join(cfg.Data, "dvr"), log)
	a := &archive{lib: lib, shifts: shifts, again: make(chan struct{}, 1)}
	a.bound(cfg.Retain)
	return a, nil
}

// bound puts other bounds into force.
func (a *archive) bound(r config.Retain) {
	a.mu.Lock()
	a.retain = recording.Retain{Age: r.Age, Size: int64(r.Size)}
	a.mu.Unlock()
	select {
	case a.again <- struct{}{}:
	default: // it is about to look anyway
	}
}

// tidy keeps recordings within their bounds until ctx ends.
func (a *archive) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.again:
		case <-ticker.C:
		}
		a.mu.Lock()
		retain := a.retain
		a.mu.Unlock()
		a.lib.Tidy(retain)
		a.shifts.Tidy()
	}
}

// List implements web.Archive.
func (a *archive) List() []status.Recording {
	all := a.lib.List()
	list := make([]status.Recording, 0, len(all))
	for _, r := range all {
		list = append(list, status.Recording{
			Path: r.Path, ID: r.ID, Start: r.Start, Seconds: r.Duration.Seconds(), Size: r.Size, Writing: r.Writing,
		})
	}
	return list
}

// Find implements web.Archive.
func (a *archive) Find(urlPath string) (web.Playback, bool) {
	path, id, handler, ok := a.lib.Find(urlPath)
	return web.Playback{Path: path, Recording: id, Handler: handler}, ok
}

// Remove implements web.Archive.
func (a *archive) Remove(path, id string) error {
	err := a.lib.Remove(path, id)
	switch {
	case errors.Is(err, recording.ErrNotFound):
		return status.ErrNoRecording
	case errors.Is(err, recording.ErrBusy):
		return status.ErrRecording
	}
	return err
}
