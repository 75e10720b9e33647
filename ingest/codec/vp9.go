package codec

import (
	"errors"

	"github.com/millrace/millrace/internal/media"
)

var errVP9 = errors.New("frame header is broken")

// VP9Key reports whether a frame is a keyframe. A broken one is not.
func VP9Key(frame []byte) bool {
	h, err := parseVP9(frame)
	return err == nil && h.key
}

// DescribeVP9 fills the parameters of t from a keyframe.
func DescribeVP9(t *media.Track, frame []byte) error {
	h, err := parseVP9(frame)
	if err != nil {
		return err
	}
	if !h.key {
		return errVP9
	}
	t.Width, t.Height, t.BitDepth, t.Chroma = h.width, h.height, h.depth, h.chroma()
	// vpcC with its version and flags, "VP Codec ISO Media File Format
	// Binding": colours unspecified, as the stream does not name them so.
	t.Config = []byte{
		1, 0, 0, 0,
		byte(h.profile), vp9Level(h.width * h.height),
		byte(h.depth)<<4 | h.subsampling()<<1 | h.fullRange,
		2, 2, 2,
		0, 0,
	}
	return nil
}

// headerVP9 is what we want to know of an uncompressed header, 6.2.
type headerVP9 struct {
	profile       uint32
	key           bool
	depth         int
	subX, subY    bool
	fullRange     byte
	width, height int
}

func (h *headerVP9) chroma() string {
	return [...]string{0: "4:4:4", 1: "4:4:0", 2: "4:2:2", 3: "4:2:0"}[h.mode()]
}

// mode is subsampling_x and subsampling_y.
func (h *headerVP9) mode() (m int) {
	if h.subX {
		m |= 2
	}
	if h.subY {
		m |= 1
	}
	return m
}

// subsampling is vpcC's chromaSubsampling.
func (h *headerVP9) subsampling() byte {
	return [...]byte{0: 3, 1: 3, 2: 2, 3: 1}[h.mode()]
}

func parseVP9(frame []byte) (*headerVP9, error) {
	r := &bitReader{b: frame}
	if r.bits(2) != 2 {
		return nil, errVP9
	}
	h := &headerVP9{depth: 8}
	h.profile = r.bit() | r.bit()<<1
	if h.profile == 3 {
		r.skip(1)
	}
	if r.flag() { // show_existing_frame
		return h, nil
	}
	h.key = !r.flag()
	r.skip(2)
	if !h.key {
		return h, nil
	}
	if r.bits(24) != 0x498342 {
		return nil, errVP9
	}
	if h.profile >= 2 {
		h.depth = 10
		if r.flag() {
			h.depth = 12
		}
	}
	rgb := r.bits(3) == 7
	if rgb {
		h.fullRange = 1
	} else {
		h.fullRange = byte(r.bit())
	}
	switch odd := h.profile&1 == 1; {
	case odd && !rgb:
		h.subX, h.subY = r.flag(), r.flag()
		r.skip(1)
	case odd:
		r.skip(1)
	case rgb:
		return nil, errVP9
	default:
		h.subX, h.subY = true, true
	}
	h.width, h.height = int(r.bits(16))+1, int(r.bits(16))+1
	if r.over {
		return nil, errVP9
	}
	return h, plausibleSize(h.width, h.height)
}

// vp9Level is the lowest level whose picture size is enough; the stream does
// not tell, and rates are not known here.
func vp9Level(area int) byte {
	for _, l := range []struct {
		area  int
		level byte
	}{
		{36864, 10},
		{73728, 11},
		{122880, 20},
		{245760, 21},
		{552960, 30},
		{983040, 31},
		{2228224, 40},
		{8912896, 50},
		{35651584, 60},
	} {
		if area <= l.area {
			return l.level
		}
	}
	return 62
}
