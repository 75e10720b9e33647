package mpegts

import (
	"bytes"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// decoder makes samples of the PES packets of a track.
type decoder interface {
	unit(u unit)
}

// video takes access units of H.264 or H.265, one a PES packet (or begun by
// one, see pes.whole), out of byte stream format.
type video struct {
	t   *track
	asm *codec.Assembler
}

func newVideo(t *track, c media.Codec) *video {
	return &video{t: t, asm: codec.NewAssembler(c)}
}

func (v *video) unit(u unit) {
	switch {
	case u.damaged:
		v.t.damaged()
		return
	case !u.hasPTS:
		return // the beginning was before ours
	case !u.hasDTS:
		u.dts = u.pts
	}
	splitNALUs(u.data, v.asm.NALU)
	payload, key := v.asm.Take()
	if v.asm.SetsChanged() {
		v.describe()
	}
	if payload != nil {
		v.t.write(sample{pts: u.pts, dts: u.dts, hasDTS: true, key: key, payload: payload})
	}
}

// describe puts changed parameter sets into the track.
func (v *video) describe() {
	if !v.asm.Sets.Complete() {
		return
	}
	t := *v.t.track
	if err := v.asm.Sets.Describe(&t); err != nil {
		v.t.fault(err)
		return
	}
	v.t.revise(&t)
}

// startCode begins each NAL unit of a byte stream (annex B of both codecs); a
// zero byte before it belongs to it, or to nobody.
var startCode = []byte{0, 0, 1}

// splitNALUs calls yield with each NAL unit of a byte stream.
func splitNALUs(b []byte, yield func(nalu []byte)) {
	i := bytes.Index(b, startCode)
	for i >= 0 {
		b = b[i+len(startCode):]
		i = bytes.Index(b, startCode)
		nalu := b
		if i >= 0 {
			nalu = b[:i]
		}
		// No NAL unit ends with a zero byte.
		if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) > 0 {
			yield(nalu)
		}
	}
}
