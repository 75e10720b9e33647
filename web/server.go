package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Limits that no honest client meets.
const (
	headerTimeout  = 10 * time.Second // for a request's header to arrive
	idleTimeout    = 2 * time.Minute  // for the next request on a connection
	maxHeaderBytes = 32 << 10
	drainTimeout   = 5 * time.Second
)

// Server is the HTTP server. Make it by New; then either Listen and Serve, or
// use it as an http.Handler.
type Server struct {
	cfg       Config
	log       *slog.Logger
	http      *http.Server
	echo      *echo.Echo
	ui        *assets
	events    *hub
	thumbs    *thumbs
	audiences *audiences
	metrics   *metrics
	docs      docs
	tickets   *tickets
	checks    checks

	appRoutes, appSockets *httputil.ReverseProxy

	rules atomic.Pointer[inForce]

	sent     atomic.Uint64 // bytes on all connections
	replayed atomic.Uint64 // bytes of recordings
	listener net.Listener

	// alive ends when Shutdown begins: what would otherwise last for ever
	// (event streams, pictures being decoded) stops then.
	alive context.Context
	stop  context.CancelFunc
	mu    sync.Mutex     // orders begin against Shutdown
	work  sync.WaitGroup // what outlives the request that started it
}

// New makes a server that does not listen yet.
func New(cfg Config) (*Server, error) {
	if cfg.Backend == nil {
		return nil, errors.New("web: no backend")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = drainTimeout
	}
	s := &Server{cfg: cfg, log: cfg.Logger, audiences: newAudiences(cfg.Tell), tickets: newTickets()}
	s.alive, s.stop = context.WithCancel(context.Background())
	s.SetRules(Rules{Origins: cfg.Origins, Proxies: cfg.Proxies, Token: cfg.Token, View: cfg.View, App: cfg.AppGuarded})
	var err error
	if s.ui, err = embeddedUI(); err != nil {
		return nil, fmt.Errorf("read embedded UI: %w", err)
	}
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	s.events = newHub(s)
	s.thumbs = newThumbs(s)
	if err := s.routes(); err != nil {
		return nil, fmt.Errorf("describe API: %w", err)
	}
	if err := s.newHTTP(); err != nil {
		return nil, err
	}
	s.appRoutes, s.appSockets = s.newAppProxy(AppRoutes), s.newAppProxy(AppSockets)
	return s, nil
}

func (s *Server) newHTTP() error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       connContext,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // port scanners and broken TLS: not worth a line
	}
	if s.cfg.TLSCert == "" && s.cfg.TLSKey == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey)
	if err != nil {
		return fmt.Errorf("load TLS certificate: %w", err)
	}
	s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return nil
}

// Listen binds the address, so that a port in use is known before anything is
// promised.
func (s *Server) Listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		_ = l.Close()
		return fmt.Errorf("listen for HTTP: %T is no TCP listener", l)
	}
	s.listener = listener{tcp, &s.sent}
	return nil
}

// Addr is the address bound by Listen.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests until Shutdown; it then returns nil.
func (s *Server) Serve() error {
	if s.cfg.Tell != nil && s.begin() {
		go func() {
			defer s.work.Done()
			s.audiences.watch(s.alive)
		}()
	}
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve HTTP: %w", err)
}

// Shutdown stops listening, ends event streams, lets requests under way finish
// for Config.DrainTimeout (or until ctx ends), cuts what is left, and waits
// for every goroutine of this package. Segments that wait to be produced are
// the packager's: end those first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	drain, cancel := context.WithTimeout(ctx, s.cfg.DrainTimeout)
	defer cancel()
	err := s.http.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = s.http.Close()
	}
	if s.listener != nil {
		_ = s.listener.Close() // Shutdown knows it only once Serve ran
	}
	s.work.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut down HTTP: %w", err)
	}
	return nil
}

// begin counts one more thing that Shutdown has to wait for, until its
// work.Done; false where Shutdown has begun.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive.Err() != nil {
		return false
	}
	s.work.Add(1)
	return true
}

// ServeHTTP sends playback the short way and everything else through echo.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case isPlayback(r.URL.Path):
		s.playback(w, r)
	case isApp(r.URL.Path):
		s.serveApp(w, r)
	case strings.HasPrefix(r.URL.Path, streamsPrefix):
		s.echo.ServeHTTP(w, nameStream(r))
	case strings.HasPrefix(r.URL.Path, recordingsPrefix):
		s.echo.ServeHTTP(w, nameRecording(r))
	default:
		s.echo.ServeHTTP(w, r)
	}
}
