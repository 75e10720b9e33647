package libav

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// ErrUnsupported marks what this FFmpeg, or this package, cannot handle.
var ErrUnsupported = errors.New("not supported")

// ErrInput marks an input that cannot be opened or read.
var ErrInput = errors.New("cannot read input")

// codecs pairs our names with FFmpeg's. LPCM is missing: FFmpeg has one codec
// for each sample size.
var codecs = []struct {
	codec media.Codec
	id    astiav.CodecID
}{
	{media.H264, astiav.CodecIDH264},
	{media.H265, astiav.CodecIDHevc},
	{media.AV1, astiav.CodecIDAv1},
	{media.VP9, astiav.CodecIDVp9},
	{media.AAC, astiav.CodecIDAac},
	{media.Opus, astiav.CodecIDOpus},
	{media.MPEGAudio, astiav.CodecIDMp3},
	{media.MPEGAudio, astiav.CodecIDMp2},
	{media.MPEGAudio, astiav.CodecIDMp1},
	{media.AC3, astiav.CodecIDAc3},
	{media.PCMA, astiav.CodecIDPcmAlaw},
	{media.PCMU, astiav.CodecIDPcmMulaw},
}

var lpcm = map[int]astiav.CodecID{
	8:  astiav.CodecIDPcmS8,
	16: astiav.CodecIDPcmS16Be,
	24: astiav.CodecIDPcmS24Be,
	32: astiav.CodecIDPcmS32Be,
}

// codecID finds the decoder of a track.
func codecID(t *media.Track) (astiav.CodecID, error) {
	if t.Codec == media.LPCM {
		if id, ok := lpcm[t.BitsPerSample]; ok {
			return id, nil
		}
		return 0, fmt.Errorf("%s of %d bits: %w", t.Codec, t.BitsPerSample, ErrUnsupported)
	}
	for _, c := range codecs {
		if c.codec == t.Codec {
			return c.id, nil
		}
	}
	// What media has no name for goes by FFmpeg's.
	if id, ok := codecNamed(string(t.Codec)); ok {
		return id, nil
	}
	return 0, fmt.Errorf("%s: %w", t.Codec, ErrUnsupported)
}

// codecOf names a codec: by our name, or else by FFmpeg's.
func codecOf(id astiav.CodecID) media.Codec {
	for _, c := range codecs {
		if c.id == id {
			return c.codec
		}
	}
	for _, l := range lpcm {
		if l == id {
			return media.LPCM
		}
	}
	return media.Codec(id.Name())
}

// extradata turns a track's configuration into what FFmpeg's decoders read.
// They take avcC, hvcC, av1C and the AudioSpecificConfig as they are; for
// Opus they want Ogg's header (RFC 7845, 5.1) in place of MP4's dOps box, whose
// fields are the same in the other byte order.
func extradata(t *media.Track) []byte {
	switch t.Codec {
	case media.VP9:
		return nil
	case media.Opus:
		c := t.Config
		if len(c) < 11 {
			return nil
		}
		h := append([]byte("OpusHead"), 1, c[1])
		h = binary.LittleEndian.AppendUint16(h, binary.BigEndian.Uint16(c[2:]))
		h = binary.LittleEndian.AppendUint32(h, binary.BigEndian.Uint32(c[4:]))
		h = binary.LittleEndian.AppendUint16(h, binary.BigEndian.Uint16(c[8:]))
		return append(h, c[10:]...)
	}
	return t.Config
}

// layout is the usual arrangement of a number of channels.
func layout(channels int) (astiav.ChannelLayout, error) {
	switch channels {
	case 1:
		return astiav.ChannelLayoutMono, nil
	case 2:
		return astiav.ChannelLayoutStereo, nil
	case 3:
		return astiav.ChannelLayoutSurround, nil
	case 4:
		return astiav.ChannelLayout4Point0, nil
	case 5:
		return astiav.ChannelLayout5Point0Back, nil
	case 6:
		return astiav.ChannelLayout5Point1Back, nil
	case 7:
		return astiav.ChannelLayout6Point1, nil
	case 8:
		return astiav.ChannelLayout7Point1, nil
	}
	return astiav.ChannelLayout{}, fmt.Errorf("%d channels: %w", channels, ErrUnsupported)
}
