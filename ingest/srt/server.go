package srt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/datarhei/gosrt"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/telemetry"
)

// Gate decides who may publish. The pipeline's Manager implements it.
type Gate interface {
	// MayPublish decides what can be decided before the tracks are known. It is
	// asked in the handshake and must not wait.
	MayPublish(req ingest.Request) error
	// Publish is that of ingest.Gate.
	Publish(ctx context.Context, req ingest.Request, tracks []*media.Track) (*ingest.Publisher, error)
}

// Config says where and how a Server listens.
type Config struct {
	// Listen is the UDP address, ":8890" by default. Port 0 takes a free one.
	Listen string

	// ReadTimeout is how long a publisher may deliver nothing that can be used;
	// 10 s by default.
	ReadTimeout time.Duration

	// Logger takes what operators should see; nil: none.
	Logger *slog.Logger
}

const (
	defaultListen  = ":8890"
	defaultTimeout = 10 * time.Second

	// peerIdle is how long a peer may be silent altogether; it sends something
	// every second. A publisher that vanished blocks its path for as long.
	peerIdle = 2 * time.Second

	// gatePatience is how long the Gate may take, which may ask a hook.
	gatePatience = 15 * time.Second
)

// Server takes publishers.
type Server struct {
	cfg  Config
	gate Gate
	log  *slog.Logger

	listener srt.Listener
	ctx      context.Context // of the server's life
	stop     context.CancelFunc
	wg       sync.WaitGroup
	once     sync.Once
	failed   chan error // how accepting ended

	faults telemetry.Summary

	mu      sync.Mutex
	callers map[caller]bool // those whose sessions live
}

// caller is who calls, and for what: what all copies of a handshake share.
type caller struct{ remote, streamID string }

func callerOf(req srt.ConnRequest) caller {
	return caller{req.RemoteAddr().String(), req.StreamId()}
}

// New opens the port and begins to serve. The Server must be closed, by Close
// or by Run.
func New(cfg Config, gate Gate) (*Server, error) {
	if cfg.Listen == "" {
		cfg.Listen = defaultListen
	}
	if cfg.ReadTimeout <= 0 {
		cfg.ReadTimeout = defaultTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, gate: gate, log: cfg.Logger.With("protocol", "srt"), ctx: ctx, stop: stop, failed: make(chan error, 1),
		callers: map[caller]bool{},
	}
	if err := s.open(); err != nil {
		stop()
		return nil, fmt.Errorf("listen for SRT: %w", err)
	}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *Server) open() error {
	// gosrt shares its address with whoever asks for that; a server that is
	// there already would lose its packets to us, or we to it.
	var lc net.ListenConfig
	probe, err := lc.ListenPacket(s.ctx, "udp", s.cfg.Listen)
	if err != nil {
		return err
	}
	if err := probe.Close(); err != nil {
		return err
	}
	c := srt.DefaultConfig()
	c.PeerIdleTimeout = peerIdle
	s.listener, err = srt.Listen("srt", s.cfg.Listen, c)
	return err
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run waits until ctx ends or the server fails, and closes it.
func (s *Server) Run(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	case err = <-s.failed:
		err = fmt.Errorf("serve SRT: %w", err)
	}
	s.Close()
	return err
}

// Close ends all sessions, closes the port, and waits for everything that the
// server has started. It may be called twice.
func (s *Server) Close() {
	s.once.Do(func() {
		s.stop()
		s.listener.Close()
	})
	s.wg.Wait()
}

// accept answers handshakes until the listener ends.
func (s *Server) accept() {
	for {
		req, err := s.listener.Accept2()
		if err != nil {
			if s.ctx.Err() == nil {
				s.failed <- err
			}
			return
		}
		s.greet(req)
	}
}

// greet lets a caller in, or says why not. A caller repeats its handshake until
// it is answered; let in twice, the second connection would hear nothing, and
// its end would be told to the socket of the first.
func (s *Server) greet(req srt.ConnRequest) {
	who := callerOf(req)
	if s.calls(who) {
		s.log.Debug("handshake repeated", "remote", who.remote)
		req.Reject(srt.REJX_CONFLICT)
		return
	}
	r, err := s.judge(req)
	if err != nil {
		s.log.Warn("publisher refused", "stream", r.Path, "remote", req.RemoteAddr().String(), "reason", err)
		req.Reject(reasonOf(err))
		return
	}
	conn, err := req.Accept()
	if err != nil {
		s.log.Warn("handshake failed", "stream", r.Path, "remote", req.RemoteAddr().String(), "reason", err)
		return
	}
	p := newSession(s, conn, r)
	s.enter(who)
	s.wg.Go(func() {
		defer s.leave(who)
		p.run()
	})
}

// calls reports whether a caller has a session.
func (s *Server) calls(who caller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.callers[who]
}

func (s *Server) enter(who caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers[who] = true
}

func (s *Server) leave(who caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.callers, who)
}

var errEncrypted = errors.New("the stream is encrypted with a passphrase, which this server does not have")

// judge decides what can be decided in the handshake.
func (s *Server) judge(req srt.ConnRequest) (ingest.Request, error) {
	w, err := parseStreamID(req.StreamId())
	if err != nil {
		return ingest.Request{Path: w.path}, err
	}
	r := w.request()
	r.Remote = req.RemoteAddr()
	if req.IsEncrypted() {
		return r, errEncrypted
	}
	return r, s.gate.MayPublish(r)
}

// reasonOf maps what a Gate answers to SRT; see the package comment.
func reasonOf(err error) srt.RejectionReason {
	for _, m := range []struct {
		err    error
		reason srt.RejectionReason
	}{
		{ingest.ErrUnauthorized, srt.REJX_UNAUTHORIZED},
		{ingest.ErrForbidden, srt.REJX_FORBIDDEN},
		{ingest.ErrBadPath, srt.REJX_BAD_REQUEST},
		{ingest.ErrBusy, srt.REJX_CONFLICT},
		{ingest.ErrOverloaded, srt.REJX_OVERLOAD},
		{ingest.ErrUnavailable, srt.REJX_DOWN},
		{errReading, srt.REJX_BAD_MODE},
		{errEncrypted, srt.REJ_UNSECURE},
	} {
		if errors.Is(err, m.err) {
			return m.reason
		}
	}
	return srt.REJX_ISE
}
