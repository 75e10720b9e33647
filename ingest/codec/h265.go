package codec

import (
	"encoding/binary"
	"fmt"

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
	sps, err := parseSPSH265(s.sps[0].nalu)
	if err != nil {
		return err
	}
	t.Width, t.Height = sps.width, sps.height
	t.Interlaced = sps.interlaced && !sps.progressive || sps.vui.fields
	t.BitDepth = int(sps.luma8) + 8
	t.Chroma = chromaNames[sps.chroma]
	t.SampleAspect = sps.vui.aspect
	if sps.vui.rate.Known() {
		t.FrameRate = sps.vui.rate
	}
	t.Config = s.hvcC(sps)
	return nil
}

// hvcC builds the HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 8.3.3.1.
func (s *Sets) hvcC(sps *spsH265) []byte {
	b := append(make([]byte, 0, 256), 1)
	b = append(b, sps.ptl...)
	nested := byte(0)
	if sps.nested {
		nested = 1
	}
	b = append(b,
		0xf0, 0, // min_spatial_segmentation_idc: unknown
		0xfc, // parallelismType: unknown
		0xfc|byte(sps.chroma),
		0xf8|byte(sps.luma8),
		0xf8|byte(sps.chroma8),
		0, 0, // avgFrameRate: unspecified
		byte(sps.layers)<<3|nested<<2|3, // constantFrameRate unknown, 4-byte lengths
		3,                               // arrays
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
	if len(s.sps) == 0 {
		return -1
	}
	sps, err := parseSPSH265(s.sps[0].nalu)
	if err != nil {
		return -1
	}
	return sps.reorder
}
