package protect

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// errHeader says that a slice header cannot be read.
var errHeader = errors.New("slice header cannot be read")

// h264Slices knows the parameter sets of a track.
type h264Slices struct {
	sps map[uint32]*h264.SPS
	pps map[uint32]*h264PPS
}

// h264PPS is what slice headers need of a picture parameter set (ITU-T H.264
// §7.3.2.2).
type h264PPS struct {
	sps                 uint32
	cabac, fieldOrder   bool
	sliceGroups         uint32
	refs                [2]uint32 // num_ref_idx_l*_default_active_minus1
	weighted            bool
	bipred              uint32
	deblock, redundancy bool
}

// newH264 reads the sets of an avcC (ISO/IEC 14496-15 §5.3.3.1).
func newH264(config []byte) (*h264Slices, error) {
	s := &h264Slices{sps: map[uint32]*h264.SPS{}, pps: map[uint32]*h264PPS{}}
	if len(config) < 6 {
		return nil, errHeader
	}
	rest := config[5:]
	for kind := range 2 {
		if len(rest) < 1 {
			return nil, errHeader
		}
		n := int(rest[0])
		if kind == 0 {
			n &= 31
		}
		rest = rest[1:]
		for range n {
			var nalu []byte
			if nalu, rest = cut16(rest); nalu == nil {
				return nil, errHeader
			}
			if err := s.add(kind == 0, nalu); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// cut16 takes off what follows its length in two bytes; nil where it is short.
func cut16(b []byte) (first, rest []byte) {
	if len(b) < 2 {
		return nil, nil
	}
	n := int(b[0])<<8 | int(b[1])
	if n < 2 || len(b) < 2+n {
		return nil, nil
	}
	return b[2 : 2+n], b[2+n:]
}

func (s *h264Slices) add(isSPS bool, nalu []byte) error {
	if isSPS {
		sps := &h264.SPS{}
		if err := sps.Unmarshal(nalu); err != nil {
			return fmt.Errorf("read SPS: %w", err)
		}
		s.sps[sps.ID] = sps
		return nil
	}
	r := &bitReader{b: nalu[1:]}
	id := r.ue()
	p := &h264PPS{sps: r.ue(), cabac: r.flag(), fieldOrder: r.flag()}
	if p.sliceGroups = r.ue(); p.sliceGroups > 0 {
		// Baseline's arbitrary slice groups: no encoder in use makes them.
		return fmt.Errorf("%w: slice groups", errHeader)
	}
	p.refs = [2]uint32{r.ue(), r.ue()}
	p.weighted, p.bipred = r.flag(), r.u(2)
	r.se() // pic_init_qp
	r.se() // pic_init_qs
	r.se() // chroma_qp_index_offset
	p.deblock = r.flag()
	r.u1() // constrained_intra_pred
	p.redundancy = r.flag()
	if r.short {
		return errHeader
	}
	s.pps[id] = p
	return nil
}

// clear is how many bytes of a NAL unit have to be in the clear: all of what is
// no slice, else header and slice header, up to the first byte that is video
// data alone.
func (s *h264Slices) clear(nalu []byte) (int, error) {
	typ := nalu[0] & 31
	if typ < 1 || typ > 5 {
		return len(nalu), nil
	}
	if typ != 1 && typ != 5 {
		return 0, fmt.Errorf("%w: data partitions", errHeader)
	}
	r := &bitReader{b: nalu[1:]}
	if err := s.header(r, typ == 5, nalu[0]>>5&3 != 0); err != nil {
		return 0, err
	}
	return min(1+r.end(), len(nalu)), nil
}

// The kinds of slices (§7.4.3), modulo 5.
const (
	sliceP  = 0
	sliceB  = 1
	sliceI  = 2
	sliceSP = 3
	sliceSI = 4
)

// header reads a slice header (§7.3.3) to its end.
func (s *h264Slices) header(r *bitReader, idr, reference bool) error {
	r.ue() // first_mb_in_slice
	kind := r.ue() % 5
	pps := s.pps[r.ue()]
	if pps == nil || s.sps[pps.sps] == nil {
		return fmt.Errorf("%w: unknown parameter set", errHeader)
	}
	sps := s.sps[pps.sps]
	if sps.SeparateColourPlaneFlag {
		r.u(2)
	}
	r.u(int(sps.Log2MaxFrameNumMinus4) + 4)
	field := false
	if !sps.FrameMbsOnlyFlag {
		if field = r.flag(); field {
			r.u1() // bottom_field_flag
		}
	}
	if idr {
		r.ue() // idr_pic_id
	}
	if sps.PicOrderCntType == 0 {
		r.u(int(sps.Log2MaxPicOrderCntLsbMinus4) + 4)
		if pps.fieldOrder && !field {
			r.se()
		}
	}
	if sps.PicOrderCntType == 1 && !sps.DeltaPicOrderAlwaysZeroFlag {
		r.se()
		if pps.fieldOrder && !field {
			r.se()
		}
	}
	if pps.redundancy {
		r.ue()
	}
	intra := kind == sliceI || kind == sliceSI
	refs := pps.refs
	if kind == sliceB {
		r.u1() // direct_spatial_mv_pred_flag
	}
	if !intra && r.flag() {
		if refs[0] = r.ue(); kind == sliceB {
			refs[1] = r.ue()
		}
	}
	lists := 0
	if !intra {
		lists = 1
	}
	if kind == sliceB {
		lists = 2
	}
	for range lists {
		if r.flag() {
			for r.ue() != 3 && !r.short {
				r.ue()
			}
		}
	}
	if pps.weighted && (kind == sliceP || kind == sliceSP) || pps.bipred == 1 && kind == sliceB {
		weights(r, refs[:lists], sps.ChromaFormatIdc != 0 && !sps.SeparateColourPlaneFlag)
	}
	if reference {
		marking(r, idr)
	}
	if pps.cabac && !intra {
		r.ue() // cabac_init_idc
	}
	r.se() // slice_qp_delta
	if kind == sliceSP || kind == sliceSI {
		if kind == sliceSP {
			r.u1()
		}
		r.se()
	}
	if pps.deblock && r.ue() != 1 {
		r.se()
		r.se()
	}
	if r.short {
		return errHeader
	}
	return nil
}

// weights reads pred_weight_table (§7.3.3.2).
func weights(r *bitReader, refs []uint32, chroma bool) {
	r.ue()
	if chroma {
		r.ue()
	}
	for _, last := range refs {
		for i := uint32(0); i <= last && !r.short; i++ {
			if r.flag() {
				r.se()
				r.se()
			}
			if chroma && r.flag() {
				for range 4 {
					r.se()
				}
			}
		}
	}
}

// marking reads dec_ref_pic_marking (§7.3.3.3).
func marking(r *bitReader, idr bool) {
	if idr {
		r.u(2)
		return
	}
	if !r.flag() {
		return
	}
	for !r.short {
		op := r.ue()
		switch op {
		case 0:
			return
		case 1, 2, 4, 6:
			r.ue()
		case 3:
			r.ue()
			r.ue()
		}
	}
}
