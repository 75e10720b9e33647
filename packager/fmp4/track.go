package fmp4

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// entries say what a video sample entry is, and which box inside configures its
// decoder.
var entries = map[string]struct {
	codec  media.Codec
	config string
}{
	"avc1": {media.H264, "avcC"}, "avc3": {media.H264, "avcC"},
	"hvc1": {media.H265, "hvcC"}, "hev1": {media.H265, "hvcC"},
	"av01": {media.AV1, "av1C"}, "vp09": {media.VP9, "vpcC"},
}

// VideoTrack is the video track that an initialization section describes, as
// far as a decoder of its pictures has to know it.
func (h *Header) VideoTrack() (*media.Track, error) {
	e, known := entries[h.Entry]
	if !known {
		return nil, fmt.Errorf("no video that is known: %q", h.Entry)
	}
	t := &media.Track{
		ID: TrackID, Kind: media.Video, Codec: e.codec, ClockRate: int(h.Timescale), Config: h.Box(e.config),
		Width: h.Width, Height: h.Height, Rotation: h.rotation(),
	}
	if p := h.Box("pasp"); len(p) >= 8 {
		t.SampleAspect = media.Rational{Num: int(be.Uint32(p)), Den: int(be.Uint32(p[4:]))}
	}
	if len(t.Config) == 0 {
		return nil, fmt.Errorf("%w: %s without %s", ErrBroken, h.Entry, e.config)
	}
	return t, nil
}

// rotation is what the matrix of tkhd does to the picture, in degrees clockwise.
func (h *Header) rotation() int {
	switch a, b := h.Matrix[0], h.Matrix[1]; {
	case a == 0 && b > 0:
		return 90
	case a < 0 && b == 0:
		return 180
	case a == 0 && b < 0:
		return 270
	}
	return 0
}
