package rtsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// Pace of a reader's session.
const (
	writeQueue   = 256                  // RTP packets between us and the socket; a power of two
	queueRetry   = 2 * time.Millisecond // pause when the queue is full
	burst        = 32                   // UDP packets sent at a stretch
	burstPause   = 2 * time.Millisecond // pause after them: a socket's buffer is small
	reportPeriod = 5 * time.Second      // of RTCP sender reports
)

var errChanged = errors.New("stream's tracks have changed")

// playing is a session that reads a stream. Each has a ServerStream of its
// own, so that readers differ in what they got and a slow one hurts only
// itself: what it cannot take is dropped in its subscription, up to the next
// keyframe, and never in the middle of a picture.
type playing struct {
	s       *Server
	session *gortsplib.ServerSession
	stream  *ingest.Stream
	remote  string
	desc    *described
	out     *gortsplib.ServerStream
	udp     bool
	chosen  map[int]*sender // the tracks that the client has set up
	zero    time.Time       // wall clock of the stream's timeline zero

	mu     sync.Mutex
	cancel context.CancelFunc // while playing
	done   chan struct{}
}

func (s *Server) newPlaying(session *gortsplib.ServerSession, stream *ingest.Stream, remote string) (*playing, error) {
	desc, err := describe(stream.Path(), stream.Tracks())
	if err != nil {
		return nil, err
	}
	out := &gortsplib.ServerStream{Server: s.lib, Desc: desc.session}
	if err := out.Initialize(); err != nil {
		return nil, fmt.Errorf("open RTSP reader: %w", err)
	}
	return &playing{
		s: s, session: session, stream: stream, remote: remote, desc: desc, out: out,
		zero: media.Wall(stream.Created()),
	}, nil
}

// start begins to send.
func (p *playing) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		return // a second PLAY
	}
	p.udp = *p.session.SetuppedTransport() == gortsplib.TransportUDP
	p.chosen = map[int]*sender{}
	for id, s := range p.desc.senders {
		if slices.Contains(p.session.SetuppedMedias(), s.media) {
			p.chosen[id] = s
		}
	}
	ctx, cancel := context.WithCancel(p.s.ctx)
	done := make(chan struct{})
	p.cancel, p.done = cancel, done
	p.s.log.Info("reader", "stream", p.stream.Path(), "remote", p.remote, "udp", p.udp)
	p.s.wg.Go(func() {
		defer close(done)
		if err := p.run(ctx); err != nil && ctx.Err() == nil {
			p.s.log.Info("reader sent away", "stream", p.stream.Path(), "remote", p.remote, "reason", err)
			p.session.Close()
		}
	})
}

// pause stops sending and waits until it has.
func (p *playing) pause() {
	p.mu.Lock()
	cancel, done := p.cancel, p.done
	p.cancel = nil
	p.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// end is called once, when the session is closed.
func (p *playing) end(err error) {
	p.pause()
	p.out.Close()
	p.s.log.Info("reader left", "stream", p.stream.Path(), "remote", p.remote, "reason", reason(err))
}

// run sends what the subscription delivers, from the newest keyframe on.
func (p *playing) run(ctx context.Context) error {
	sub := p.stream.Subscribe(media.SubscribeOptions{
		Name: "rtsp " + p.remote, MaxBytes: p.s.cfg.ReaderQueue, Backlog: true,
	})
	defer sub.Close()
	reported := time.Time{}
	sent := 0
	for {
		pkt, err := sub.Next(ctx)
		if errors.Is(err, io.EOF) {
			return ingest.ErrEnded
		}
		if err != nil {
			return err
		}
		s := p.chosen[pkt.Track.ID]
		if s == nil {
			continue // not set up, or it joined later: readers see it when they come again
		}
		if !s.accepts(pkt.Track) {
			return errChanged
		}
		if now := time.Now(); now.Sub(reported) >= reportPeriod {
			reported = now
			p.report(media.Duration(pkt.PTS, pkt.Track.ClockRate))
		}
		packets, err := s.packetize(pkt)
		if err != nil {
			p.s.fault(p.stream.Path(), err)
			continue
		}
		for _, r := range packets {
			if err := p.write(ctx, s, r); err != nil {
				return err
			}
			if sent++; p.udp && sent%burst == 0 {
				if err := sleep(ctx, burstPause); err != nil {
					return err
				}
			}
		}
	}
}

// write queues one RTP packet, waiting for room.
func (p *playing) write(ctx context.Context, s *sender, r *rtp.Packet) error {
	for {
		err := p.session.WritePacketRTP(s.media, r)
		var full liberrors.ErrServerWriteQueueFull
		if !errors.As(err, &full) {
			return err
		}
		if err := sleep(ctx, queueRetry); err != nil {
			return err
		}
	}
}

// report sends a sender report for each track: what its RTP clock and the wall
// clock are at a time of the timeline, that of the packet about to be sent. (A
// client that starts with the backlog would take packets older than the first
// report for negative time.)
func (p *playing) report(at time.Duration) {
	for _, s := range p.chosen {
		ssrc, ok := p.ssrc(s)
		if !ok {
			continue
		}
		// a full queue: the next one will do
		_ = p.session.WritePacketRTCP(s.media, s.report(ssrc, p.zero, at))
	}
}

func (p *playing) ssrc(s *sender) (uint32, bool) {
	m, ok := p.out.Stats().Medias[s.media]
	if !ok {
		return 0, false
	}
	return m.Formats[s.format].LocalSSRC, true
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
