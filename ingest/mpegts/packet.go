package mpegts

import "bytes"

const (
	packetSize = 188
	syncByte   = 0x47
	pidPAT     = 0
	pidNull    = 0x1fff
)

// framer finds packets in bytes that come in pieces of any size.
type framer struct {
	rest   []byte // an unfinished packet
	synced bool
	packet func(p []byte) // of packetSize; valid during the call
	skip   func(n int)    // bytes that are no packets
}

// feed takes the next bytes.
func (f *framer) feed(b []byte) {
	if len(f.rest) > 0 {
		f.rest = append(f.rest, b...)
		b = f.rest
	}
	for len(b) >= packetSize {
		if b[0] != syncByte {
			f.synced = false
		}
		if !f.synced {
			n, found := findSync(b)
			if n > 0 {
				f.skip(n)
				b = b[n:]
			}
			if !found {
				break
			}
			f.synced = true
		}
		f.packet(b[:packetSize])
		b = b[packetSize:]
	}
	f.rest = append(f.rest[:0], b...)
}

// findSync returns how many bytes come before a packet that is followed by
// another one, or before what could still prove to be one.
func findSync(b []byte) (skip int, found bool) {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], syncByte)
		if n < 0 {
			return len(b), false
		}
		i += n
		if len(b) <= i+packetSize {
			return i, false
		}
		if b[i+packetSize] == syncByte {
			return i, true
		}
	}
}

// tsPacket is a packet's header, taken apart.
type tsPacket struct {
	pid           uint16
	start         bool // a PES packet or a section begins in it
	broken        bool // the demodulator says so
	scrambled     bool
	counter       byte
	discontinuity bool   // the counter may jump here
	payload       []byte // nil: none
}

// parsePacket reads one packet; ok is false where its lengths contradict.
func parsePacket(b []byte) (p tsPacket, ok bool) {
	p = tsPacket{
		pid:   uint16(b[1]&0x1f)<<8 | uint16(b[2]),
		start: b[1]&0x40 != 0, broken: b[1]&0x80 != 0,
		scrambled: b[3]&0xc0 != 0, counter: b[3] & 0x0f,
	}
	at := 4
	if b[3]&0x20 != 0 { // adaptation field
		n := int(b[4])
		if at += 1 + n; at > packetSize {
			return p, false
		}
		p.discontinuity = n > 0 && b[5]&0x80 != 0
	}
	if b[3]&0x10 != 0 && at < packetSize {
		p.payload = b[at:packetSize]
	}
	return p, true
}

// continuity watches the counter of one PID.
type continuity struct {
	last    byte
	begun   bool
	copied  bool // the packet before was a copy
	size    int
	payload [packetSize]byte // of the packet before, so much of it
}

// next says whether a packet with a payload is a copy of the one before, and
// how many are missing before it: none has more than one copy (ISO/IEC 13818-1
// §2.4.3.3). In tables, which some repeat without counting, more are harmless.
func (c *continuity) next(p *tsPacket, table bool) (copied bool, lost int) {
	switch {
	case !c.begun || p.discontinuity:
	case p.counter == c.last && (table || !c.copied) && bytes.Equal(p.payload, c.payload[:c.size]):
		c.copied = true
		return true, 0
	default:
		lost = int(p.counter-c.last-1) & 0x0f
	}
	c.last, c.begun, c.copied = p.counter, true, false
	c.size = copy(c.payload[:], p.payload)
	return false, lost
}
