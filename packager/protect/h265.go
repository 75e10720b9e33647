package protect

import (
	"fmt"
	"math/bits"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// h265Slices knows the parameter sets of a track.
type h265Slices struct {
	sps map[uint32]*h265.SPS
	pps map[uint32]*h265PPS
}

// h265PPS is what slice segment headers need of a picture parameter set (ITU-T
// H.265 §7.3.2.3).
type h265PPS struct {
	sps                     uint32
	dependent, output       bool
	extra                   int
	cabacInit               bool
	refs                    [2]uint32 // num_ref_idx_l*_default_active_minus1
	chromaOffsets           bool
	weighted, biweighted    bool
	tiles, sync             bool
	acrossSlices            bool
	override, deblockingOff bool
	listsModified, extended bool
	chromaOffsetList        bool
}

// newH265 reads the sets of an hvcC (ISO/IEC 14496-15 §8.3.3.1).
func newH265(config []byte) (*h265Slices, error) {
	s := &h265Slices{sps: map[uint32]*h265.SPS{}, pps: map[uint32]*h265PPS{}}
	if len(config) < 23 {
		return nil, errHeader
	}
	arrays, rest := int(config[22]), config[23:]
	for range arrays {
		if len(rest) < 3 {
			return nil, errHeader
		}
		kind, n := h265.NALUType(rest[0]&63), int(rest[1])<<8|int(rest[2])
		rest = rest[3:]
		for range n {
			var nalu []byte
			if nalu, rest = cut16(rest); nalu == nil {
				return nil, errHeader
			}
			var err error
			switch kind {
			case h265.NALUType_SPS_NUT:
				sps := &h265.SPS{}
				if err = sps.Unmarshal(nalu); err == nil {
					s.sps[uint32(sps.ID)] = sps
				}
			case h265.NALUType_PPS_NUT:
				err = s.addPPS(&bitReader{b: nalu[2:]})
			}
			if err != nil {
				return nil, fmt.Errorf("read parameter set: %w", err)
			}
		}
	}
	return s, nil
}

func (s *h265Slices) addPPS(r *bitReader) error {
	id := r.ue()
	p := &h265PPS{sps: r.ue(), dependent: r.flag(), output: r.flag(), extra: int(r.u(3))}
	r.u1() // sign_data_hiding
	p.cabacInit = r.flag()
	p.refs = [2]uint32{r.ue(), r.ue()}
	r.se() // init_qp
	r.u1() // constrained_intra_pred
	skip := r.flag()
	if r.flag() { // cu_qp_delta_enabled
		r.ue()
	}
	r.se() // cb and cr offsets
	r.se()
	p.chromaOffsets, p.weighted, p.biweighted = r.flag(), r.flag(), r.flag()
	r.u1() // transquant_bypass
	if p.tiles, p.sync = r.flag(), r.flag(); p.tiles {
		columns, rows := r.ue(), r.ue()
		if !r.flag() {
			for i := uint32(0); i < columns+rows && !r.short; i++ {
				r.ue()
			}
		}
		r.u1() // loop_filter_across_tiles
	}
	p.acrossSlices = r.flag()
	if r.flag() { // deblocking_filter_control_present
		if p.override, p.deblockingOff = r.flag(), r.flag(); !p.deblockingOff {
			r.se()
			r.se()
		}
	}
	if r.flag() {
		scalingLists(r)
	}
	p.listsModified = r.flag()
	r.ue() // log2_parallel_merge_level
	p.extended = r.flag()
	if r.flag() {
		ranges := r.flag()
		if r.u(7) != 0 {
			return fmt.Errorf("%w: an extension of H.265", errHeader)
		}
		if ranges {
			if skip {
				r.ue()
			}
			r.u1() // cross_component_prediction
			p.chromaOffsetList = r.flag()
		}
	}
	if r.short {
		return errHeader
	}
	s.pps[id] = p
	return nil
}

// scalingLists reads scaling_list_data (§7.3.4).
func scalingLists(r *bitReader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !r.flag() {
				r.ue()
				continue
			}
			if size > 1 {
				r.se()
			}
			for range min(64, 1<<(4+size*2)) {
				r.se()
			}
		}
	}
}

// clear is how many bytes of a NAL unit have to be in the clear: all of what is
// no slice segment, else headers up to the first byte that is video data alone.
func (s *h265Slices) clear(nalu []byte) (int, error) {
	if len(nalu) < 3 {
		return len(nalu), nil
	}
	typ := nalu[0] >> 1 & 63
	if typ > 31 {
		return len(nalu), nil
	}
	if typ > 9 && typ < 16 || typ > 21 {
		return 0, fmt.Errorf("%w: reserved unit %d", errHeader, typ)
	}
	r := &bitReader{b: nalu[2:]}
	if err := s.header(r, typ); err != nil {
		return 0, err
	}
	return min(2+r.end(), len(nalu)), nil
}

// header reads slice_segment_header with its alignment (§7.3.6.1).
func (s *h265Slices) header(r *bitReader, typ byte) error {
	first := r.flag()
	if typ >= 16 && typ <= 23 {
		r.u1() // no_output_of_prior_pics
	}
	pps := s.pps[r.ue()]
	if pps == nil || s.sps[pps.sps] == nil {
		return fmt.Errorf("%w: unknown parameter set", errHeader)
	}
	sps := s.sps[pps.sps]
	dependent := false
	if !first {
		if pps.dependent {
			dependent = r.flag()
		}
		r.u(addressBits(sps))
	}
	if !dependent {
		if err := independent(r, typ, sps, pps); err != nil {
			return err
		}
	}
	if pps.tiles || pps.sync {
		if n := r.ue(); n > 0 {
			length := int(r.ue()) + 1
			for i := uint32(0); i < n && !r.short; i++ {
				r.u(length)
			}
		}
	}
	if pps.extended {
		for n := r.ue(); n > 0 && !r.short; n-- {
			r.u(8)
		}
	}
	r.u1() // byte_alignment: a one, and what fills up the byte
	if r.short {
		return errHeader
	}
	return nil
}

// addressBits is the length of slice_segment_address.
func addressBits(sps *h265.SPS) int {
	size := uint32(1) << (sps.Log2MinLumaCodingBlockSizeMinus3 + 3 + sps.Log2DiffMaxMinLumaCodingBlockSize)
	blocks := ((sps.PicWidthInLumaSamples + size - 1) / size) * ((sps.PicHeightInLumaSamples + size - 1) / size)
	return bits.Len32(blocks - 1)
}

// independent reads what a dependent slice segment has not.
func independent(r *bitReader, typ byte, sps *h265.SPS, pps *h265PPS) error {
	r.u(pps.extra)
	kind := r.ue() // 0 B, 1 P, 2 I
	if pps.output {
		r.u1()
	}
	if sps.SeparateColourPlaneFlag {
		r.u(2)
	}
	used, mvp := 0, false
	if typ != 19 && typ != 20 { // IDR
		r.u(int(sps.Log2MaxPicOrderCntLsbMinus4) + 4)
		var err error
		if used, err = references(r, sps, pps); err != nil {
			return err
		}
		if sps.TemporalMvpEnabledFlag {
			mvp = r.flag()
		}
	}
	chroma := sps.ChromaFormatIdc != 0 && !sps.SeparateColourPlaneFlag
	luma, colour := false, false
	if sps.SampleAdaptiveOffsetEnabledFlag {
		if luma = r.flag(); chroma {
			colour = r.flag()
		}
	}
	if kind < 2 {
		predicted(r, kind == 0, chroma, mvp, used, pps)
	}
	r.se() // slice_qp_delta
	if pps.chromaOffsets {
		r.se()
		r.se()
	}
	if pps.chromaOffsetList {
		r.u1()
	}
	off := pps.deblockingOff
	if pps.override && r.flag() {
		if off = r.flag(); !off {
			r.se()
			r.se()
		}
	}
	if pps.acrossSlices && (luma || colour || !off) {
		r.u1()
	}
	return nil
}

// references reads which pictures are kept, and tells how many of them the
// picture may use, where that matters (§7.3.7).
func references(r *bitReader, sps *h265.SPS, pps *h265PPS) (used int, err error) {
	sets := sps.ShortTermRefPicSets
	switch n := uint32(len(sets)); {
	case r.flag(): // short_term_ref_pic_set_sps_flag
		i := 0
		if n > 1 {
			i = int(r.u(bits.Len32(n - 1)))
		}
		if i >= len(sets) {
			return 0, errHeader
		}
		for _, flags := range [][]bool{sets[i].UsedByCurrPicS0Flag, sets[i].UsedByCurrPicS1Flag} {
			for _, f := range flags {
				if f {
					used++
				}
			}
		}
	case n != 0 && r.flag(): // inter_ref_pic_set_prediction_flag
		if pps.listsModified {
			return 0, fmt.Errorf("%w: predicted sets of references with lists that are modified", errHeader)
		}
		delta := r.ue() + 1
		if delta > n {
			return 0, errHeader
		}
		r.u1()
		r.ue()
		from := sets[n-delta]
		for range from.NumNegativePics + from.NumPositivePics + 1 {
			if !r.flag() {
				r.u1()
			}
		}
	default:
		negative, positive := r.ue(), r.ue()
		for i := uint32(0); i < negative+positive && !r.short; i++ {
			r.ue()
			if r.flag() {
				used++
			}
		}
	}
	if sps.LongTermRefPicsPresentFlag {
		// None are in the set itself: such a set was not read.
		for n := r.ue(); n > 0 && !r.short; n-- {
			r.u(int(sps.Log2MaxPicOrderCntLsbMinus4) + 4)
			if r.flag() {
				used++
			}
			if r.flag() {
				r.ue()
			}
		}
	}
	return used, nil
}

// predicted reads what slices of the kinds P and B have.
func predicted(r *bitReader, b, chroma, mvp bool, used int, pps *h265PPS) {
	refs, lists := pps.refs, 1
	if b {
		lists = 2
	}
	if r.flag() {
		for i := range lists {
			refs[i] = r.ue()
		}
	}
	if pps.listsModified && used > 1 {
		for i := range lists {
			if r.flag() {
				for n := uint32(0); n <= refs[i] && !r.short; n++ {
					r.u(bits.Len(uint(used - 1)))
				}
			}
		}
	}
	if b {
		r.u1() // mvd_l1_zero
	}
	if pps.cabacInit {
		r.u1()
	}
	if mvp {
		list := 0
		if b && !r.flag() {
			list = 1
		}
		if refs[list] > 0 {
			r.ue()
		}
	}
	if pps.weighted && !b || pps.biweighted && b {
		weightTable(r, refs[:lists], chroma)
	}
	r.ue() // five_minus_max_num_merge_cand
}

// weightTable reads pred_weight_table (§7.3.6.3); unlike H.264's its flags come
// first. No two pictures of a list are of one time here, since there are no
// layers.
func weightTable(r *bitReader, refs []uint32, chroma bool) {
	r.ue()
	if chroma {
		r.se()
	}
	for _, last := range refs {
		n := min(last, 15) + 1
		luma, colour := make([]bool, n), make([]bool, n)
		for i := range luma {
			luma[i] = r.flag()
		}
		if chroma {
			for i := range colour {
				colour[i] = r.flag()
			}
		}
		for i := range luma {
			if luma[i] {
				r.se()
				r.se()
			}
			if colour[i] {
				for range 4 {
					r.se()
				}
			}
		}
	}
}
