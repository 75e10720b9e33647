package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/host"
	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/web"
)

// openApp makes what runs the app script; nil where the configuration names
// none.
func openApp(s *server, exe string, bus *pipeline.Bus) (*host.Host, error) {
	if s.cfg.App == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	script, err := filepath.Abs(s.cfg.App)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return host.New(host.Options{
		Command: []string{exe, "worker"}, Script: script, Env: s.shownEnv(),
		Version: versionName(), Logger: s.log, Tell: bus.Send,
	}), nil
}

// changeApp has the app be what the configuration says now. What asks it and
// serves it is made with the server: the first app needs a new start, and so
// does none any more.
func (s *server) changeApp() {
	if (s.app == nil) != (s.cfg.App == "") {
		s.log.Warn("the first app, or none any more, is in force after a restart only", "app", orNone(s.cfg.App))
		return
	}
	if s.app == nil {
		return
	}
	script, err := filepath.Abs(s.cfg.App)
	if err != nil {
		s.log.Error("the app stays as it was", "err", err)
		return
	}
	s.app.Change(script, s.shownEnv())
}

// connectApp has web serve the app's routes, and ask it about viewers.
func (s *server) connectApp(c *web.Config) {
	if s.app == nil {
		return
	}
	c.App, c.Door = appDialer{s.app}, door{s.manager}
	c.Tell = func(kind, path string, data any) {
		s.app.Tell(status.Event{Time: time.Now(), Type: kind, Path: path, Data: data})
	}
}

// appDialer shows the app to web.
type appDialer struct{ app *host.Host }

var kinds = map[web.AppKind]wire.Kind{
	web.AppRoutes: wire.Routes, web.AppUpgrade: wire.Upgrade, web.AppSockets: wire.Sockets,
}

// Dial implements web.App.
func (a appDialer) Dial(ctx context.Context, kind web.AppKind) (net.Conn, error) {
	conn, err := a.app.Dial(ctx, kinds[kind])
	if errors.Is(err, host.ErrDown) {
		return nil, fmt.Errorf("%w: %w", web.ErrAppDown, err)
	}
	return conn, err
}

// Status implements web.App.
func (a appDialer) Status() status.App { return a.app.Status() }

// door shows the manager's decisions about viewers to web.
type door struct{ manager *pipeline.Manager }

// Asks implements web.Door.
func (d door) Asks() bool { return d.manager.AsksViewers() }

// Admit implements web.Door.
func (d door) Admit(ctx context.Context, v web.Viewer) (string, error) {
	path, err := d.manager.AdmitViewer(ctx, pipeline.Visitor{
		Path: v.Path, Protocol: "hls", Remote: v.IP, IP: v.IP, Agent: v.UserAgent, Query: v.Query, Local: v.Local,
	})
	for _, m := range []struct {
		err    error
		status int
	}{
		{ingest.ErrUnauthorized, http.StatusUnauthorized},
		{ingest.ErrForbidden, http.StatusForbidden},
		{ingest.ErrUnavailable, http.StatusServiceUnavailable},
		{ingest.ErrBadPath, http.StatusForbidden}, // the app's fault, and nobody's business
	} {
		if errors.Is(err, m.err) {
			return "", &web.NotAdmitted{Status: m.status, Reason: reasonOf(err)}
		}
	}
	return path, err
}

// reasonOf is what a hook said, without the words around it.
func reasonOf(err error) string {
	var no *pipeline.Refusal
	if errors.As(err, &no) {
		return no.Reason
	}
	return err.Error()
}

// audienced is the manager with what only web knows: how many watch.
type audienced struct {
	*pipeline.Manager
	web *web.Server // nil where HTTP is off
}

// List implements host.Server.
func (a audienced) List() []status.Stream {
	list := a.Manager.List()
	for i := range list {
		a.count(&list[i])
	}
	return list
}

// Get implements host.Server.
func (a audienced) Get(path string) (status.Stream, bool) {
	s, ok := a.Manager.Get(path)
	a.count(&s)
	return s, ok
}

func (a audienced) count(s *status.Stream) {
	if a.web != nil && s.Path != "" {
		s.Viewers, s.BytesOut = a.web.Audience(s.Path)
	}
}
