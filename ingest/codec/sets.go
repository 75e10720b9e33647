package codec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/internal/media"
)

// Limits of what is kept of a stream's parameter sets. The standards allow
// more of them than any encoder sends.
const (
	maxSets    = 16
	maxSetSize = 4096 // bytes; the length fields of avcC and hvcC hold 65535
	idWithin   = 160  // bytes at the front in which a set's id stands
)

// Sets collects the parameter sets of one H264 or H265 track. The zero value
// of a set list is empty; sets of the same kind and id replace each other.
type Sets struct {
	codec media.Codec
	vps   []set
	sps   []set
	pps   []set
}

type set struct {
	id   uint32
	nalu []byte
}

// NewSets returns an empty collection for media.H264 or media.H265.
func NewSets(c media.Codec) *Sets { return &Sets{codec: c} }

// Add keeps a parameter set and reports whether it was new. NAL units of
// other types, and broken ones, are ignored.
func (s *Sets) Add(nalu []byte) bool {
	list, header, read := s.list(nalu)
	if list == nil || len(nalu) > maxSetSize {
		return false
	}
	r := newBitReader(nalu[:min(len(nalu), idWithin)], header)
	id := read(r)
	if r.over {
		return false
	}
	i := slices.IndexFunc(*list, func(e set) bool { return e.id == id })
	switch {
	case i >= 0 && bytes.Equal((*list)[i].nalu, nalu):
		return false
	case i >= 0:
		(*list)[i].nalu = bytes.Clone(nalu)
	case len(*list) >= maxSets:
		return false
	default:
		*list = append(*list, set{id, bytes.Clone(nalu)})
	}
	return true
}

// list finds where a NAL unit belongs, how long its header is, and how to get
// at its id.
func (s *Sets) list(nalu []byte) (list *[]set, header int, id func(*bitReader) uint32) {
	if len(nalu) == 0 {
		return nil, 0, nil
	}
	if s.codec == media.H264 {
		switch h264Type(nalu) {
		case h264SPS:
			return &s.sps, 1, func(r *bitReader) uint32 {
				r.skip(24) // profile, constraints, level: 7.3.2.1.1
				return r.ue()
			}
		case h264PPS:
			return &s.pps, 1, (*bitReader).ue
		}
		return nil, 0, nil
	}
	switch h265Type(nalu) {
	case h265VPS:
		return &s.vps, 2, func(r *bitReader) uint32 { return r.bits(4) } // 7.3.2.1
	case h265SPS:
		return &s.sps, 2, func(r *bitReader) uint32 {
			r.skip(4)
			layers := r.bits(3)
			r.skip(1)
			(&spsH265{}).readPTL(r, layers)
			return r.ue()
		}
	case h265PPS:
		return &s.pps, 2, (*bitReader).ue
	}
	return nil, 0, nil
}

// Complete reports whether a decoder could be configured.
func (s *Sets) Complete() bool {
	return len(s.sps) > 0 && len(s.pps) > 0 && (s.codec == media.H264 || len(s.vps) > 0)
}

// NALUs returns the sets in the order a decoder wants them.
func (s *Sets) NALUs() [][]byte {
	var all [][]byte
	for _, list := range [][]set{s.vps, s.sps, s.pps} {
		for _, e := range list {
			all = append(all, e.nalu)
		}
	}
	return all
}

// First returns the first set of each kind, nil where there is none; for wires
// that can tell only one. VPS is nil for H264.
func (s *Sets) First() (vps, sps, pps []byte) {
	first := func(list []set) []byte {
		if len(list) == 0 {
			return nil
		}
		return list[0].nalu
	}
	return first(s.vps), first(s.sps), first(s.pps)
}

// errIncomplete is returned for a track whose sets have not all been seen.
var errIncomplete = errors.New("parameter sets missing")

// Describe fills the parameters of t that the sets determine: Config, size,
// shape, rate and format of the picture.
func (s *Sets) Describe(t *media.Track) error {
	if !s.Complete() {
		return errIncomplete
	}
	var err error
	if s.codec == media.H264 {
		err = s.describeH264(t)
	} else {
		err = s.describeH265(t)
	}
	if err != nil {
		return fmt.Errorf("parse %s parameter sets: %w", s.codec, err)
	}
	return nil
}

// ParseSets reads the parameter sets back from a track's Config.
func ParseSets(t *media.Track) (*Sets, error) {
	s := NewSets(t.Codec)
	var err error
	switch t.Codec {
	case media.H264:
		err = s.parseAVCC(t.Config)
	case media.H265:
		err = s.parseHVCC(t.Config)
	default:
		return nil, fmt.Errorf("%s has no parameter sets", t.Codec)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// reduced returns num/den in lowest terms, or unknown when it is no plausible
// frame rate or aspect.
func reduced(num, den uint64) media.Rational {
	if num == 0 || den == 0 {
		return media.Rational{}
	}
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	num, den = num/a, den/a
	if num > 1<<31-1 || den > 1<<31-1 {
		return media.Rational{}
	}
	return media.Rational{Num: int(num), Den: int(den)}
}

// frameRate is reduced for rates of 1 to 300 frames a second.
func frameRate(num, den uint64) media.Rational {
	if den == 0 || num < den || num/300 > den {
		return media.Rational{}
	}
	return reduced(num, den)
}

// sampleAspects is table E-1 of H.264 and H.265.
var sampleAspects = [...]media.Rational{
	1: {Num: 1, Den: 1}, 2: {Num: 12, Den: 11}, 3: {Num: 10, Den: 11}, 4: {Num: 16, Den: 11},
	5: {Num: 40, Den: 33}, 6: {Num: 24, Den: 11}, 7: {Num: 20, Den: 11}, 8: {Num: 32, Den: 11},
	9: {Num: 80, Den: 33}, 10: {Num: 18, Den: 11}, 11: {Num: 15, Den: 11}, 12: {Num: 64, Den: 33},
	13: {Num: 160, Den: 99}, 14: {Num: 4, Den: 3}, 15: {Num: 3, Den: 2}, 16: {Num: 2, Den: 1},
}

const extendedSAR = 255

var chromaNames = [...]string{"4:0:0", "4:2:0", "4:2:2", "4:4:4"}

// maxDimension is the widest and highest picture believed.
const maxDimension = 16384

func plausibleSize(w, h int) error {
	if w <= 0 || h <= 0 || w > maxDimension || h > maxDimension {
		return fmt.Errorf("picture of %dx%d", w, h)
	}
	return nil
}
