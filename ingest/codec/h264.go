package codec

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

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
	var sps h264.SPS
	if err := sps.Unmarshal(s.sps[0].nalu); err != nil {
		return err
	}
	w, h := sps.Width(), sps.Height()
	if err := plausibleSize(w, h); err != nil {
		return err
	}
	t.Width, t.Height = w, h
	t.Interlaced = !sps.FrameMbsOnlyFlag
	t.BitDepth = int(sps.BitDepthLumaMinus8) + 8
	t.Chroma = chromaName(h264Chroma(&sps))
	t.SampleAspect = media.Rational{}
	if v := sps.VUI; v != nil {
		if v.AspectRatioInfoPresentFlag {
			t.SampleAspect = sampleAspect(v.AspectRatioIdc, v.SarWidth, v.SarHeight)
		}
		if ti := v.TimingInfo; ti != nil {
			if r := frameRate(uint64(ti.TimeScale), 2*uint64(ti.NumUnitsInTick)); r.Known() {
				t.FrameRate = r
			}
		}
	}
	t.Config = s.avcC(&sps)
	return nil
}

// h264Chroma is chroma_format_idc, which is 1 where the profile has no field
// for it.
func h264Chroma(sps *h264.SPS) uint32 {
	if !h264High(sps.ProfileIdc) {
		return 1
	}
	return sps.ChromaFormatIdc
}

// h264High reports whether the SPS of a profile carries chroma format and bit
// depth: 7.3.2.1.1.
func h264High(profile uint8) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// avcC builds the AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3.1.
func (s *Sets) avcC(sps *h264.SPS) []byte {
	first := s.sps[0].nalu
	b := []byte{1, first[1], first[2], first[3], 0xfc | 3, 0xe0 | byte(len(s.sps))}
	b = appendSets(b, s.sps)
	b = append(b, byte(len(s.pps)))
	b = appendSets(b, s.pps)
	switch first[1] {
	case 100, 110, 122, 144:
		b = append(b, 0xfc|byte(h264Chroma(sps)), 0xf8|byte(sps.BitDepthLumaMinus8), 0xf8|byte(sps.BitDepthChromaMinus8), 0)
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
	var sps h264.SPS
	if len(s.sps) == 0 || sps.Unmarshal(s.sps[0].nalu) != nil {
		return -1
	}
	intra := sps.ConstraintSet3Flag && h264High(sps.ProfileIdc) // A.2.8 and following
	switch {
	case sps.PicOrderCntType == 2, // output order is decode order: 8.2.1.3
		sps.ProfileIdc == 66, // Baseline has no B slices: A.2.1
		intra:
		return 0
	case sps.VUI != nil && sps.VUI.BitstreamRestriction != nil:
		return min(int(sps.VUI.BitstreamRestriction.MaxNumReorderFrames), 16)
	}
	return -1
}
