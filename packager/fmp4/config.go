package fmp4

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/millrace/millrace/internal/media"
)

// checkConfig looks as far into a decoder configuration as this package reads
// it anywhere, so that nothing behind it has to check again.
func checkConfig(t *media.Track) error {
	if t.ClockRate <= 0 || t.Kind == media.Video && (t.Width <= 0 || t.Height <= 0 || t.Width > 0xffff || t.Height > 0xffff) ||
		t.Kind == media.Audio && (t.Channels <= 0 || t.Channels > 255 || t.SampleRate <= 0) {
		return fmt.Errorf("impossible parameters: %s, clock %d", t, t.ClockRate)
	}
	c, ok := t.Config, true
	switch t.Codec {
	case media.H264: // ISO/IEC 14496-15 §5.3.3.1
		ok = len(c) >= 7 && c[0] == 1 && firstNALU(c, h264.NALUTypeSPS) != nil
	case media.H265: // ISO/IEC 14496-15 §8.3.3.1
		ok = len(c) >= 23 && c[0] == 1 && firstHEVC(c, h265.NALUType_SPS_NUT) != nil
	case media.AV1: // AV1 in ISOBMFF §2.3
		ok = len(c) >= 4 && c[0] == 0x81
	case media.VP9: // VP codec ISO media file format binding
		ok = len(c) >= 12 && c[0] == 1
	case media.AAC: // ISO/IEC 14496-3 §1.6.2.1
		ok = len(c) >= 2
	case media.Opus:
		ok = len(c) == 0 && t.Channels <= 2 || len(c) >= 11
	case media.AC3:
		ok = len(c) == 3
	case media.EAC3: // ETSI TS 102 366 §F.6: one independent substream at least, bsid 16
		ok = len(c) >= 5 && c[2]>>1&0x1f == 16
	case media.FLAC: // FLAC in ISOBMFF §3.3.2: version, flags, STREAMINFO first
		ok = len(c) >= 4+4+34 && c[0] == 0 && c[4]&0x7f == 0
	}
	if !ok {
		return ErrNoConfig
	}
	return nil
}

// firstNALU finds the first SPS of an avcC.
func firstNALU(c []byte, typ h264.NALUType) []byte {
	if len(c) < 8 || c[5]&0x1f == 0 {
		return nil
	}
	n := int(be.Uint16(c[6:]))
	if n == 0 || len(c) < 8+n || h264.NALUType(c[8]&0x1f) != typ {
		return nil
	}
	return c[8 : 8+n]
}

// firstHEVC finds the first NAL unit of a type in an hvcC.
func firstHEVC(c []byte, typ h265.NALUType) []byte {
	if len(c) < 23 {
		return nil
	}
	arrays, c := int(c[22]), c[23:]
	for ; arrays > 0 && len(c) >= 3; arrays-- {
		found := h265.NALUType(c[0]&0x3f) == typ
		count := int(be.Uint16(c[1:]))
		c = c[3:]
		for ; count > 0; count-- {
			if len(c) < 2 {
				return nil
			}
			n := int(be.Uint16(c))
			if len(c) < 2+n {
				return nil
			}
			if found && n > 2 {
				return c[2 : 2+n]
			}
			c = c[2+n:]
		}
	}
	return nil
}

// AC3Config makes dac3 (ETSI TS 102 366 §F.4) out of a sync frame, for tracks
// whose wire carries no configuration.
func AC3Config(frame []byte) ([]byte, error) {
	var sync ac3.SyncInfo
	if err := sync.Unmarshal(frame); err != nil {
		return nil, fmt.Errorf("read AC-3 frame: %w", err)
	}
	var bsi ac3.BSI
	if len(frame) < 8 {
		return nil, fmt.Errorf("read AC-3 frame: %w", ErrNoConfig)
	}
	if err := bsi.Unmarshal(frame[5:]); err != nil {
		return nil, fmt.Errorf("read AC-3 frame: %w", err)
	}
	v := uint32(sync.Fscod)<<22 | uint32(bsi.Bsid&0x1f)<<17 | uint32(bsi.Bsmod&7)<<14 |
		uint32(bsi.Acmod&7)<<11 | uint32(sync.Frmsizecod>>1&0x1f)<<5
	if bsi.LfeOn {
		v |= 1 << 10
	}
	return []byte{byte(v >> 16), byte(v >> 8), byte(v)}, nil
}
