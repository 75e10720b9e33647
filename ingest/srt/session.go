package srt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/datarhei/gosrt"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/mpegts"
	"github.com/millrace/millrace/internal/media"
)

var (
	errSilent = errors.New("publisher delivers nothing that can be used")
	errClosed = errors.New("connection closed")
)

// session is a publisher's connection.
type session struct {
	s        *Server
	conn     srt.Conn
	request  ingest.Request
	receiver *mpegts.Receiver

	pub      atomic.Pointer[ingest.Publisher]
	attached chan struct{} // closed when pub is set
	ended    chan struct{} // closed when nothing more is read
	why      atomic.Pointer[error]
}

func newSession(s *Server, conn srt.Conn, r ingest.Request) *session {
	p := &session{s: s, conn: conn, request: r, attached: make(chan struct{}), ended: make(chan struct{})}
	p.receiver = mpegts.New(mpegts.Config{Attach: p.attach, Fault: p.fault})
	return p
}

// attach lets the publisher in, when it is known what it brings.
func (p *session) attach(tracks []*media.Track, unused []ingest.Unused) (*ingest.Publisher, error) {
	ctx, cancel := context.WithTimeout(p.s.ctx, gatePatience)
	defer cancel()
	r := p.request
	r.Unused = unused
	pub, err := p.s.gate.Publish(ctx, r, tracks)
	if err != nil {
		return nil, err
	}
	log := p.s.log.With("stream", r.Path, "remote", r.Remote.String())
	for _, u := range unused {
		log.Warn("track ignored", "codec", u.String())
	}
	log.Info("publisher", "tracks", fmt.Sprint(tracks))
	p.pub.Store(pub)
	close(p.attached)
	return pub, nil
}

// run reads until the connection ends.
func (p *session) run() {
	p.s.wg.Go(p.watch)
	err := p.read()
	// What the publisher ended with is what it is told of first.
	if why := p.why.Load(); why != nil {
		err = *why
	}
	pub := p.pub.Load()
	if pub == nil {
		p.s.log.Warn("publisher refused", "stream", p.request.Path, "remote", p.request.Remote.String(), "reason", err)
	} else {
		pub.Close(err)
		if why := pub.Err(); why != nil {
			err = why
		}
		p.s.log.Info("publisher left", "stream", pub.Stream().Path(), "reason", err)
	}
	close(p.ended)
}

// read feeds what comes to the receiver.
func (p *session) read() error {
	for {
		packet, err := p.conn.ReadPacket()
		if err != nil {
			if err := p.receiver.End(); err != nil {
				return err
			}
			return errClosed
		}
		err = p.receiver.Feed(packet.Data(), media.Now())
		packet.Decommission()
		if err != nil {
			return err
		}
	}
}

// watch closes the connection when the publisher must go, or is silent though
// connected.
func (p *session) watch() {
	defer func() { _ = p.conn.Close() }() // it never fails
	timeout := p.s.cfg.ReadTimeout
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	attached, gone := p.attached, (<-chan struct{})(nil)
	for {
		select {
		case <-p.ended:
			return
		case <-p.s.ctx.Done():
			return
		case <-attached:
			attached, gone = nil, p.pub.Load().Done()
		case <-gone:
			return
		case <-timer.C:
			silent := media.Now() - p.receiver.Heard()
			if silent >= timeout {
				err := fmt.Errorf("%w for %v", errSilent, timeout)
				p.why.Store(&err)
				return
			}
			timer.Reset(timeout - silent)
		}
	}
}

// fault mentions what is wrong with the bytes.
func (p *session) fault(err error) {
	if n, ok := p.s.faults.Due(p.request.Path + "\x00" + err.Error()); ok {
		p.s.log.Warn("bad packets", "stream", p.request.Path, "error", err, "count", n)
	}
}
