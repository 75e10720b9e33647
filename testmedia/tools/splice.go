package tools

import (
	"encoding/binary"
	"os"
	"testing"
	"time"
)

// Splice is a splice_info_section of SCTE 35 and where it stands in a stream.
type Splice struct {
	At      time.Duration // behind the first picture, by the times of pictures in the file
	Section []byte
}

// tsPacket is the size of a packet of a transport stream; ffmpeg's muxer gives
// its program map and its picture these PIDs.
const (
	tsPacket  = 188
	pidMap    = 0x1000
	pidVideo  = 0x100
	pidSplice = 0x1f0
)

// SpliceFile returns the content of a transport stream that ffmpeg wrote, with
// splices in it.
func SpliceFile(t testing.TB, file string, splices ...Splice) []byte {
	t.Helper()
	in, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	first, counter := int64(-1), byte(0)
	for ; len(in) >= tsPacket; in = in[tsPacket:] {
		p := in[:tsPacket]
		start := p[1]&0x40 != 0
		switch binary.BigEndian.Uint16(p[1:]) & 0x1fff {
		case pidMap:
			p = withSplices(p)
		case pidVideo:
			if pts, ok := packetPTS(p); start && ok {
				if first < 0 {
					first = pts
				}
				for len(splices) > 0 && pts-first >= int64(splices[0].At)*9/1e5 {
					out = append(out, sectionPacket(pidSplice, counter, splices[0].Section)...)
					splices, counter = splices[1:], (counter+1)&0x0f
				}
			}
		}
		out = append(out, p...)
	}
	if len(splices) > 0 {
		t.Fatalf("%s ends before the splice at %v", file, splices[0].At)
	}
	return out
}

// FirstPTS is the presentation time of the first picture of such a stream, in
// ticks of 90 kHz.
func FirstPTS(content []byte) int64 {
	for ; len(content) >= tsPacket; content = content[tsPacket:] {
		if binary.BigEndian.Uint16(content[1:])&0x5fff == 0x4000|pidVideo {
			if pts, ok := packetPTS(content[:tsPacket]); ok {
				return pts
			}
		}
	}
	return 0
}

// packetPTS reads the time of a PES packet that begins in a packet.
func packetPTS(p []byte) (int64, bool) {
	at := 4
	if p[3]&0x20 != 0 {
		at += 1 + int(p[4])
	}
	if at+14 > tsPacket || p[at+7]&0x80 == 0 {
		return 0, false
	}
	b := p[at+9:]
	return int64(b[0]>>1&7)<<30 | int64(binary.BigEndian.Uint16(b[1:])>>1)<<15 | int64(binary.BigEndian.Uint16(b[3:])>>1), true
}

// withSplices adds a stream of SCTE 35 to a packet with a whole program map.
func withSplices(p []byte) []byte {
	const head = 5 // up to the section
	n := 3 + int(binary.BigEndian.Uint16(p[head+1:])&0x0fff)
	section := append([]byte(nil), p[head:head+n-4]...)
	section = append(section, 0x86, 0xe0|pidSplice>>8, pidSplice&0xff, 0xf0, 0)
	return append(append([]byte(nil), p[:4]...), sectionPacket(pidMap, p[3], closed(section))[4:]...)
}

// closed sets a section's length and ends it with its CRC.
func closed(section []byte) []byte {
	n := len(section) + 4 - 3
	section[1], section[2] = section[1]&0xf0|byte(n>>8), byte(n)
	c := ^uint32(0)
	for _, b := range section {
		c ^= uint32(b) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
	}
	return binary.BigEndian.AppendUint32(section, c)
}

// sectionPacket is a packet with one section.
func sectionPacket(pid uint16, counter byte, section []byte) []byte {
	p := append([]byte{0x47, 0x40 | byte(pid>>8), byte(pid), 0x10 | counter&0x0f, 0}, section...)
	for len(p) < tsPacket {
		p = append(p, 0xff)
	}
	return p
}

// SpliceInsert makes a splice_insert command: out of the network or back into
// it, at a time of 90 kHz. Of a break that is to last so long, 0 for not said,
// it says so, and that it ends by itself.
func SpliceInsert(event uint32, out bool, pts, length int64) []byte {
	b := []byte{0xfc, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xf0, 0, 0x05}
	body := len(b)
	b = binary.BigEndian.AppendUint32(b, event)
	flags := byte(0x4f)
	if out {
		flags |= 0x80
	}
	if length > 0 {
		flags |= 0x20
	}
	b = append(b, 0x7f, flags, 0xfe|byte(pts>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(pts))
	if length > 0 {
		b = append(b, 0xfe|byte(length>>32))
		b = binary.BigEndian.AppendUint32(b, uint32(length))
	}
	b = append(b, 0, 1, 0, 0) // unique_program_id, avail_num, avails_expected
	b[12] = byte(len(b) - body)
	return closed(append(b, 0, 0)) // no descriptors
}
