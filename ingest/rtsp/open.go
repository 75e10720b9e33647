package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

var errUnsupported = errors.New("unsupported codec")

// open makes the track and the decoder for the receiver's format. sets are the
// parameter sets of the SDP.
func (r *receiver) open(sets [][]byte) error {
	switch f := r.format.(type) {
	case *format.H264:
		if f.PacketizationMode > 1 {
			return fmt.Errorf("packetization-mode %d", f.PacketizationMode)
		}
		return r.openH26x(media.H264, sets)
	case *format.H265:
		if f.MaxDONDiff != 0 {
			return errors.New("interleaved packets")
		}
		return r.openH26x(media.H265, sets)
	case *format.MPEG4Audio:
		return r.openAAC(f)
	case *format.MPEG4AudioLATM:
		return r.openLATM(f)
	case *format.Opus:
		return r.openOpus(f)
	case *format.G711:
		c := media.PCMA
		if f.MULaw {
			c = media.PCMU
		}
		return r.openPCM(c, f.SampleRate, f.ChannelCount, 8)
	case *format.LPCM:
		return r.openPCM(media.LPCM, f.SampleRate, f.ChannelCount, f.BitDepth)
	case *format.MPEG1Audio:
		return r.openMPEGAudio(f)
	case *format.AC3:
		return r.openAC3(f)
	}
	return errUnsupported
}

// openH26x starts with the parameter sets of the SDP, if it has any; those in
// band complete or replace them.
func (r *receiver) openH26x(c media.Codec, sets [][]byte) error {
	r.track = &media.Track{Kind: media.Video, Codec: c, ClockRate: r.format.ClockRate()}
	var d *h26x
	d = newH26x(c, func(ts uint32, payload []byte, key bool) {
		if d.asm.SetsChanged() {
			r.describe(d.asm.Sets)
		}
		r.write(ts, 0, key, payload)
	}, r.damaged)
	r.decode = d
	for _, s := range sets {
		d.asm.Sets.Add(s)
	}
	if d.asm.Sets.Complete() {
		r.describe(d.asm.Sets) // broken ones in the SDP: those in band will do
	}
	return nil
}

// describe puts changed parameter sets into the track.
func (r *receiver) describe(sets *codec.Sets) {
	if !sets.Complete() {
		return
	}
	t := *r.track
	if err := sets.Describe(&t); err != nil {
		if r.pub != nil {
			r.fault(err)
		}
		return
	}
	r.revise(&t)
}

func (r *receiver) openAAC(f *format.MPEG4Audio) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	if r.track, err = codec.AAC(f.Config); err != nil {
		return err
	}
	r.decode = &frames{r: r, decode: d.Decode, samples: constant(codec.AACFrame(f.Config))}
	return nil
}

// openLATM takes AAC in LATM whose configuration stands in the SDP.
func (r *receiver) openLATM(f *format.MPEG4AudioLATM) error {
	if f.CPresent || f.StreamMuxConfig == nil {
		return errors.New("configuration in band")
	}
	smc := f.StreamMuxConfig
	if len(smc.Programs) != 1 || len(smc.Programs[0].Layers) != 1 {
		return errors.New("several programs or layers")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	config := smc.Programs[0].Layers[0].AudioSpecificConfig
	if r.track, err = codec.AAC(config); err != nil {
		return err
	}
	r.decode = &frames{
		r: r, samples: constant(codec.AACFrame(config)),
		decode: func(p *rtp.Packet) ([][]byte, error) {
			b, err := d.Decode(p)
			if err != nil {
				return nil, err
			}
			return latmFrames(b, smc)
		},
	}
	return nil
}

// latmFrames takes the AAC frames out of an audioMuxElement.
func latmFrames(b []byte, smc *mpeg4audio.StreamMuxConfig) ([][]byte, error) {
	e := mpeg4audio.AudioMuxElement{StreamMuxConfig: smc}
	if err := e.Unmarshal(b); err != nil {
		return nil, err
	}
	var list [][]byte
	for _, sub := range e.Payloads {
		for _, program := range sub {
			list = append(list, program...)
		}
	}
	return list, nil
}
