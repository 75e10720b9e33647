package codec

import "slices"

// spsH265 is what we want to know of a sequence parameter set, H.265 7.3.2.2.
type spsH265 struct {
	ptl            []byte // general profile, tier and level as hvcC holds them, 12 bytes
	progressive    bool   // general_progressive_source_flag
	interlaced     bool   // general_interlaced_source_flag
	layers         uint32
	nested         bool
	chroma         uint32
	luma8, chroma8 uint32
	width, height  int
	reorder        int
	vui            vui
}

// Limits of H.265 that bound loops, 7.4.3.2.1.
const (
	maxShortTermSets = 64
	maxLongTermPics  = 32
	maxDeltaPictures = 16
)

func parseSPSH265(nalu []byte) (*spsH265, error) {
	r := newBitReader(nalu, 2)
	s := &spsH265{}
	r.skip(4) // VPS
	layers := r.bits(3)
	s.layers, s.nested = layers+1, r.flag()
	s.readPTL(r, layers)
	r.count(15) // id
	s.chroma = r.ue()
	separate := s.chroma == 3 && r.flag()
	s.width, s.height = r.count(maxDimension), r.count(maxDimension)
	if r.flag() {
		x, y := 1, 1
		if !separate && (s.chroma == 1 || s.chroma == 2) {
			x = 2
		}
		if !separate && s.chroma == 1 {
			y = 2
		}
		left, right, top, bottom := r.count(maxDimension), r.count(maxDimension), r.count(maxDimension), r.count(maxDimension)
		s.width -= x * (left + right)
		s.height -= y * (top + bottom)
	}
	s.luma8, s.chroma8 = r.ue(), r.ue()
	if r.over || s.layers > 7 || s.chroma > 3 || s.luma8 > 8 || s.chroma8 > 8 {
		return nil, errBroken
	}
	pocBits := r.count(12) + 4
	s.readReorder(r, layers)
	s.readTools(r, pocBits)
	r.skip(2) // temporal MVP, strong intra smoothing
	if r.flag() {
		s.vui = r.vuiH265()
	}
	if r.over {
		return nil, errBroken
	}
	return s, plausibleSize(s.width, s.height)
}

// readPTL reads profile_tier_level, 7.3.3.
func (s *spsH265) readPTL(r *bitReader, layers uint32) {
	const general = 96 / 8
	if start := r.pos / 8; start+general <= len(r.b) {
		s.ptl = r.b[start : start+general]
	}
	r.skip(8 + 32)
	s.progressive, s.interlaced = r.flag(), r.flag()
	r.skip(96 - 42)
	var profile, level [8]bool
	for i := range layers {
		profile[i], level[i] = r.flag(), r.flag()
	}
	if layers > 0 {
		r.skip(2 * int(8-layers))
	}
	for i := range layers {
		if profile[i] {
			r.skip(88)
		}
		if level[i] {
			r.skip(8)
		}
	}
}

// readReorder reads the decoded picture buffer's sizes; the last layer's count.
func (s *spsH265) readReorder(r *bitReader, layers uint32) {
	first := layers
	if r.flag() {
		first = 0
	}
	for i := first; i <= layers; i++ {
		r.ue()
		s.reorder = r.count(maxReorder)
		r.ue()
	}
}

// maxReorder is the largest sps_max_num_reorder_pics.
const maxReorder = 16

// readTools passes over block sizes, coding tools and reference sets.
func (s *spsH265) readTools(r *bitReader, pocBits int) {
	for range 6 {
		r.ue()
	}
	if r.flag() { // scaling lists are used,
		if r.flag() { // and not the default ones
			r.scalingListsH265()
		}
	}
	r.skip(2)     // AMP, SAO
	if r.flag() { // PCM
		r.skip(8)
		r.ue()
		r.ue()
		r.skip(1)
	}
	var set refSet
	for i := range r.count(maxShortTermSets) {
		set = r.shortTermSet(set, i > 0)
	}
	if r.flag() {
		for range r.count(maxLongTermPics) {
			r.skip(pocBits + 1)
		}
	}
}

// scalingListsH265 passes over 7.3.4.
func (r *bitReader) scalingListsH265() {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for m := 0; m < 6; m += step {
			if !r.flag() {
				r.ue()
				continue
			}
			if size > 1 {
				r.se()
			}
			for range min(64, 1<<(4+2*size)) {
				r.se()
			}
		}
	}
}

// refSet is a short-term reference picture set: distances in picture order to
// pictures before and after, nearest first.
type refSet struct{ before, after []int32 }

// shortTermSet reads st_ref_pic_set, 7.3.7. Sets may be predicted from the one
// before, and only knowing that one tells how long they are.
func (r *bitReader) shortTermSet(ref refSet, predictable bool) refSet {
	if predictable && r.flag() { // inter_ref_pic_set_prediction_flag
		return r.predictedSet(ref)
	}
	n, m := r.count(maxDeltaPictures), r.count(maxDeltaPictures)
	read := func(n int, sign int32) []int32 {
		list, at := make([]int32, 0, n), int32(0)
		for range n {
			at += sign * int32(r.count(1<<15)+1)
			r.skip(1)
			list = append(list, at)
		}
		return list
	}
	return refSet{before: read(n, -1), after: read(m, 1)}
}

// predictedSet reads a set as a change of ref: equations 7-61 and 7-62.
func (r *bitReader) predictedSet(ref refSet) refSet {
	negative := r.flag()
	delta := int32(r.count(1<<15) + 1)
	if negative {
		delta = -delta
	}
	n := len(ref.before) + len(ref.after)
	var kept [2*maxDeltaPictures + 1]bool
	for i := range n + 1 {
		used := r.flag()
		kept[i] = used || r.flag()
	}
	var all []int32 // in the order of the flags
	for _, d := range slices.Concat(ref.before, ref.after, []int32{0}) {
		if kept[len(all)] {
			d += delta
		} else {
			d = 0 // no distance: dropped below
		}
		all = append(all, d)
	}
	slices.Sort(all)
	var set refSet
	for _, d := range all {
		switch {
		case d < 0 && len(set.before) < maxDeltaPictures:
			set.before = append(set.before, d)
		case d > 0 && len(set.after) < maxDeltaPictures:
			set.after = append(set.after, d)
		}
	}
	slices.Reverse(set.before)
	return set
}

// vuiH265 reads E.2.1 as far as the timing.
func (r *bitReader) vuiH265() vui {
	v := vui{reorder: -1}
	v.aspect = r.aspect()
	r.colours()
	if r.flag() { // chroma_loc_info
		r.ue()
		r.ue()
	}
	r.skip(1) // neutral_chroma_indication_flag
	v.fields = r.flag()
	r.skip(1)     // frame_field_info_present_flag
	if r.flag() { // default display window
		for range 4 {
			r.ue()
		}
	}
	if r.flag() { // timing_info
		units, scale := r.bits(32), r.bits(32)
		v.rate = frameRate(uint64(scale), uint64(units))
	}
	return v
}
