package libav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

var errNAL = errors.New("broken NAL units")

// splitAnnexB yields the NAL units between start codes (ITU-T H.264, B.1).
func splitAnnexB(b []byte) [][]byte {
	var units [][]byte
	start := -1
	for i := 0; i+2 < len(b); {
		j := bytes.IndexByte(b[i+2:], 1)
		if j < 0 {
			break
		}
		i += j // b[i+2] is 1
		if b[i] != 0 || b[i+1] != 0 {
			i++
			continue
		}
		if start >= 0 {
			units = append(units, bytes.TrimRight(b[start:i], "\x00"))
		}
		start = i + 3
		i = start
	}
	if start >= 0 {
		units = append(units, bytes.TrimRight(b[start:], "\x00"))
	}
	return units
}

// splitLengths yields the NAL units after lengths of size bytes each.
func splitLengths(b []byte, size int) ([][]byte, error) {
	var units [][]byte
	for len(b) > 0 {
		if len(b) < size {
			return units, errNAL
		}
		n := 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		if n > len(b)-size {
			return units, errNAL
		}
		units = append(units, b[size:size+n])
		b = b[size+n:]
	}
	return units, nil
}

// joinLengths writes NAL units as fMP4 stores them.
func joinLengths(units [][]byte) []byte {
	n := 0
	for _, u := range units {
		n += 4 + len(u)
	}
	b := make([]byte, 0, n)
	for _, u := range units {
		b = binary.BigEndian.AppendUint32(b, uint32(len(u)))
		b = append(b, u...)
	}
	return b
}

// The NAL unit types that matter here (H.264 table 7-1, H.265 table 7-1).
const (
	h264SPS, h264PPS, h264AUD            = 7, 8, 9
	h265VPS, h265SPS, h265PPS, h265AUD   = 32, 33, 34, 35
	h264Filler, h265Filler               = 12, 38
	h264EndOfSequence, h264EndOfStream   = 10, 11
	h265EndOfSequence, h265EndOfBitstrem = 36, 37
)

// parameterSets are the sets of an H.264 or H.265 track, as they are in its
// configuration.
type parameterSets struct {
	codec         media.Codec
	vps, sps, pps [][]byte
	lengthSize    int // in the container's packets; 0 for Annex B
}

// unitKind tells what to do with a NAL unit.
type unitKind uint8

const (
	unitMedia unitKind = iota
	unitVPS
	unitSPS
	unitPPS
	unitNoise // means nothing inside fMP4
)

func (s *parameterSets) kind(u []byte) unitKind {
	if len(u) == 0 {
		return unitNoise
	}
	if s.codec == media.H264 {
		switch u[0] & 31 {
		case h264SPS:
			return unitSPS
		case h264PPS:
			return unitPPS
		case h264AUD, h264Filler, h264EndOfSequence, h264EndOfStream:
			return unitNoise
		}
		return unitMedia
	}
	switch u[0] >> 1 & 63 {
	case h265VPS:
		return unitVPS
	case h265SPS:
		return unitSPS
	case h265PPS:
		return unitPPS
	case h265AUD, h265Filler, h265EndOfSequence, h265EndOfBitstrem:
		return unitNoise
	}
	return unitMedia
}

// split divides one packet as the container stores it.
func (s *parameterSets) split(b []byte) ([][]byte, error) {
	if s.lengthSize == 0 {
		return splitAnnexB(b), nil
	}
	return splitLengths(b, s.lengthSize)
}

// parse reads the container's configuration: avcC, hvcC or Annex B.
func (s *parameterSets) parse(extra []byte) error {
	switch {
	case len(extra) == 0:
		return nil
	case extra[0] != 1:
		for _, u := range splitAnnexB(extra) {
			s.add(u)
		}
		return nil
	case s.codec == media.H264:
		return s.parseAVCC(extra)
	}
	return s.parseHVCC(extra)
}

// parseAVCC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
func (s *parameterSets) parseAVCC(b []byte) error {
	if len(b) < 7 {
		return fmt.Errorf("avcC of %d bytes: %w", len(b), ErrCorrupt)
	}
	s.lengthSize = int(b[4]&3) + 1
	n, b := int(b[5]&31), b[6:]
	for part := 0; part < 2; part++ {
		for ; n > 0; n-- {
			u, rest, ok := counted(b)
			if !ok {
				return fmt.Errorf("avcC: %w", ErrCorrupt)
			}
			s.add(u)
			b = rest
		}
		if part == 0 && len(b) > 0 {
			n, b = int(b[0]), b[1:]
		}
	}
	return nil
}

// parseHVCC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).
func (s *parameterSets) parseHVCC(b []byte) error {
	if len(b) < 23 {
		return fmt.Errorf("hvcC of %d bytes: %w", len(b), ErrCorrupt)
	}
	s.lengthSize = int(b[21]&3) + 1
	arrays, b := int(b[22]), b[23:]
	for ; arrays > 0; arrays-- {
		if len(b) < 3 {
			return fmt.Errorf("hvcC: %w", ErrCorrupt)
		}
		n := int(binary.BigEndian.Uint16(b[1:]))
		b = b[3:]
		for ; n > 0; n-- {
			u, rest, ok := counted(b)
			if !ok {
				return fmt.Errorf("hvcC: %w", ErrCorrupt)
			}
			s.add(u)
			b = rest
		}
	}
	return nil
}

func counted(b []byte) (u, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > len(b)-2 {
		return nil, nil, false
	}
	return b[2 : 2+n], b[2+n:], true
}

// add takes in a parameter set that is not there yet.
func (s *parameterSets) add(u []byte) {
	list := map[unitKind]*[][]byte{unitVPS: &s.vps, unitSPS: &s.sps, unitPPS: &s.pps}[s.kind(u)]
	if list != nil && len(*list) < mostSets && !contains(*list, u) {
		*list = append(*list, bytes.Clone(u))
	}
}

// mostSets of one kind are kept. Real streams have one or two; configurations
// count PPS in 8 bits and SPS in 5.
const mostSets = 31

// replace takes in the sets of one access unit, which take the place of all
// sets of their kind, and reports whether anything changed.
func (s *parameterSets) replace(units [][]byte) bool {
	fresh := parameterSets{codec: s.codec}
	for _, u := range units {
		fresh.add(u)
	}
	changed := false
	for _, p := range []struct{ have, got *[][]byte }{{&s.vps, &fresh.vps}, {&s.sps, &fresh.sps}, {&s.pps, &fresh.pps}} {
		for _, u := range *p.got {
			if !contains(*p.have, u) {
				*p.have, changed = *p.got, true
				break
			}
		}
	}
	return changed
}

func contains(list [][]byte, u []byte) bool {
	for _, known := range list {
		if bytes.Equal(known, u) {
			return true
		}
	}
	return false
}

// config writes avcC or hvcC with 4-byte lengths; nil while sets are missing.
func (s *parameterSets) config(t *media.Track) []byte {
	if len(s.sps) == 0 || len(s.pps) == 0 || len(s.sps[0]) < 4 {
		return nil
	}
	if s.codec == media.H264 {
		return s.avcC(t)
	}
	if len(s.vps) == 0 {
		return nil
	}
	return s.hvcC(t)
}

func (s *parameterSets) avcC(t *media.Track) []byte {
	sps := s.sps[0]
	b := []byte{1, sps[1], sps[2], sps[3], 0xff, 0xe0 | byte(len(s.sps)&31)}
	b = appendCounted(b, s.sps)
	b = append(b, byte(len(s.pps)))
	b = appendCounted(b, s.pps)
	switch sps[1] {
	case 100, 110, 122, 144:
		b = append(b, 0xfc|chromaFormat(t.Chroma), 0xf8|depthMinus8(t), 0xf8|depthMinus8(t), 0)
	}
	return b
}

func (s *parameterSets) hvcC(t *media.Track) []byte {
	// The profile, tier and level stand at a fixed place of the SPS: after two
	// bytes of NAL header and one of ids (H.265, 7.3.2.2.1 and 7.3.3).
	sps := unescape(s.sps[0])
	if len(sps) < 15 {
		return nil
	}
	temporal := sps[2]>>1&7 + 1
	nested := sps[2] & 1
	b := append([]byte{1}, sps[3:15]...)
	b = append(b, 0xf0, 0, 0xfc, 0xfc|chromaFormat(t.Chroma), 0xf8|depthMinus8(t), 0xf8|depthMinus8(t),
		0, 0, temporal<<3|nested<<2|3, 3)
	for _, a := range []struct {
		kind  byte
		units [][]byte
	}{{h265VPS, s.vps}, {h265SPS, s.sps}, {h265PPS, s.pps}} {
		b = append(b, 0x80|a.kind, 0, byte(len(a.units)))
		b = appendCounted(b, a.units)
	}
	return b
}

func appendCounted(b []byte, units [][]byte) []byte {
	for _, u := range units {
		b = binary.BigEndian.AppendUint16(b, uint16(len(u)))
		b = append(b, u...)
	}
	return b
}

func chromaFormat(chroma string) byte {
	switch chroma {
	case "4:2:2":
		return 2
	case "4:4:4":
		return 3
	}
	return 1
}

func depthMinus8(t *media.Track) byte { return byte(max(t.BitDepth-8, 0) & 7) }

// unescape removes the emulation prevention bytes of a NAL unit.
func unescape(u []byte) []byte {
	out := make([]byte, 0, len(u))
	zeros := 0
	for _, c := range u {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}
