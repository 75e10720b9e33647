package mpegts

import (
	"encoding/binary"

	"github.com/millrace/millrace/ingest/codec"
)

// unit is a PES packet: its times, in ticks of 90 kHz and 33 bits, and what it
// carries.
type unit struct {
	pts, dts       int64
	hasPTS, hasDTS bool
	data           []byte // valid during the call
	damaged        bool   // a packet of it is missing
}

// pes puts the PES packets of one PID together.
type pes struct {
	// whole says that a PES packet without a time goes on with what the one
	// before began: an access unit of video may be larger than a PES packet.
	whole bool
	id3   bool // it carries timed metadata

	buf     []byte
	open    bool
	damaged bool
	yield   func(unit)
}

// The largest ones believed, in bytes: each PID may hold so much.
const (
	maxVideoPES = codec.MaxAccessUnit
	maxOtherPES = 1 << 20
)

func (s *pes) limit() int {
	if s.whole {
		return maxVideoPES
	}
	return maxOtherPES
}

// feed takes the payload of the next packet; lost says that packets before it
// are missing.
func (s *pes) feed(p *tsPacket, lost bool) {
	b := p.payload
	switch {
	case p.start && s.open && s.whole && !lost && goesOn(b):
		b = b[pesHeader(b):]
	case p.start:
		// What is missing may be the end of what is open, where its length does
		// not say that it is whole.
		n := s.length()
		s.damaged = s.damaged || lost && (n == 0 || len(s.buf) < n)
		s.flush()
		s.open = true
	case !s.open:
		return
	case lost:
		s.damaged = true
	}
	if len(s.buf)+len(b) > s.limit() {
		s.damaged = true
		return
	}
	s.buf = append(s.buf, b...)
	if n := s.length(); n > 0 && len(s.buf) >= n && !s.whole {
		s.buf = s.buf[:n]
		s.flush()
	}
}

// length is the size of the open PES packet by its header; 0: not said.
func (s *pes) length() int {
	if len(s.buf) < 6 {
		return 0
	}
	if n := int(binary.BigEndian.Uint16(s.buf[4:])); n > 0 {
		return 6 + n
	}
	return 0
}

// flush hands on what is open.
func (s *pes) flush() {
	if s.open && len(s.buf) > 0 {
		u, ok := parsePES(s.buf)
		u.damaged = s.damaged || !ok
		s.yield(u)
	}
	s.buf, s.open, s.damaged = s.buf[:0], false, false
}

// goesOn reports whether a PES packet that begins like b has no time.
func goesOn(b []byte) bool {
	return len(b) >= 9 && b[0] == 0 && b[1] == 0 && b[2] == 1 && b[7]&0x80 == 0 && pesHeader(b) <= len(b)
}

// pesHeader is the length of the header of a PES packet.
func pesHeader(b []byte) int { return 9 + int(b[8]) }

// parsePES reads a PES packet with the header of ISO/IEC 13818-1 table 2-21.
func parsePES(b []byte) (u unit, ok bool) {
	if len(b) < 9 || b[0] != 0 || b[1] != 0 || b[2] != 1 || b[6]&0xc0 != 0x80 || b[6]&0x30 != 0 || pesHeader(b) > len(b) {
		return u, false
	}
	times := b[9:pesHeader(b)]
	u.data = b[pesHeader(b):]
	if b[7]&0x80 != 0 && len(times) >= 5 {
		u.pts, u.hasPTS = timestamp(times), true
		if b[7]&0x40 != 0 && len(times) >= 10 {
			u.dts, u.hasDTS = timestamp(times[5:]), true
		}
	}
	return u, true
}

// timestamp reads 33 bits of time among marker bits.
func timestamp(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(binary.BigEndian.Uint16(b[1:])>>1)<<15 | int64(binary.BigEndian.Uint16(b[3:])>>1)
}
