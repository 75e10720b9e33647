package rtsp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"github.com/millrace/millrace/internal/media"
)

// PushConfig says where to push to.
type PushConfig struct {
	URL       string        // with user and password if the server wants them
	Transport string        // TCP (default) or UDP
	Timeout   time.Duration // of connecting and of writing; 10 s by default
}

// Pusher publishes packets to another server. One goroutine may use it.
type Pusher struct {
	ctx      context.Context // of the session: Write waits for room no longer
	c        *client
	desc     *described
	zero     time.Time // wall clock of the packets' time zero
	reported time.Time
	sent     uint64 // RTP packets queued
}

// Push connects and announces the tracks; those that RTP cannot carry are left
// out. The session ends with Close or with ctx. The error of a server that
// refuses holds its status and reason.
func Push(ctx context.Context, cfg PushConfig, tracks []*media.Track) (*Pusher, error) {
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	if cfg.Transport == "" {
		cfg.Transport = TCP
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	desc, err := describe("millrace", tracks)
	if err != nil {
		return nil, fmt.Errorf("push to %s: %w", publicURL(u), err)
	}
	c, err := newClient(ctx, u, cfg.Transport, cfg.Timeout, func(error) {})
	if err != nil {
		return nil, fmt.Errorf("push to %s: %w", publicURL(u), err)
	}
	p := &Pusher{ctx: ctx, c: c, desc: desc}
	if _, err = c.Announce(u, desc.session); err == nil {
		err = c.SetupAll(u, desc.session.Medias)
	}
	if err == nil {
		_, err = c.Record()
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("push to %s: %w", publicURL(u), err)
	}
	return p, nil
}

// Write sends a packet, at once: pacing is the caller's. It waits while the
// connection is slower than that. Packets of tracks that were left out are
// ignored; parameters that cannot change in flight end the session.
func (p *Pusher) Write(pkt *media.Packet) error {
	s := p.desc.senders[pkt.Track.ID]
	if s == nil {
		return nil
	}
	if !s.accepts(pkt.Track) {
		return fmt.Errorf("push: %w", errChanged)
	}
	at := media.Duration(pkt.PTS, pkt.Track.ClockRate)
	if p.zero.IsZero() {
		p.zero = time.Now().Add(-at)
	}
	if now := time.Now(); now.Sub(p.reported) >= reportPeriod {
		p.reported = now
		p.report(at)
	}
	packets, err := s.packetize(pkt)
	if err != nil {
		return err
	}
	for _, r := range packets {
		for {
			err := p.c.WritePacketRTP(s.media, r)
			var full liberrors.ErrClientWriteQueueFull
			if err == nil {
				p.sent++
				break
			}
			if !errors.As(err, &full) {
				return fmt.Errorf("push: %w", err)
			}
			if err := sleep(p.ctx, queueRetry); err != nil {
				return err
			}
		}
	}
	return nil
}

// report sends a sender report for each track, so that the other side can
// align them.
func (p *Pusher) report(at time.Duration) {
	stats := p.c.Stats()
	for _, s := range p.desc.senders {
		ssrc := stats.Session.Medias[s.media].Formats[s.format].LocalSSRC
		_ = p.c.WritePacketRTCP(s.media, s.report(ssrc, p.zero, at)) // the next one will do
	}
}

// Close sends what is queued, if the connection takes it soon, and ends the
// session.
func (p *Pusher) Close() error {
	defer p.c.close()
	ctx, cancel := context.WithTimeout(p.ctx, drainTime)
	defer cancel()
	for p.c.Stats().Session.RTPPacketsSent < p.sent {
		if err := sleep(ctx, queueRetry); err != nil {
			return fmt.Errorf("push: not all was sent: %w", err)
		}
	}
	return nil
}

// drainTime is how long Close waits for the queue to empty.
const drainTime = 2 * time.Second
