package libav

import (
	"encoding/binary"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// AudioEncoderOptions describes one audio encoder.
type AudioEncoderOptions struct {
	Codec      media.Codec // AAC, Opus or AC3
	SampleRate int
	Channels   int
	Bitrate    int // bits/s
	Options    map[string]string
}

// audioEncoders lists the encoders and the sample format each of them takes.
var audioEncoders = map[media.Codec]struct {
	name   string
	format astiav.SampleFormat
}{
	media.AAC:  {"aac", astiav.SampleFormatFltp},
	media.Opus: {"libopus", astiav.SampleFormatFlt},
	media.AC3:  {"ac3", astiav.SampleFormatFltp},
}

// AudioEncoder encodes frames of FrameSize samples, as a Resampler made by it
// gives.
type AudioEncoder struct {
	encoder
	format astiav.SampleFormat
}

// OpenAudioEncoder opens an encoder, which the caller must Close.
func OpenAudioEncoder(o AudioEncoderOptions) (_ *AudioEncoder, err error) {
	kind, ok := audioEncoders[o.Codec]
	if !ok {
		return nil, fmt.Errorf("open encoder: %s: %w", o.Codec, ErrUnsupported)
	}
	e := &AudioEncoder{format: kind.format}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	err = e.open(kind.name, o.Options, func(c *astiav.CodecContext) error {
		l, err := layout(o.Channels)
		if err != nil {
			return err
		}
		c.SetChannelLayout(l)
		c.SetSampleRate(o.SampleRate)
		c.SetSampleFormat(kind.format)
		c.SetTimeBase(astiav.NewRational(1, o.SampleRate))
		c.SetBitRate(int64(o.Bitrate))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open encoder: %s: %w", o.Codec, err)
	}
	e.track = &media.Track{
		Kind: media.Audio, Codec: o.Codec, ClockRate: o.SampleRate,
		SampleRate: o.SampleRate, Channels: o.Channels, Bitrate: o.Bitrate,
	}
	switch x := e.codec.ExtraData(); o.Codec {
	case media.AAC:
		e.track.Config = x
	case media.Opus:
		if e.track.Config, err = opusBox(x); err != nil {
			return nil, fmt.Errorf("open encoder: %w", err)
		}
	}
	return e, nil
}

// opusBox turns Ogg's OpusHead (RFC 7845, 5.1) into MP4's dOps box.
func opusBox(head []byte) ([]byte, error) {
	if len(head) < 19 || string(head[:8]) != "OpusHead" {
		return nil, fmt.Errorf("opus header of %d bytes: %w", len(head), ErrCorrupt)
	}
	box := []byte{0, head[9]}
	box = binary.BigEndian.AppendUint16(box, binary.LittleEndian.Uint16(head[10:]))
	box = binary.BigEndian.AppendUint32(box, binary.LittleEndian.Uint32(head[12:]))
	box = binary.BigEndian.AppendUint16(box, binary.LittleEndian.Uint16(head[16:]))
	return append(box, head[18:]...), nil
}

// FrameSize is the number of samples of every frame but the last.
func (e *AudioEncoder) FrameSize() int { return e.codec.FrameSize() }

// Delay is the number of samples that a decoder puts out before the first one
// that was encoded: the first packet's PTS is that much before the first
// frame's.
func (e *AudioEncoder) Delay() int { return initialPadding(e.codec) }

// Encode takes one frame, which it only borrows, and hands the packets that
// are ready to emit. A nil frame drains the encoder, which then takes no more.
func (e *AudioEncoder) Encode(f *Frame, emit func(*media.Packet) error) error {
	if f == nil {
		return e.encode(nil, emit)
	}
	if f.f.SampleFormat() != e.format || f.f.SampleRate() != e.track.SampleRate ||
		f.f.ChannelLayout().Channels() != e.track.Channels || f.f.NbSamples() > e.codec.FrameSize() {
		return fmt.Errorf("encode %d samples of %s: %w", f.f.NbSamples(), f.f.SampleFormat(), ErrShape)
	}
	return e.encode(f.f, emit)
}
