package rtsp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// errSilent ends a publisher that is connected and delivers nothing.
var errSilent = errors.New("publisher delivers nothing")

// publishing is a session that publishes.
type publishing struct {
	s         *Server
	session   *gortsplib.ServerSession
	pub       *ingest.Publisher
	receivers []*receiver
	heard     atomic.Int64 // when media came last, on media.Now's clock
	started   bool
	closed    chan struct{}
}

// publish lets a publisher in, or says why not.
func (h *handler) publish(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*publishing, error) {
	r, err := h.request(ctx.Conn, ctx.Request, ctx.Path, ctx.Query)
	if err != nil {
		return nil, err
	}
	list, unused, err := receivers(ctx.Description, connOf(ctx.Conn).hints)
	if err != nil && !errors.Is(err, ingest.ErrNoTracks) {
		return nil, err
	}
	r.Unused = unused
	gctx, cancel := context.WithTimeout(h.s.ctx, gatePatience)
	defer cancel()
	pub, err := h.s.gate.Publish(gctx, r, tracks(list))
	if err != nil {
		return nil, err
	}
	for _, u := range unused {
		h.s.log.Warn("track ignored", "stream", r.Path, "remote", remote(ctx.Conn), "codec", u.String())
	}
	p := &publishing{s: h.s, session: ctx.Session, pub: pub, receivers: list, closed: make(chan struct{})}
	for _, rc := range list {
		rc.pub = pub
		rc.note = func(err error) { h.s.fault(r.Path, err) }
	}
	h.s.log.Info("publisher", "stream", r.Path, "remote", remote(ctx.Conn), "agent", r.Agent, "tracks", fmt.Sprint(tracks(list)))
	h.s.wg.Go(p.watch)
	return p, nil
}

// start installs the callbacks; RTP may flow.
func (p *publishing) start() {
	if p.started {
		return // PAUSE and RECORD again: they are there
	}
	p.started = true
	p.heard.Store(int64(media.Now()))
	for _, r := range p.receivers {
		p.session.OnPacketRTP(r.media, r.format, func(pkt *rtp.Packet) {
			r.packet(pkt)
			p.heard.Store(int64(r.now))
		})
		p.session.OnPacketRTCP(r.media, r.control)
	}
}

// watch closes the session when the publisher must go, or is silent though
// connected (what keeps a connection open need not be media).
func (p *publishing) watch() {
	p.heard.Store(int64(media.Now()))
	timeout := p.s.cfg.ReadTimeout
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case <-p.closed:
			return
		case <-p.pub.Done():
			p.session.Close()
			<-p.closed
			return
		case <-timer.C:
			silent := media.Now() - time.Duration(p.heard.Load())
			if silent >= timeout {
				p.pub.Close(fmt.Errorf("%w for %v", errSilent, timeout))
				continue
			}
			timer.Reset(timeout - silent)
		}
	}
}

// end is called once, when the session is closed.
func (p *publishing) end(err error) {
	p.pub.Close(err)
	if why := p.pub.Err(); why != nil {
		err = why
	}
	p.s.log.Info("publisher left", "stream", p.pub.Stream().Path(), "reason", reason(err))
	close(p.closed)
}
