package codec

import (
	"encoding/binary"

	"github.com/millrace/millrace/internal/media"
)

// MaxAccessUnit is the largest access unit believed, in bytes.
const MaxAccessUnit = 16 << 20

// lengthSize is the size of the length before each NAL unit.
const lengthSize = 4

// Assembler puts an access unit of H264 or H265 together as media.Packet
// wants it: NAL units with 4-byte lengths, without parameter sets, delimiters
// and filler. The sets go to its Sets. Its buffer is used again, so an
// Assembler costs one copy and one allocation an access unit.
type Assembler struct {
	Sets *Sets

	h264    bool
	buf     []byte
	start   int  // where the open NAL unit's length stands
	open    bool // a NAL unit is open
	vcl     bool // the unit has a slice
	key     bool // ... of a random access picture
	tooBig  bool
	changed bool // Sets has changed since the last look
}

// NewAssembler returns an Assembler for media.H264 or media.H265.
func NewAssembler(c media.Codec) *Assembler {
	return &Assembler{Sets: NewSets(c), h264: c == media.H264}
}

// Begin opens a NAL unit. Whatever was open is closed.
func (a *Assembler) Begin() {
	a.End()
	a.start = len(a.buf)
	a.buf = append(a.buf, 0, 0, 0, 0)
	a.open = true
}

// Append adds bytes to the open NAL unit.
func (a *Assembler) Append(b ...byte) {
	if !a.open || a.tooBig {
		return
	}
	if len(a.buf)+len(b) > MaxAccessUnit {
		a.tooBig = true
		return
	}
	a.buf = append(a.buf, b...)
}

// End closes the open NAL unit.
func (a *Assembler) End() {
	if !a.open {
		return
	}
	a.open = false
	nalu := a.buf[a.start+lengthSize:]
	if !a.keep(nalu) {
		a.buf = a.buf[:a.start]
		return
	}
	binary.BigEndian.PutUint32(a.buf[a.start:], uint32(len(nalu)))
}

// NALU adds a whole NAL unit.
func (a *Assembler) NALU(nalu []byte) {
	a.Begin()
	a.Append(nalu...)
	a.End()
}

// keep looks at a whole NAL unit and decides whether it belongs in the
// payload.
func (a *Assembler) keep(nalu []byte) bool {
	if len(nalu) == 0 {
		return false
	}
	if a.h264 {
		switch t := h264Type(nalu); {
		case t == h264SPS, t == h264PPS:
			a.changed = a.Sets.Add(nalu) || a.changed
			return false
		case t == h264AUD, t == h264EndOfSeq, t == h264EndStream, t == h264Filler, t == 0, t > 23:
			return false
		case t <= h264IDR:
			a.vcl = true
			a.key = a.key || t == h264IDR
		}
		return true
	}
	if len(nalu) < 2 {
		return false
	}
	switch t := h265Type(nalu); {
	case t == h265VPS, t == h265SPS, t == h265PPS:
		a.changed = a.Sets.Add(nalu) || a.changed
		return false
	case t == h265AUD, t == h265EndOfSeq, t == h265EndStream, t == h265Filler, t >= 48:
		return false
	case t < h265FirstNVCL:
		a.vcl = true
		a.key = a.key || h265FirstIRAP <= t && t <= h265LastIRAP
	}
	return true
}

// Empty reports whether nothing was added since the last Take or Reset.
func (a *Assembler) Empty() bool { return len(a.buf) == 0 && !a.open }

// Reset forgets the access unit, not the sets.
func (a *Assembler) Reset() {
	a.buf, a.open, a.vcl, a.key, a.tooBig = a.buf[:0], false, false, false, false
}

// Take returns the access unit and whether a decoder can start at it, and
// begins the next. The payload is nil when there was no picture in it, or
// when it was too big.
func (a *Assembler) Take() (payload []byte, key bool) {
	a.End()
	if a.vcl && !a.tooBig {
		payload, key = make([]byte, len(a.buf)), a.key
		copy(payload, a.buf)
	}
	a.Reset()
	return payload, key
}

// SetsChanged reports whether the parameter sets have changed since the last
// call.
func (a *Assembler) SetsChanged() bool {
	c := a.changed
	a.changed = false
	return c
}

// SplitNALUs calls yield with each NAL unit of a payload with 4-byte lengths,
// and reports whether the payload was whole.
func SplitNALUs(payload []byte, yield func(nalu []byte)) bool {
	for len(payload) > 0 {
		if len(payload) < lengthSize {
			return false
		}
		n := binary.BigEndian.Uint32(payload)
		payload = payload[lengthSize:]
		if uint64(n) > uint64(len(payload)) {
			return false
		}
		yield(payload[:n])
		payload = payload[n:]
	}
	return true
}
