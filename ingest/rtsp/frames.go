package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpac3"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg1audio"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// frames is the decoder of audio: a packet holds several frames, or a part of
// one; the packet's timestamp is that of the first frame.
type frames struct {
	r      *receiver
	decode func(*rtp.Packet) ([][]byte, error)
	// samples is a frame's duration in the track's ticks, 0 if it is broken.
	samples func(frame []byte) int64
}

func (d *frames) feed(p *rtp.Packet, _ bool) {
	list, err := d.decode(p)
	switch {
	case needsMore(err):
		return
	case err != nil:
		d.r.fault(err)
		return
	}
	at := int64(0) // in the track's ticks behind the packet's timestamp
	for _, frame := range list {
		n := d.samples(frame)
		if n <= 0 {
			d.r.damaged()
			continue
		}
		ts := p.Timestamp + uint32(media.Rescale(at, d.r.track.ClockRate, d.r.clock.rate))
		d.r.write(ts, n, true, frame)
		at += n
	}
}

// needsMore reports whether a decoder only waits for the rest of a frame, or
// came in the middle of one.
func needsMore(err error) bool {
	for _, e := range []error{
		rtpmpeg4audio.ErrMorePacketsNeeded, rtpfragmented.ErrMorePacketsNeeded,
		rtpmpeg1audio.ErrMorePacketsNeeded, rtpmpeg1audio.ErrNonStartingPacketAndNoPrevious,
		rtpac3.ErrMorePacketsNeeded, rtpac3.ErrNonStartingPacketAndNoPrevious,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// one makes a list of the single frame that a packet holds.
func one(decode func(*rtp.Packet) ([]byte, error)) func(*rtp.Packet) ([][]byte, error) {
	return func(p *rtp.Packet) ([][]byte, error) {
		frame, err := decode(p)
		if err != nil || len(frame) == 0 {
			return nil, err
		}
		return [][]byte{frame}, nil
	}
}

// constant is the duration of codecs whose frames are all alike.
func constant(n int64) func([]byte) int64 { return func([]byte) int64 { return n } }

func (r *receiver) openOpus(f *format.Opus) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	if r.track, err = codec.Opus(f.ChannelCount); err != nil {
		return err
	}
	r.decode = &frames{r: r, decode: one(d.Decode), samples: opus.PacketDuration2}
	return nil
}

// openPCM takes what has a sample every so many bits: G.711 and LPCM.
func (r *receiver) openPCM(c media.Codec, rate, channels, bits int) error {
	if rate <= 0 || channels <= 0 || bits <= 0 || bits%8 != 0 {
		return fmt.Errorf("%d Hz, %d channels, %d bits", rate, channels, bits)
	}
	block := channels * bits / 8
	r.track = &media.Track{
		Kind: media.Audio, Codec: c, ClockRate: rate, SampleRate: rate, Channels: channels,
	}
	if c == media.LPCM {
		r.track.BitsPerSample = bits
	}
	r.decode = &frames{
		r: r,
		decode: func(p *rtp.Packet) ([][]byte, error) {
			if len(p.Payload) == 0 || len(p.Payload)%block != 0 {
				return nil, fmt.Errorf("payload of %d bytes", len(p.Payload))
			}
			return [][]byte{p.Payload}, nil
		},
		samples: func(b []byte) int64 { return int64(len(b) / block) },
	}
	return nil
}

// openMPEGAudio takes MPEG-1 and MPEG-2 audio, whose RTP clock is 90 kHz and
// whose parameters stand in each frame (RFC 2250).
func (r *receiver) openMPEGAudio(f *format.MPEG1Audio) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	r.track = &media.Track{Kind: media.Audio, Codec: media.MPEGAudio}
	r.decode = &frames{
		r: r, decode: d.Decode,
		samples: func(frame []byte) int64 {
			var h mpeg1audio.FrameHeader
			if h.Unmarshal(frame) != nil || h.SampleRate <= 0 {
				return 0
			}
			channels := 2
			if h.ChannelMode == mpeg1audio.ChannelModeMono {
				channels = 1
			}
			if h.SampleRate != r.track.SampleRate || channels != r.track.Channels {
				r.revise(&media.Track{
					Kind: media.Audio, Codec: media.MPEGAudio, ClockRate: h.SampleRate,
					SampleRate: h.SampleRate, Channels: channels, Bitrate: h.Bitrate,
				})
			}
			return int64(h.SampleCount())
		},
	}
	return nil
}

func (r *receiver) openAC3(f *format.AC3) error {
	if f.SampleRate <= 0 || f.ChannelCount <= 0 {
		return fmt.Errorf("%d Hz, %d channels", f.SampleRate, f.ChannelCount)
	}
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	r.track = &media.Track{
		Kind: media.Audio, Codec: media.AC3, ClockRate: f.SampleRate,
		SampleRate: f.SampleRate, Channels: f.ChannelCount,
	}
	r.decode = &frames{r: r, decode: d.Decode, samples: constant(ac3.SamplesPerFrame)}
	return nil
}
