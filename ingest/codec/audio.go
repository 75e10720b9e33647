package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/millrace/millrace/internal/media"
)

// AAC returns the track for an AudioSpecificConfig. Its ClockRate is the
// sample rate of the core coder.
func AAC(c *mpeg4audio.AudioSpecificConfig) (*media.Track, error) {
	config, err := c.Marshal()
	if err != nil {
		return nil, fmt.Errorf("write AudioSpecificConfig: %w", err)
	}
	if c.SampleRate <= 0 || c.ChannelCount <= 0 {
		return nil, fmt.Errorf("AAC of %d Hz and %d channels", c.SampleRate, c.ChannelCount)
	}
	return &media.Track{
		Kind: media.Audio, Codec: media.AAC, ClockRate: c.SampleRate,
		Config: config, SampleRate: c.SampleRate, Channels: c.ChannelCount,
	}, nil
}

// AACFrame is the number of samples in a frame.
func AACFrame(c *mpeg4audio.AudioSpecificConfig) int64 {
	if c.FrameLengthFlag {
		return 960
	}
	return mpeg4audio.SamplesPerAccessUnit
}

// opusRate is the one clock rate of Opus, RFC 7587.
const opusRate = 48000

// opusPreSkip is the decoder delay that encoders have by default, RFC 7845
// 5.1: RTP does not carry it.
const opusPreSkip = 312

// Opus returns the track for Opus of 1 to 8 channels, in the order of
// RFC 7845 mapping family 1.
func Opus(channels int) (*media.Track, error) {
	if channels < 1 || channels >= len(opusMappings) {
		return nil, fmt.Errorf("opus of %d channels", channels)
	}
	// dOps, "Encapsulation of Opus in ISO Base Media File Format" 4.3.2
	b := []byte{0, byte(channels)}
	b = binary.BigEndian.AppendUint16(b, opusPreSkip)
	b = binary.BigEndian.AppendUint32(b, opusRate)
	b = append(b, 0, 0) // gain
	if m := opusMappings[channels]; m.mapping == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1, m.streams, m.coupled)
		b = append(b, m.mapping...)
	}
	return &media.Track{
		Kind: media.Audio, Codec: media.Opus, ClockRate: opusRate,
		Config: b, SampleRate: opusRate, Channels: channels,
	}, nil
}

// opusMappings are the streams behind each number of channels, RFC 7845
// 5.1.1.2.
var opusMappings = [...]struct {
	streams, coupled byte
	mapping          []byte
}{
	1: {1, 0, nil},
	2: {1, 1, nil},
	3: {2, 1, []byte{0, 2, 1}},
	4: {2, 2, []byte{0, 1, 2, 3}},
	5: {3, 2, []byte{0, 4, 1, 2, 3}},
	6: {4, 2, []byte{0, 4, 1, 2, 3, 5}},
	7: {4, 3, []byte{0, 4, 1, 2, 3, 5, 6}},
	8: {5, 3, []byte{0, 6, 1, 2, 3, 4, 5, 7}},
}
