package mpegts

import "encoding/binary"

var be = binary.BigEndian

const (
	packetSize  = 188
	headerSize  = 4
	packetRoom  = packetSize - headerSize
	syncByte    = 0x47
	clockRate   = 90000   // of PTS, DTS and the base of PCR
	wrap        = 1 << 33 // where they begin anew
	unstartedCC = 0x0f    // before the first packet of a PID
)

// elementary is a PID that is written to.
type elementary struct {
	pid     uint16
	counter uint8 // continuity_counter of its newest packet
}

// adaptation is what the first transport packet of a PES packet tells beside
// its payload (ISO/IEC 13818-1 §2.4.3.4).
type adaptation struct {
	pcr    int64 // ticks of 90 kHz, -1 for none
	random bool  // random_access_indicator
	breaks bool  // discontinuity_indicator
}

func (a *adaptation) size() int {
	switch {
	case a.pcr >= 0:
		return 8
	case a.random || a.breaks:
		return 2
	}
	return 0
}

// packer puts one PES packet, whose size is known, into transport packets.
type packer struct {
	b     []byte
	to    *elementary
	first adaptation // for the packet to come; then empty
	start bool       // payload_unit_start_indicator of the packet to come
	left  int        // bytes of the PES packet to come
	room  int        // in the packet that is open
}

// newPacker begins a PES packet of size bytes behind b.
func newPacker(b []byte, to *elementary, first adaptation, size int) packer {
	return packer{b: b, to: to, first: first, start: true, left: size}
}

func (p *packer) write(d []byte) {
	for len(d) > 0 {
		if p.room == 0 {
			p.open()
		}
		n := min(len(d), p.room)
		p.b = append(p.b, d[:n]...)
		d = d[n:]
		p.room -= n
		p.left -= n
	}
}

// open begins a transport packet. One that the rest does not fill is stuffed
// by its adaptation field.
func (p *packer) open() {
	field := p.first.size()
	field += max(packetRoom-field-p.left, 0)
	p.room = packetRoom - field
	p.to.counter = (p.to.counter + 1) & 0x0f
	p.b = appendHeader(p.b, p.to, p.start, true, field, &p.first)
	p.start, p.first = false, adaptation{pcr: -1}
}

// appendHeader writes a transport packet's header with an adaptation field of
// so many bytes, its length included.
func appendHeader(b []byte, to *elementary, start, payload bool, field int, a *adaptation) []byte {
	second, fourth := byte(to.pid>>8), to.counter
	if start {
		second |= 0x40
	}
	if payload {
		fourth |= 0x10
	}
	if field > 0 {
		fourth |= 0x20
	}
	b = append(b, syncByte, second, byte(to.pid), fourth)
	if field == 0 {
		return b
	}
	b = append(b, byte(field-1))
	if field == 1 {
		return b
	}
	var flags byte
	if a.breaks {
		flags |= 0x80
	}
	if a.random {
		flags |= 0x40
	}
	used := 2
	if a.pcr >= 0 {
		flags |= 0x10
		used = 8
	}
	b = append(b, flags)
	if a.pcr >= 0 { // 33 bits, 6 reserved, 9 of the extension, which is 0
		v := uint64(a.pcr%wrap)<<15 | 0x7e00
		b = append(b, byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	for ; used < field; used++ {
		b = append(b, 0xff)
	}
	return b
}

// appendClock writes a packet that has nothing but a PCR. The counter of its
// PID stands still (§2.4.3.3).
func appendClock(b []byte, to *elementary, pcr int64) []byte {
	return appendHeader(b, to, false, false, packetRoom, &adaptation{pcr: pcr})
}

// pesHeader is what stands before the payload of a PES packet (§2.4.3.6).
type pesHeader struct {
	streamID byte
	pts, dts int64 // 90 kHz; dts is left out where it equals pts
}

func (h *pesHeader) size() int {
	if h.pts == h.dts {
		return 14
	}
	return 19
}

// append writes the header of a PES packet with so many bytes behind it. Only
// video may be longer than the length field can tell.
func (h *pesHeader) append(b []byte, payload int) []byte {
	flags, stamps := byte(0x80), h.size()-9
	if h.pts != h.dts {
		flags = 0xc0
	}
	length := 3 + stamps + payload
	if length > 0xffff {
		length = 0
	}
	b = append(b, 0, 0, 1, h.streamID, byte(length>>8), byte(length), 0x84, flags, byte(stamps))
	if h.pts == h.dts {
		return appendStamp(b, 2, h.pts)
	}
	return appendStamp(appendStamp(b, 3, h.pts), 1, h.dts)
}

// appendStamp writes a PTS or DTS behind its four bits of mark.
func appendStamp(b []byte, mark byte, v int64) []byte {
	u := uint64(v % wrap)
	return append(b, mark<<4|byte(u>>29)&0x0e|1, byte(u>>22), byte(u>>14)|1, byte(u>>7), byte(u<<1)|1)
}
