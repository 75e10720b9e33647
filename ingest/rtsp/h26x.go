package rtsp

import (
	"bytes"
	"encoding/binary"

	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// RTP payload structures of H.264 (RFC 6184 table 1) and H.265 (RFC 7798 4.4).
const (
	h264STAPA = 24
	h264FUA   = 28

	h265AP   = 48
	h265FU   = 49
	h265PACI = 50
)

// h26x takes access units of H.264 or H.265 out of RTP packets. (gortsplib has
// decoders too, but theirs deliver a unit that lost one of its slices like any
// other, stamp units without a marker with the next one's time, and copy each
// fragment once more.)
//
// A unit ends with the marker bit, or, for senders that do not set it, with
// the next timestamp. One that misses a packet is dropped.
type h26x struct {
	asm     *codec.Assembler
	h264    bool
	ts      uint32 // of the open unit
	open    bool
	damaged bool
	inFU    bool   // a fragmented NAL unit is open
	annexB  bool   // the sender wraps NAL units in start codes
	set     []byte // a fragmented parameter set, with what may be glued to it
	inSet   bool

	unit func(ts uint32, payload []byte, key bool)
	drop func() // a damaged unit was dropped
}

func newH26x(c media.Codec, unit func(ts uint32, payload []byte, key bool), drop func()) *h26x {
	return &h26x{asm: codec.NewAssembler(c), h264: c == media.H264, unit: unit, drop: drop}
}

// feed takes the next packet in order; lost says that packets before it are
// missing.
func (d *h26x) feed(p *rtp.Packet, lost bool) {
	starts := d.startsUnit(p.Payload)
	if d.open && p.Timestamp != d.ts {
		// No marker came. Behind a loss the end may be missing.
		d.damaged = d.damaged || lost || d.inFU
		d.flush()
		lost = lost && !starts
	}
	if !d.open {
		d.open, d.ts, d.damaged, d.inFU = true, p.Timestamp, lost && !starts, false
	} else if lost {
		d.damaged = true
	}
	if !d.add(p.Payload) {
		d.damaged = true
	}
	if p.Marker {
		d.damaged = d.damaged || d.inFU
		d.flush()
	}
}

func (d *h26x) flush() {
	d.open, d.inFU = false, false
	if d.damaged {
		d.asm.Reset()
		d.drop()
		return
	}
	if payload, key := d.asm.Take(); payload != nil {
		d.unit(d.ts, payload, key)
	}
}

// add takes one RTP payload apart and reports whether it was sound.
func (d *h26x) add(b []byte) bool {
	if d.h264 {
		return d.addH264(b)
	}
	return d.addH265(b)
}

func (d *h26x) addH264(b []byte) bool {
	if len(b) < 1 {
		return true // padding
	}
	switch t := b[0] & 0x1f; {
	case bytes.HasPrefix(b, startCode):
		return d.single(b)
	case t == h264FUA:
		if len(b) < 2 {
			return false
		}
		return d.fragment(b[1]&0x80 != 0, b[1]&0x40 != 0, b[2:], b[0]&0xe0|b[1]&0x1f)
	case t == h264STAPA:
		return d.aggregate(b[1:])
	case 1 <= t && t <= 23:
		return d.single(b)
	}
	return false
}

func (d *h26x) addH265(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 0
	}
	switch t := b[0] >> 1 & 0x3f; {
	case bytes.HasPrefix(b, startCode):
		return d.single(b)
	case t == h265FU:
		if len(b) < 3 {
			return false
		}
		return d.fragment(b[2]&0x80 != 0, b[2]&0x40 != 0, b[3:], b[0]&0x81|b[2]&0x3f<<1, b[1])
	case t == h265AP:
		return d.aggregate(b[2:])
	case t < h265AP:
		return d.single(b)
	}
	return false
}

// single adds a NAL unit that has a packet of its own.
func (d *h26x) single(b []byte) bool {
	ok := !d.inFU
	d.inFU = false
	d.whole(b)
	return ok
}

// aggregate adds the NAL units of one packet, each behind a 2-byte length.
func (d *h26x) aggregate(b []byte) bool {
	ok := !d.inFU
	d.inFU = false
	for len(b) >= 2 {
		n := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if n == 0 {
			return ok && len(bytes.Trim(b, "\x00")) == 0 // padding
		}
		if n > len(b) {
			return false
		}
		d.whole(b[:n])
		b = b[n:]
	}
	return ok && len(b) == 0
}

// fragment adds a part of a NAL unit; header is the unit's own.
func (d *h26x) fragment(start, end bool, b []byte, header ...byte) bool {
	ok := true
	if start {
		ok = !d.inFU
		d.inFU, d.inSet = true, d.isFirstSet(header)
		if d.inSet {
			d.set = append(d.set[:0], header...)
		} else {
			d.asm.Begin()
			d.asm.Append(header...)
		}
	}
	switch {
	case !d.inFU:
		return false
	case !d.inSet:
		d.asm.Append(b...)
	case len(d.set)+len(b) > codec.MaxAccessUnit:
		return false
	default:
		d.set = append(d.set, b...)
	}
	if !end {
		return ok
	}
	d.inFU = false
	if d.inSet {
		d.whole(d.set)
		d.set = nil
	} else {
		d.asm.End()
	}
	return ok
}

// isFirstSet reports whether a NAL unit is the parameter set that comes first.
func (d *h26x) isFirstSet(nalu []byte) bool {
	if d.h264 {
		return nalu[0]&0x1f == 7
	}
	return nalu[0]>>1&0x3f == 32
}

var startCode = []byte{0, 0, 0, 1}

// whole adds a NAL unit, or several with start codes between them, which some
// cameras send as one.
func (d *h26x) whole(b []byte) {
	if !d.annexB && !bytes.HasPrefix(b, startCode) && !d.glued(b) {
		d.asm.NALU(b)
		return
	}
	d.annexB = true
	for _, nalu := range bytes.Split(b, startCode) {
		if len(nalu) > 0 {
			d.asm.NALU(nalu)
		}
	}
}

// glued reports whether a parameter set is followed by another NAL unit: a
// start code cannot occur inside one.
func (d *h26x) glued(b []byte) bool { return d.isFirstSet(b) && bytes.Contains(b, startCode) }

// startsUnit reports whether a payload is certainly the first of an access
// unit: a delimiter, a parameter set, or the first slice of a picture.
func (d *h26x) startsUnit(b []byte) bool {
	if d.h264 {
		return startsH264(b)
	}
	return startsH265(b)
}

func startsH264(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	t, slice := b[0]&0x1f, b[1:]
	switch t {
	case h264FUA:
		if len(b) < 3 || b[1]&0x80 == 0 {
			return false
		}
		t, slice = b[1]&0x1f, b[2:]
	case h264STAPA:
		if len(b) < 5 {
			return false
		}
		t, slice = b[3]&0x1f, b[4:]
	}
	switch {
	case 6 <= t && t <= 9: // SEI, SPS, PPS, delimiter: 7.4.1.2.3
		return true
	case t == 1 || t == 2 || t == 5:
		return slice[0]&0x80 != 0 // first_mb_in_slice is 0
	}
	return false
}

func startsH265(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	t, slice := b[0]>>1&0x3f, b[2:]
	switch t {
	case h265FU:
		if len(b) < 4 || b[2]&0x80 == 0 {
			return false
		}
		t, slice = b[2]&0x3f, b[3:]
	case h265AP:
		if len(b) < 7 {
			return false
		}
		t, slice = b[4]>>1&0x3f, b[6:]
	}
	switch {
	case 32 <= t && t <= 35, t == 39: // parameter sets, delimiter, prefix SEI: 7.4.2.4.4
		return true
	case t < 32:
		return slice[0]&0x80 != 0 // first_slice_segment_in_pic_flag
	}
	return false
}
