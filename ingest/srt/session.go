package srt

import (
	"context"
	"errors"
	"fmt"

	"github.com/datarhei/gosrt"
	"github.com/datarhei/gosrt/packet"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/mpegts"
	"github.com/millrace/millrace/internal/media"
)

var errClosed = errors.New("connection closed")

// session is a publisher's connection.
type session struct {
	s        *Server
	conn     srt.Conn
	request  ingest.Request
	receiver *mpegts.Receiver
	packet   packet.Packet // what was read last
}

func newSession(s *Server, conn srt.Conn, r ingest.Request) *session {
	p := &session{s: s, conn: conn, request: r}
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
	return pub, nil
}

// run reads until the connection ends.
func (p *session) run() {
	hangUp := func() { _ = p.conn.Close() } // it never fails
	defer hangUp()
	err := p.receiver.Run(p.s.ctx, p.s.cfg.ReadTimeout, hangUp, p.read)
	pub := p.receiver.Publisher()
	if pub == nil {
		p.s.log.Warn("publisher refused", "stream", p.request.Path, "remote", p.request.Remote.String(), "reason", err)
		return
	}
	pub.Close(err)
	if why := pub.Err(); why != nil {
		err = why
	}
	p.s.log.Info("publisher left", "stream", pub.Stream().Path(), "reason", err)
}

// read returns the next packet's bytes, which are gosrt's again at the next
// call.
func (p *session) read() ([]byte, error) {
	if p.packet != nil {
		p.packet.Decommission()
		p.packet = nil
	}
	var err error
	if p.packet, err = p.conn.ReadPacket(); err != nil {
		p.packet = nil
		return nil, errClosed
	}
	return p.packet.Data(), nil
}

// fault mentions what is wrong with the bytes.
func (p *session) fault(err error) {
	if n, ok := p.s.faults.Due(p.request.Path + "\x00" + err.Error()); ok {
		p.s.log.Warn("bad packets", "stream", p.request.Path, "error", err, "count", n)
	}
}
