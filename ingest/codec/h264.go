package codec

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// NAL unit types of H.264, table 7-1.
const (
	h264IDR       = 5
	h264SPS       = 7
	h264PPS       = 8
	h264AUD       = 9
	h264EndOfSeq  = 10
	h264EndStream = 11
	h264Filler    = 12
)

func h264Type(nalu []byte) int { return int(nalu[0] & 0x1f) }

// describeH264 fills t from the first SPS and makes the avcC.
func (s *Sets) describeH264(t *media.Track) error {
	sps, err := parseSPSH264(s.sps[0].nalu)
	if err != nil {
		return err
	}
	t.Width, t.Height = sps.width, sps.height
	t.Interlaced = sps.interlaced
	t.BitDepth = int(sps.luma8) + 8
	t.Chroma = chromaNames[sps.chroma]
	t.SampleAspect = sps.vui.aspect
	if sps.vui.rate.Known() {
		t.FrameRate = sps.vui.rate
	}
	t.Config = s.avcC(sps)
	return nil
}

// h264High reports whether the SPS of a profile carries chroma format and bit
// depth: 7.3.2.1.1.
func h264High(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// avcC builds the AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3.1.
func (s *Sets) avcC(sps *spsH264) []byte {
	first := s.sps[0].nalu
	b := []byte{1, first[1], first[2], first[3], 0xfc | 3, 0xe0 | byte(len(s.sps))}
	b = appendSets(b, s.sps)
	b = append(b, byte(len(s.pps)))
	b = appendSets(b, s.pps)
	switch sps.profile {
	case 100, 110, 122, 144:
		b = append(b, 0xfc|byte(sps.chroma), 0xf8|byte(sps.luma8), 0xf8|byte(sps.chroma8), 0)
	}
	return b
}

func appendSets(b []byte, list []set) []byte {
	for _, e := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.nalu)))
		b = append(b, e.nalu...)
	}
	return b
}

var errShort = errors.New("configuration is cut short")

func (s *Sets) parseAVCC(b []byte) error {
	if len(b) < 7 {
		return errShort
	}
	if b[0] != 1 || b[4]&3 != 3 {
		return fmt.Errorf("avcC version %d with %d-byte lengths", b[0], b[4]&3+1)
	}
	rest, err := s.takeSets(b[6:], int(b[5]&0x1f))
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return errShort
	}
	_, err = s.takeSets(rest[1:], int(rest[0]))
	return err
}

// takeSets adds n sets with 2-byte lengths and returns what follows.
func (s *Sets) takeSets(b []byte, n int) ([]byte, error) {
	for range n {
		if len(b) < 2 {
			return nil, errShort
		}
		size := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+size {
			return nil, errShort
		}
		s.Add(b[2 : 2+size])
		b = b[2+size:]
	}
	return b, nil
}

// reorderH264 is the number of pictures a decoder holds back, -1 unknown.
func (s *Sets) reorderH264() int {
	if len(s.sps) == 0 {
		return -1
	}
	sps, err := parseSPSH264(s.sps[0].nalu)
	if err != nil {
		return -1
	}
	intra := sps.constraints&0x10 != 0 && h264High(sps.profile) // constraint_set3_flag: A.2.8 and following
	if sps.pocType == 2 ||                                      // output order is decode order: 8.2.1.3
		sps.profile == 66 || // Baseline has no B slices: A.2.1
		intra {
		return 0
	}
	return sps.vui.reorder
}
