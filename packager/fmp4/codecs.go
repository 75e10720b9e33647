package fmp4

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/millrace/millrace/internal/media"
)

// CodecString names a track's coding as the CODECS attribute wants it (RFC
// 6381 and the codecs' own bindings). It fails like Init.
func CodecString(t *media.Track) (string, error) {
	if err := checkConfig(t); err != nil {
		return "", fmt.Errorf("name %s track: %w", t.Codec, err)
	}
	c := t.Config
	switch t.Codec {
	case media.H264:
		return fmt.Sprintf("avc1.%02X%02X%02X", c[1], c[2], c[3]), nil
	case media.H265:
		return hevcString(c), nil
	case media.AV1:
		return av1String(c), nil
	case media.VP9: // version and flags stand before the configuration
		return fmt.Sprintf("vp09.%02d.%02d.%02d", c[4], c[5], c[6]>>4), nil
	case media.AAC:
		return fmt.Sprintf("mp4a.40.%d", audioObjectType(c)), nil
	case media.MPEGAudio:
		return fmt.Sprintf("mp4a.%02X", mpegAudioType(t)), nil
	case media.Opus:
		return "opus", nil
	case media.AC3:
		return "ac-3", nil
	case media.EAC3:
		return "ec-3", nil
	case media.FLAC:
		return "fLaC", nil
	}
	return "", fmt.Errorf("name %s track: it has no place in fMP4", t.Codec)
}

// hevcString follows ISO/IEC 14496-15 §E.3: profile, compatibility flags in
// reverse bit order, tier and level, constraint bytes without trailing zeros.
func hevcString(c []byte) string {
	var b strings.Builder
	b.WriteString("hvc1.")
	if space := c[1] >> 6; space > 0 {
		b.WriteByte('A' + space - 1)
	}
	fmt.Fprintf(&b, "%d.%X.", c[1]&0x1f, bits.Reverse32(be.Uint32(c[2:])))
	if c[1]&0x20 == 0 {
		b.WriteByte('L')
	} else {
		b.WriteByte('H')
	}
	fmt.Fprintf(&b, "%d", c[12])
	constraints := c[6:12]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, v := range constraints {
		fmt.Fprintf(&b, ".%X", v)
	}
	return b.String()
}

// av1String follows AV1 in ISOBMFF §5, the mandatory fields.
func av1String(c []byte) string {
	tier, depth := "M", 8
	if c[2]&0x80 != 0 {
		tier = "H"
	}
	switch high, twelve := c[2]&0x40 != 0, c[2]&0x20 != 0; {
	case high && twelve:
		depth = 12
	case high:
		depth = 10
	}
	return fmt.Sprintf("av01.%d.%02d%s.%02d", c[1]>>5, c[1]&0x1f, tier, depth)
}

// audioObjectType reads the first field of an AudioSpecificConfig.
func audioObjectType(c []byte) int {
	if t := int(c[0] >> 3); t != 31 {
		return t
	}
	return 32 + int(c[0]&7)<<3 | int(c[1]>>5)
}
