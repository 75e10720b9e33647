package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/rtsp"
	"github.com/millrace/millrace/ingest/srt"
	"github.com/millrace/millrace/ingest/tspull"
	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/internal/telemetry"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/web"
)

// server is what serve and demo run: the listeners and what is behind them.
// open makes it, run lets it serve, drain ends it.
type server struct {
	cfg       *config.Config
	log       *slog.Logger
	container bool   // nobody is loopback
	key       string // made by this start, see containerKey
	env       func(name string) string
	scriptEnv atomic.Pointer[map[string]string] // what scripts see of it

	thumbnails *transcode.Thumbnailer
	manager    *pipeline.Manager
	backend    *backend
	archive    *archive
	app        *appSlot
	web        *web.Server  // nil where HTTP is off
	rtsp       *rtsp.Server // nil where RTSP is off
	srt        *srt.Server  // nil where SRT is off

	serving sync.WaitGroup
	failed  chan error // a listener that ended by itself
}

// How long the steps of an orderly end may take; together less than the 10 s
// that the operator is promised.
const (
	flushTime   = 3 * time.Second // streams end, encoders put out their last frames
	graceTime   = 4 * time.Second // viewers fetch what is in the window
	drainTime   = time.Second     // requests under way
	quietPeriod = 3 * time.Second // no request for so long: nobody is watching
)

// openServer opens everything, or nothing.
func openServer(ctx context.Context, w *world, cfg *config.Config, log *slog.Logger) (_ *server, err error) {
	s := &server{cfg: cfg, log: log, container: w.env("MILLRACE_CONTAINER") != "", env: w.env, failed: make(chan error, 3)}
	s.showEnv()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}()
	if cfg.HTTP.Listen == config.Off && cfg.RTSP.Listen == config.Off && cfg.SRT.Listen == config.Off {
		return nil, usagef("every listener is off: there is nothing to serve; leave http, rtsp or srt on")
	}
	if err := s.containerKey(); err != nil {
		return nil, err
	}
	exe, err := w.executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's file: %w", err)
	}
	supervisor, err := transcode.NewSupervisor(transcode.Options{Command: []string{exe, "worker"}, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("prepare workers: %w", err)
	}
	s.thumbnails = supervisor.Thumbnailer()
	bus := pipeline.NewBus()

	if s.app, err = newApp(s, exe, bus); err != nil { //nolint:contextcheck // an app lives until close
		return nil, err
	}
	if s.archive, err = openArchive(cfg, bus, s.thumbnails.JPEG, log); err != nil {
		return nil, err
	}
	deps := pipeline.Deps{
		Transcoder: supervisor, Thumbnails: s.thumbnails, Bus: bus, Logger: log,
		Pull: s.pull, NoLoopback: s.container, ScriptEnv: s.shownEnv,
		Shifts: s.archive.shifts, Recordings: s.archive.lib,
		Hook: s.app, Notice: s.app.Tell,
	}
	s.manager = pipeline.NewManager(cfg, deps)
	s.backend = newBackend(s.manager)
	if err := s.openRTSP(); err != nil { // before HTTP, which tells its address
		return nil, err
	}
	if err := s.openSRT(); err != nil {
		return nil, err
	}
	if err := s.openHTTP(ctx); err != nil {
		return nil, err
	}
	s.app.start(audienced{s.manager, s.web}) //nolint:contextcheck // it lives until close
	return s, nil
}

// showEnv has scripts see what the configuration names of the environment.
func (s *server) showEnv() {
	env := map[string]string{}
	for _, name := range s.cfg.Env {
		if value := s.env(name); value != "" {
			env[name] = value
		}
	}
	s.scriptEnv.Store(&env)
}

func (s *server) shownEnv() map[string]string { return *s.scriptEnv.Load() }

func (s *server) openHTTP(ctx context.Context) error {
	h := s.cfg.HTTP
	if h.Listen == config.Off {
		return nil
	}
	rules, err := webRules(s.cfg)
	if err != nil {
		return err
	}
	registry := telemetry.NewRegistry(versionName())
	registry.MustRegister(streamMetrics(s.manager))
	wc := web.Config{
		Listen: string(h.Listen), TLSCert: h.TLS.Cert, TLSKey: h.TLS.Key,
		Backend: s.backend, Recordings: s.archive, Judge: judge{}, Origins: rules.Origins, Proxies: rules.Proxies,
		Token: rules.Token, View: rules.View, NoLoopback: s.container,
		RTSP: s.rtspAddress(), SRT: s.srtAddress(), Version: versionName(), Logger: s.log, Metrics: registry,
		DrainTimeout: drainTime, AppGuarded: rules.App,
	}
	s.connectApp(&wc)
	if s.web, err = web.New(wc); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return s.web.Listen(ctx)
}

func (s *server) openRTSP() (err error) {
	r := s.cfg.RTSP
	if r.Listen == config.Off {
		return nil
	}
	var transports []string
	if r.Transports.TCP {
		transports = append(transports, rtsp.TCP)
	}
	if r.Transports.UDP {
		transports = append(transports, rtsp.UDP)
	}
	s.rtsp, err = rtsp.New(rtsp.Config{Listen: string(r.Listen), Transports: transports, Logger: s.log}, s.manager)
	return err
}

// rtspAddress is where RTSP listens, empty where it is off.
func (s *server) rtspAddress() string {
	if s.rtsp == nil {
		return ""
	}
	return s.rtsp.Addr().String()
}

// webRules are the parts of a configuration that web applies to requests.
func webRules(cfg *config.Config) (web.Rules, error) {
	proxies, err := access.ParseProxies(cfg.HTTP.TrustedProxies)
	if err != nil {
		return web.Rules{}, fmt.Errorf("http.trustedProxies: %w", err)
	}
	return web.Rules{
		Origins: cfg.HTTP.Origins, Proxies: proxies, Token: cfg.Auth.API.Token, View: cfg.Auth.ViewRules(), App: cfg.Auth.App,
	}, nil
}

// start serves until drain, and reports a listener that ends before.
func (s *server) start(ctx context.Context) {
	if s.web != nil {
		s.serving.Go(func() {
			if err := s.web.Serve(); err != nil {
				s.failed <- err
			}
		})
	}
	s.serving.Go(func() { s.archive.tidy(ctx) })
	if s.rtsp != nil {
		s.serving.Go(func() {
			if err := s.rtsp.Run(ctx); err != nil {
				s.failed <- err
			}
		})
	}
	s.startSRT(ctx)
}

// announce writes the first lines of the log: where the server listens, and
// who may do what.
func (s *server) announce() {
	s.log.Info("millrace "+versionName(), "config", orNone(s.cfg.File))
	if s.web != nil {
		s.log.Info("http listens", "address", s.web.Addr().String(), "console", s.url("/"))
	}
	if s.rtsp != nil {
		s.log.Info("rtsp listens", "address", s.rtsp.Addr().String(), "publish", "rtsp://"+nearby(s.rtsp.Addr())+"/{path}")
	}
	if s.srt != nil {
		s.log.Info("srt listens", "address", s.srt.Addr().String(), "publish", "srt://"+nearby(s.srt.Addr())+"?streamid=publish:{path}")
	}
	if missing := config.NotYetListeners(s.cfg); len(missing) > 0 {
		s.log.Info(strings.Join(missing, " and ") + " comes in a later version, not in this one")
	}
	for _, m := range config.NotYet(s.cfg) {
		s.log.Warn(m.String())
	}
	switch {
	case s.key != "":
		s.log.Warn("first start in a container: this key publishes and opens the API; it is not shown again", "key", s.key)
	case s.container && len(s.cfg.Auth.Publish) == 0:
		s.log.Warn("no publish keys are set, and in a container nobody is local: nobody may publish; set auth.publish")
	case len(s.cfg.Auth.Publish) == 0 && s.cfg.Auth.API.Token == "":
		s.log.Warn("no keys are set: only this machine may publish and use the API; set auth.publish and auth.api to let others")
	case len(s.cfg.Auth.Publish) == 0:
		s.log.Warn("no publish keys are set: only this machine may publish; set auth.publish to let others")
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// url is a page of this server, as seen from this machine.
func (s *server) url(path string) string {
	scheme := "http"
	if s.cfg.HTTP.TLS.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + nearby(s.web.Addr()) + path
}

// nearby turns the address of a listener into one to connect to from here.
func nearby(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback() && ip.To4() != nil) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// reload puts a new configuration into force.
func (s *server) reload(load func() (*config.Config, error)) {
	cfg, err := load()
	var rules web.Rules
	if err == nil {
		s.keyFrom(cfg)
		rules, err = webRules(cfg)
	}
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			s.log.Error("the configuration stays as it was: " + line)
		}
		return
	}
	changes := config.Diff(s.cfg, cfg)
	s.cfg = cfg
	s.log.Info("configuration read again", "changes", changes.String())
	for _, m := range config.NotYet(cfg) {
		s.log.Warn(m.String())
	}
	if changes.Empty() {
		return
	}
	s.showEnv()
	// Rules may take the place of an app, and an app that of rules: what comes is
	// in force before what goes is not, so that nobody gets in between.
	if cfg.App != "" {
		s.changeApp()
	}
	s.manager.Reload(cfg)
	s.archive.bound(cfg.Retain)
	if s.web != nil {
		s.web.SetRules(rules)
	}
	if cfg.App == "" {
		s.changeApp()
	}
}

// drain ends everything in order: nobody can come in any more, publishers are
// told, presentations end, viewers fetch what is in the window, HTTP closes.
func (s *server) drain(ctx context.Context) error {
	s.log.Info("going down")
	s.backend.going.Store(true)
	begin := time.Now()
	if s.rtsp != nil {
		s.rtsp.Close()
	}
	s.closeSRT()
	watched := s.backend.watched(quietPeriod)
	s.endStreams()
	if watched && s.web != nil {
		s.backend.wait(graceTime)
	}
	err := s.close(ctx)
	s.serving.Wait()
	s.log.Info("done", "took", time.Since(begin).Round(time.Millisecond))
	return err
}

// endStreams ends every stream and waits, for flushTime at most, until each
// has put out its last frames; all of it stays fetchable.
func (s *server) endStreams() {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(flushTime); time.Now().Before(end); <-ticker.C {
		open := false
		for _, stream := range s.manager.List() {
			if stream.State == status.Ended {
				continue
			}
			open = true
			if err := s.manager.End(stream.Path, "the server is going down"); err != nil {
				s.log.Debug("end stream", "stream", stream.Path, "err", err) // gone by itself
			}
		}
		if !open {
			return
		}
	}
}

// close gives up whatever is open; what is closed already stays closed.
func (s *server) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*drainTime)
	defer cancel()
	var errs []error
	if s.rtsp != nil {
		s.rtsp.Close()
	}
	s.closeSRT()
	if s.web != nil {
		errs = append(errs, s.web.Shutdown(ctx))
	}
	if s.manager != nil {
		errs = append(errs, s.manager.Shutdown(ctx))
	}
	if s.app != nil {
		s.app.close()
	}
	if s.archive != nil {
		errs = append(errs, s.archive.lib.Close(ctx))
	}
	if s.thumbnails != nil {
		s.thumbnails.Close()
	}
	return errors.Join(errs...)
}

// pull keeps a configured source attached to its stream until ctx ends.
func (s *server) pull(ctx context.Context, url string, stream *ingest.Stream) {
	log := s.log.With("stream", stream.Path())
	var err error
	switch scheme, _, _ := strings.Cut(url, "://"); scheme {
	case "rtsp", "rtsps":
		err = rtsp.Pull(ctx, rtsp.PullConfig{URL: url, Logger: log}, stream)
	case "udp", "http", "https":
		err = tspull.Pull(ctx, tspull.Config{URL: url, Logger: log}, stream)
	default:
		stream.Unavailable(notYet("pulling from " + scheme + "://"))
	}
	if err != nil {
		log.Debug("source given up", "err", err) // the stream has ended
	}
}
