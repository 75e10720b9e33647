package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"

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
	case *format.AV1:
		return r.openAV1(f)
	case *format.VP9:
		return r.openVP9(f)
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
