package libav

import "github.com/millrace/millrace/internal/media"

// av1Box makes the av1C box (AV1-ISOBMFF, 2.3) of the sequence header that
// encoders give; nil where there is none.
func av1Box(obus []byte, t *media.Track) []byte {
	header := sequenceHeader(obus)
	if header == nil {
		return nil
	}
	b := bits{data: header}
	profile := b.read(3)
	level, tier := b.operatingPoint()
	if b.short {
		return nil
	}
	var pixels byte
	if t.BitDepth > 8 {
		pixels |= 1 << 6
	}
	if t.BitDepth > 10 {
		pixels |= 1 << 5
	}
	switch t.Chroma {
	case "4:4:4":
	case "4:2:2":
		pixels |= 1 << 3
	default:
		pixels |= 1<<3 | 1<<2
	}
	return append([]byte{0x81, byte(profile<<5 | level), byte(tier<<7) | pixels, 0}, obus...)
}

// sequenceHeader finds the payload of the first sequence header OBU (AV1,
// 5.3).
func sequenceHeader(obus []byte) []byte {
	for len(obus) > 1 {
		head, rest := obus[0], obus[1:]
		if head&4 != 0 {
			if len(rest) == 0 {
				return nil
			}
			rest = rest[1:]
		}
		size := len(rest)
		if head&2 != 0 {
			var ok bool
			if size, rest, ok = leb128(rest); !ok || size > len(rest) {
				return nil
			}
		}
		if head>>3&15 == 1 {
			return rest[:size]
		}
		obus = rest[size:]
	}
	return nil
}

func leb128(b []byte) (n int, rest []byte, ok bool) {
	for i := 0; i < len(b) && i < 4; i++ {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}

// bits reads from the highest bit of each byte on.
type bits struct {
	data  []byte
	at    int
	short bool // more was read than there is
}

func (b *bits) read(n int) (v uint) {
	for range n {
		if b.at/8 >= len(b.data) {
			b.short = true
			return 0
		}
		v = v<<1 | uint(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

func (b *bits) skip(n int) { b.at += n }

// skipUVLC passes a number of variable length.
func (b *bits) skipUVLC() {
	zeros := 0
	for b.read(1) == 0 && !b.short {
		zeros++
	}
	if zeros < 32 {
		b.skip(zeros)
	}
}

// operatingPoint reads on, after the profile, to the level and tier of the
// first operating point (AV1, 5.5.1).
func (b *bits) operatingPoint() (level, tier uint) {
	b.skip(1) // still_picture
	if b.read(1) == 1 {
		return b.read(5), 0 // reduced_still_picture_header
	}
	if b.read(1) == 1 { // timing_info_present_flag
		b.skip(64)
		if b.read(1) == 1 {
			b.skipUVLC()
		}
		if b.read(1) == 1 { // decoder_model_info_present_flag
			b.skip(5 + 32 + 5 + 5)
		}
	}
	b.skip(1 + 5 + 12) // initial_display_delay_present_flag, count, idc
	if level = b.read(5); level > 7 {
		tier = b.read(1)
	}
	return level, tier
}
