package codec

import (
	"errors"

	"github.com/millrace/millrace/internal/media"
)

// OBU types, AV1 6.2.2.
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuFrame             = 6
	obuTileList          = 8
	obuPadding           = 15
)

var errOBU = errors.New("open bitstream unit is broken")

// AV1Unit puts a temporal unit together as fMP4 stores it ("AV1 Codec ISO
// Media File Format Binding" 2.4): OBUs with their sizes, without temporal
// delimiters and padding. It returns the sequence header, if there is one,
// likewise, and whether a decoder can start here. The payload is nil when
// there is no frame in it.
func AV1Unit(obus [][]byte) (payload, sequence []byte, key bool, err error) {
	frame := false
	for _, obu := range obus {
		if len(obu) == 0 {
			continue
		}
		body, size, err := splitOBU(obu)
		if err != nil {
			return nil, nil, false, err
		}
		switch t := obu[0] >> 3 & 0xf; t {
		case obuTemporalDelimiter, obuTileList, obuPadding:
			continue
		case obuFrame, obuFrameHeader:
			if !frame {
				frame = true
				// show_existing_frame and frame_type, 5.9.2
				key = len(body) > 0 && body[0]>>5 == 0
			}
		case obuSequenceHeader:
			sequence = appendOBU(nil, obu[:size], body)
		}
		payload = appendOBU(payload, obu[:size], body)
	}
	if !frame || len(payload) > MaxAccessUnit {
		return nil, sequence, false, nil
	}
	return payload, sequence, key && sequence != nil, nil
}

// splitOBU returns what an OBU holds, and the length of its header without
// the size field.
func splitOBU(obu []byte) (body []byte, header int, err error) {
	header = 1
	if obu[0]&0x80 != 0 {
		return nil, 0, errOBU
	}
	if obu[0]&4 != 0 { // extension
		header = 2
	}
	if len(obu) < header {
		return nil, 0, errOBU
	}
	body = obu[header:]
	if obu[0]&2 == 0 {
		return body, header, nil
	}
	n, used := leb128(body)
	if used == 0 || n > len(body)-used {
		return nil, 0, errOBU
	}
	return body[used : used+n], header, nil
}

// leb128 reads a size, 4.10.5. used is 0 when it is broken.
func leb128(b []byte) (n, used int) {
	for i := range min(len(b), 4) { // more would be beyond MaxAccessUnit
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return n, i + 1
		}
	}
	return 0, 0
}

// appendOBU writes an OBU with its size.
func appendOBU(b, header, body []byte) []byte {
	b = append(b, header[0]|2)
	b = append(b, header[1:]...)
	n := len(body)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	b = append(b, byte(n))
	return append(b, body...)
}

// SplitOBUs takes a temporal unit apart again, into OBUs without size fields,
// as RTP carries them. It returns nil when the payload is not whole.
func SplitOBUs(payload []byte) [][]byte {
	var obus [][]byte
	for len(payload) > 0 {
		body, header, err := splitOBU(payload)
		if err != nil || payload[0]&2 == 0 {
			return nil
		}
		obu := append(make([]byte, 0, header+len(body)), payload[:header]...)
		obu[0] &^= 2
		obus = append(obus, append(obu, body...))
		_, used := leb128(payload[header:])
		payload = payload[header+used+len(body):]
	}
	return obus
}

// DescribeAV1 fills the parameters of t from a sequence header as AV1Unit
// returns it.
func DescribeAV1(t *media.Track, sequence []byte) error {
	if len(sequence) == 0 {
		return errOBU
	}
	body, _, err := splitOBU(sequence)
	if err != nil {
		return err
	}
	s, err := parseSequenceAV1(body)
	if err != nil {
		return err
	}
	t.Width, t.Height, t.BitDepth, t.Chroma = s.width, s.height, s.depth, s.chroma()
	if s.rate.Known() {
		t.FrameRate = s.rate
	}
	// AV1CodecConfigurationRecord, binding 2.3.3
	flag := func(on bool, shift int) byte {
		if on {
			return 1 << shift
		}
		return 0
	}
	t.Config = append([]byte{
		0x81,
		byte(s.profile<<5 | s.level),
		byte(s.tier<<7) | flag(s.depth > 8, 6) | flag(s.depth == 12, 5) | flag(s.mono, 4) |
			flag(s.subX, 3) | flag(s.subY, 2) | byte(s.position),
		0,
	}, sequence...)
	return nil
}

// sequenceAV1 is what we want to know of a sequence header, 5.5.
type sequenceAV1 struct {
	profile, level, tier uint32
	width, height        int
	depth                int
	mono, subX, subY     bool
	position             uint32
	rate                 media.Rational
}

func (s *sequenceAV1) chroma() string {
	switch {
	case s.mono:
		return "4:0:0"
	case s.subX && s.subY:
		return "4:2:0"
	case s.subX:
		return "4:2:2"
	}
	return "4:4:4"
}

func parseSequenceAV1(b []byte) (*sequenceAV1, error) {
	r := &bitReader{b: b}
	s := &sequenceAV1{depth: 8}
	s.profile = r.bits(3)
	r.skip(1)
	reduced := r.flag()
	if reduced {
		s.level = r.bits(5)
	} else {
		s.operatingPoints(r)
	}
	w, h := int(r.bits(4))+1, int(r.bits(4))+1
	s.width, s.height = int(r.bits(w))+1, int(r.bits(h))+1
	if !reduced && r.flag() { // frame_id_numbers_present_flag
		r.skip(7)
	}
	r.skip(3)
	if !reduced {
		r.toolsAV1()
	}
	r.skip(3)
	s.colours(r)
	if r.over || s.profile > 2 {
		return nil, errOBU
	}
	return s, plausibleSize(s.width, s.height)
}

// operatingPoints reads timing, decoder model and operating points; the first
// point counts.
func (s *sequenceAV1) operatingPoints(r *bitReader) {
	model, delayBits := false, 0
	if r.flag() { // timing_info_present_flag
		units, scale := uint64(r.bits(32)), uint64(r.bits(32))
		if r.flag() { // equal_picture_interval
			s.rate = frameRate(scale, units*(uint64(r.ue())+1)) // uvlc is coded like ue(v)
		}
		if model = r.flag(); model {
			delayBits = int(r.bits(5)) + 1
			r.skip(32 + 10)
		}
	}
	display := r.flag()
	for i := range int(r.bits(5)) + 1 {
		r.skip(12)
		level, tier := r.bits(5), uint32(0)
		if level > 7 {
			tier = r.bit()
		}
		if i == 0 {
			s.level, s.tier = level, tier
		}
		if model && r.flag() {
			r.skip(2*delayBits + 1)
		}
		if display && r.flag() {
			r.skip(4)
		}
	}
}

// toolsAV1 passes over the coding tools.
func (r *bitReader) toolsAV1() {
	r.skip(4)
	order := r.flag()
	if order {
		r.skip(2)
	}
	screen := uint32(2)
	if !r.flag() {
		screen = r.bit()
	}
	if screen > 0 && !r.flag() {
		r.skip(1)
	}
	if order {
		r.skip(3)
	}
}

// colours reads color_config, 5.5.2.
func (s *sequenceAV1) colours(r *bitReader) {
	if r.flag() {
		s.depth = 10
		if s.profile == 2 && r.flag() {
			s.depth = 12
		}
	}
	s.mono = s.profile != 1 && r.flag()
	var primaries, transfer, matrix uint32 = 2, 2, 2
	if r.flag() {
		primaries, transfer, matrix = r.bits(8), r.bits(8), r.bits(8)
	}
	switch {
	case s.mono:
		r.skip(1)
		s.subX, s.subY = true, true
		return
	case primaries == 1 && transfer == 13 && matrix == 0: // sRGB
		return
	}
	r.skip(1)
	switch {
	case s.profile == 0:
		s.subX, s.subY = true, true
	case s.profile == 1:
	case s.depth == 12:
		s.subX = r.flag()
		s.subY = s.subX && r.flag()
	default:
		s.subX = true
	}
	if s.subX && s.subY {
		s.position = r.bits(2)
	}
}
