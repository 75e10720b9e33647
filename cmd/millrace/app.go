package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/host"
	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/web"
)

// appSlot is the process of the app script, while the configuration names one: it
// may be named, and given up, while the server runs.
type appSlot struct {
	options host.Options
	running atomic.Pointer[host.Host] // nil where there is none
	ending  sync.WaitGroup            // those that were given up

	server host.Server // nil before start
}

// newApp makes ready to run apps, and the one that the configuration names.
func newApp(s *server, exe string, bus *pipeline.Bus) (*appSlot, error) {
	a := &appSlot{options: host.Options{
		Command: []string{exe, "worker"}, Version: versionName(), Logger: s.log, Tell: bus.Send,
	}}
	return a, a.change(s.cfg.App, s.shownEnv())
}

// start starts what there is, and from then on what comes.
func (a *appSlot) start(server host.Server) {
	a.server = server
	if h := a.running.Load(); h != nil {
		h.Start(server)
	}
}

// change has the app be this script, none where it is empty.
func (a *appSlot) change(script string, env map[string]string) error {
	h := a.running.Load()
	if script == "" {
		a.giveUp()
		return nil
	}
	script, err := filepath.Abs(script)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if h != nil {
		h.Change(script, env)
		return nil
	}
	o := a.options
	o.Script, o.Env = script, env
	h = host.New(o)
	a.running.Store(h)
	if a.server != nil {
		h.Start(a.server)
	}
	return nil
}

// giveUp has there be no app: nobody asks it from now on, and its process ends
// in its own time.
func (a *appSlot) giveUp() {
	if h := a.running.Swap(nil); h != nil {
		a.ending.Go(h.Close)
	}
}

// close gives up what there is, and waits until no process is left.
func (a *appSlot) close() {
	a.giveUp()
	a.ending.Wait()
}

// changeApp has the app be what the configuration says now.
func (s *server) changeApp() {
	if err := s.app.change(s.cfg.App, s.shownEnv()); err != nil {
		s.log.Error("the app stays as it was", "err", err)
	}
}

// Decides implements pipeline.Hook.
func (a *appSlot) Decides(q pipeline.Question) bool {
	h := a.running.Load()
	return h != nil && h.Decides(q)
}

// Decide implements pipeline.Hook.
func (a *appSlot) Decide(ctx context.Context, q pipeline.Question, v pipeline.Visitor) (pipeline.Grant, error) {
	h := a.running.Load()
	if h == nil { // since it was asked whether there is one
		return pipeline.Grant{}, &pipeline.Refusal{Reason: "the app has just been given up", Unavailable: true}
	}
	return h.Decide(ctx, q, v)
}

// Tell tells the app of what happened, where there is one.
func (a *appSlot) Tell(e status.Event) {
	if h := a.running.Load(); h != nil {
		h.Tell(e)
	}
}

// connectApp has web serve the app's routes, and ask it about viewers.
func (s *server) connectApp(c *web.Config) {
	c.App, c.Door = s.app, door{s.manager}
	c.Tell = func(kind, path string, data any) {
		s.app.Tell(status.Event{Time: time.Now(), Type: kind, Path: path, Data: data})
	}
}

var kinds = map[web.AppKind]wire.Kind{
	web.AppRoutes: wire.Routes, web.AppUpgrade: wire.Upgrade, web.AppSockets: wire.Sockets,
}

// Dial implements web.App.
func (a *appSlot) Dial(ctx context.Context, kind web.AppKind) (net.Conn, error) {
	h := a.running.Load()
	if h == nil {
		return nil, web.ErrNoApp
	}
	conn, err := h.Dial(ctx, kinds[kind])
	if errors.Is(err, host.ErrDown) {
		return nil, fmt.Errorf("%w: %w", web.ErrAppDown, err)
	}
	return conn, err
}

// Status implements web.App.
func (a *appSlot) Status() *status.App {
	h := a.running.Load()
	if h == nil {
		return nil
	}
	s := h.Status()
	return &s
}

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
