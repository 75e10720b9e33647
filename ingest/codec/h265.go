package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/millrace/millrace/internal/media"
)

// NAL unit types of H.265, table 7-1.
const (
	h265FirstIRAP = 16
	h265LastIRAP  = 23
	h265FirstNVCL = 32
	h265VPS       = 32
	h265SPS       = 33
	h265PPS       = 34
	h265AUD       = 35
	h265EndOfSeq  = 36
	h265EndStream = 37
	h265Filler    = 38
)

func h265Type(nalu []byte) int { return int(nalu[0]>>1) & 0x3f }

// describeH265 fills t from the first SPS and makes the hvcC.
func (s *Sets) describeH265(t *media.Track) error {
	var sps h265.SPS
	if err := parseH265SPS(s.sps[0].nalu, &sps); err != nil {
		return err
	}
	w, h := sps.Width(), sps.Height()
	if err := plausibleSize(w, h); err != nil {
		return err
	}
	t.Width, t.Height = w, h
	ptl := &sps.ProfileTierLevel
	t.Interlaced = ptl.GeneralInterlacedSourceFlag && !ptl.GeneralProgressiveSourceFlag
	t.BitDepth = int(sps.BitDepthLumaMinus8) + 8
	t.Chroma = chromaName(sps.ChromaFormatIdc)
	t.SampleAspect = media.Rational{}
	if v := sps.VUI; v != nil {
		t.Interlaced = t.Interlaced || v.FieldSeqFlag
		if v.AspectRatioInfoPresentFlag {
			t.SampleAspect = sampleAspect(v.AspectRatioIdc, v.SarWidth, v.SarHeight)
		}
		if ti := v.TimingInfo; ti != nil {
			if r := frameRate(uint64(ti.TimeScale), uint64(ti.NumUnitsInTick)); r.Known() {
				t.FrameRate = r
			}
		}
	}
	t.Config = s.hvcC(&sps)
	return nil
}

// parseH265SPS rejects what would make the size computation run out of its
// tables.
func parseH265SPS(nalu []byte, sps *h265.SPS) error {
	if err := sps.Unmarshal(nalu); err != nil {
		return err
	}
	if sps.ChromaFormatIdc > 3 {
		return fmt.Errorf("chroma_format_idc %d", sps.ChromaFormatIdc)
	}
	return nil
}

// hvcC builds the HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 8.3.3.1.
func (s *Sets) hvcC(sps *h265.SPS) []byte {
	// The twelve bytes of general profile, tier and level stand in the SPS as
	// the record wants them.
	plain := h264.EmulationPreventionRemove(s.sps[0].nalu)
	b := append(make([]byte, 0, 256), 1)
	b = append(b, plain[3:15]...)
	layers := sps.MaxSubLayersMinus1 + 1
	nested := byte(0)
	if sps.TemporalIDNestingFlag {
		nested = 1
	}
	b = append(b,
		0xf0, 0, // min_spatial_segmentation_idc: unknown
		0xfc, // parallelismType: unknown
		0xfc|byte(sps.ChromaFormatIdc),
		0xf8|byte(sps.BitDepthLumaMinus8),
		0xf8|byte(sps.BitDepthChromaMinus8),
		0, 0, // avgFrameRate: unspecified
		(layers&7)<<3|nested<<2|3, // constantFrameRate unknown, 4-byte lengths
		3,                         // arrays
	)
	for _, a := range []struct {
		kind byte
		list []set
	}{{h265VPS, s.vps}, {h265SPS, s.sps}, {h265PPS, s.pps}} {
		b = append(b, 0x80|a.kind) // complete: none in band
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.list)))
		b = appendSets(b, a.list)
	}
	return b
}

func (s *Sets) parseHVCC(b []byte) error {
	if len(b) < 23 {
		return errShort
	}
	if b[0] != 1 || b[21]&3 != 3 {
		return fmt.Errorf("hvcC version %d with %d-byte lengths", b[0], b[21]&3+1)
	}
	arrays, b := int(b[22]), b[23:]
	for range arrays {
		if len(b) < 3 {
			return errShort
		}
		n := int(binary.BigEndian.Uint16(b[1:]))
		var err error
		if b, err = s.takeSets(b[3:], n); err != nil {
			return err
		}
	}
	return nil
}

// reorderH265 is the number of pictures a decoder holds back, -1 unknown.
func (s *Sets) reorderH265() int {
	var sps h265.SPS
	if len(s.sps) == 0 || parseH265SPS(s.sps[0].nalu, &sps) != nil || len(sps.MaxNumReorderPics) == 0 {
		return -1
	}
	return min(int(sps.MaxNumReorderPics[len(sps.MaxNumReorderPics)-1]), 16)
}
