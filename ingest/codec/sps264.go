package codec

import (
	"errors"

	"github.com/millrace/millrace/internal/media"
)

var errBroken = errors.New("parameter set is broken")

// spsH264 is what we want to know of a sequence parameter set, H.264 7.3.2.1.
type spsH264 struct {
	profile        uint32
	constraints    uint32
	chroma         uint32
	luma8, chroma8 uint32 // bit depths minus 8
	pocType        uint32
	interlaced     bool
	width, height  int
	vui            vui
}

// vui is what we want to know of the video usability information.
type vui struct {
	aspect  media.Rational
	rate    media.Rational // frames a second
	reorder int            // -1 unknown
	fields  bool           // H265: each picture is a field
}

func parseSPSH264(nalu []byte) (*spsH264, error) {
	r := newBitReader(nalu, 1)
	s := &spsH264{chroma: 1, vui: vui{reorder: -1}}
	s.profile, s.constraints = r.bits(8), r.bits(8)
	r.skip(8) // level
	r.ue()    // id
	if h264High(s.profile) {
		s.chroma = r.ue()
		separate := s.chroma == 3 && r.flag()
		s.luma8, s.chroma8 = r.ue(), r.ue()
		r.skip(1) // transform bypass
		if r.flag() {
			r.scalingLists(s.chroma)
		}
		if s.chroma > 3 || s.luma8 > 6 || s.chroma8 > 6 {
			return nil, errBroken
		}
		if separate {
			s.chroma = 0 // three planes coded like monochrome ones
			defer func() { s.chroma = 3 }()
		}
	}
	r.count(12) // log2_max_frame_num_minus4
	s.readPOC(r)
	r.ue()    // max_num_ref_frames
	r.skip(1) // gaps allowed
	mbs, units := r.count(maxDimension/16), r.count(maxDimension/16)
	frames := 1
	if s.interlaced = !r.flag(); s.interlaced {
		frames = 2
		r.skip(1) // mb_adaptive_frame_field_flag
	}
	r.skip(1) // direct_8x8_inference_flag
	s.width, s.height = 16*(mbs+1), 16*(units+1)*frames
	if r.flag() {
		s.crop(r, frames)
	}
	if r.flag() {
		s.vui = r.vuiH264()
	}
	if r.over {
		return nil, errBroken
	}
	return s, plausibleSize(s.width, s.height)
}

// readPOC passes over the picture order count's parameters.
func (s *spsH264) readPOC(r *bitReader) {
	s.pocType = r.ue()
	switch s.pocType {
	case 0:
		r.count(12)
	case 1:
		r.skip(1)
		r.se()
		r.se()
		for range r.count(255) {
			r.se()
		}
	}
}

// crop takes off the cropping rectangle, 7.4.2.1.1.
func (s *spsH264) crop(r *bitReader, frames int) {
	x, y := 1, frames
	switch s.chroma {
	case 1:
		x, y = 2, 2*frames
	case 2:
		x = 2
	}
	left, right, top, bottom := r.count(maxDimension), r.count(maxDimension), r.count(maxDimension), r.count(maxDimension)
	s.width -= x * (left + right)
	s.height -= y * (top + bottom)
}

// scalingLists passes over them, 7.3.2.1.1.1.
func (r *bitReader) scalingLists(chroma uint32) {
	lists := 8
	if chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if !r.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + r.se() + 256) % 256
			}
			if next != 0 {
				last = next
			}
		}
	}
}

// vuiH264 reads E.1.1 as far as the reordering depth.
func (r *bitReader) vuiH264() vui {
	v := vui{reorder: -1}
	v.aspect = r.aspect()
	r.colours()
	if r.flag() { // chroma_loc_info
		r.ue()
		r.ue()
	}
	if r.flag() { // timing_info
		units, scale := r.bits(32), r.bits(32)
		r.skip(1)
		v.rate = frameRate(uint64(scale), 2*uint64(units))
	}
	nal := r.flag()
	if nal {
		r.hrdH264()
	}
	vcl := r.flag()
	if vcl {
		r.hrdH264()
	}
	if nal || vcl {
		r.skip(1)
	}
	r.skip(1)     // pic_struct_present_flag
	if r.flag() { // bitstream_restriction
		r.skip(1)
		for range 4 {
			r.ue()
		}
		v.reorder = r.count(16)
	}
	return v
}

// aspect reads the sample aspect ratio, alike in both standards.
func (r *bitReader) aspect() media.Rational {
	if !r.flag() {
		return media.Rational{}
	}
	idc := r.bits(8)
	if idc == extendedSAR {
		w, h := r.bits(16), r.bits(16)
		return reduced(uint64(w), uint64(h))
	}
	if int(idc) < len(sampleAspects) {
		return sampleAspects[idc]
	}
	return media.Rational{}
}

// colours passes over overscan and video signal type, alike in both standards.
func (r *bitReader) colours() {
	if r.flag() {
		r.skip(1)
	}
	if r.flag() {
		r.skip(4)
		if r.flag() {
			r.skip(24)
		}
	}
}

// hrdH264 passes over E.1.2.
func (r *bitReader) hrdH264() {
	n := r.count(31)
	r.skip(8)
	for range n + 1 {
		r.ue()
		r.ue()
		r.skip(1)
	}
	r.skip(20)
}
