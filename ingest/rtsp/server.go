package rtsp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/bluenviron/gortsplib/v4"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/telemetry"
)

// Server takes publishers and serves readers.
type Server struct {
	cfg  Config
	gate ingest.Gate
	log  *slog.Logger

	lib *gortsplib.Server
	tcp net.Listener
	udp udpPair

	ctx  context.Context // of the server's life: what handlers ask the Gate with
	stop context.CancelFunc
	wg   sync.WaitGroup // goroutines of publishing and playing sessions
	once sync.Once

	faults telemetry.Summary
}

// New opens the ports and begins to serve. The Server must be closed, by Close
// or by Run.
func New(cfg Config, gate ingest.Gate) (*Server, error) {
	cfg = cfg.withDefaults()
	for _, t := range cfg.Transports {
		if t != TCP && t != UDP {
			return nil, fmt.Errorf("start RTSP server: unknown transport %q", t)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{cfg: cfg, gate: gate, log: cfg.Logger.With("protocol", "rtsp"), ctx: ctx, stop: stop}
	if err := s.open(); err != nil {
		stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) open() error {
	var err error
	if s.tcp, err = listenTCP(s.ctx, s.cfg); err != nil {
		return err
	}
	s.lib = &gortsplib.Server{
		Handler:                  &handler{s},
		RTSPAddress:              s.cfg.Listen,
		ReadTimeout:              s.cfg.ReadTimeout,
		WriteTimeout:             s.cfg.WriteTimeout,
		WriteQueueSize:           writeQueue,
		AuthMethods:              authMethods,
		DisableRTCPSenderReports: true, // see fromNTP
		Listen:                   func(_, _ string) (net.Listener, error) { return s.tcp, nil },
	}
	if s.cfg.allows(UDP) {
		if s.udp, err = listenUDP(s.ctx, s.cfg.RTPListen); err != nil {
			s.tcp.Close()
			return err
		}
		s.lib.UDPRTPAddress, s.lib.UDPRTCPAddress = portAddress(s.udp.rtp), portAddress(s.udp.rtcp)
		s.lib.ListenPacket = s.udp.take
	}
	if err := s.lib.Start(); err != nil {
		s.tcp.Close()
		s.udp.close()
		return fmt.Errorf("start RTSP server: %w", err)
	}
	return nil
}

// Addr is where the server listens for RTSP.
func (s *Server) Addr() net.Addr { return s.tcp.Addr() }

// Run waits until ctx ends or the server fails, and closes it.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	err := s.lib.Wait()
	s.Close()
	if ctx.Err() != nil || s.ctx.Err() != nil && errors.Is(err, errTerminated) {
		return nil
	}
	return fmt.Errorf("serve RTSP: %w", err)
}

// Close ends all sessions, closes the ports, and waits for everything that the
// server has started. It may be called twice.
func (s *Server) Close() {
	s.once.Do(func() {
		s.stop()
		s.lib.Close()
	})
	s.wg.Wait()
}
