package codec

// bitReader reads a NAL unit's payload bit by bit. Past the end it returns
// zeros and remembers that: parsers look once, at the end. (The bit functions
// of mediacommon index beyond the buffer in some of these cases, and its SPS
// parsers allocate by numbers that they have just read; a stranger's parameter
// set must not bring the server down.)
type bitReader struct {
	b    []byte
	pos  int // in bits
	over bool
}

// newBitReader reads a NAL unit behind its header, without the emulation
// prevention bytes (7.4.1 of H.264 and H.265).
func newBitReader(nalu []byte, header int) *bitReader {
	if len(nalu) < header {
		return &bitReader{over: true}
	}
	return &bitReader{b: unescape(nalu[header:])}
}

// unescape removes the emulation prevention bytes: 00 00 03 is 00 00.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// bits reads n bits, 32 at most.
func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bitReader) bit() uint32 {
	if r.over || r.pos>>3 >= len(r.b) {
		r.over = true
		return 0
	}
	v := r.b[r.pos>>3] >> (7 - r.pos&7) & 1
	r.pos++
	return uint32(v)
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

func (r *bitReader) skip(n int) {
	r.pos += n
	r.over = r.over || r.pos > 8*len(r.b)
}

// ue reads ue(v), 9.1.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		if zeros++; r.over || zeros > 31 {
			r.over = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// count reads ue(v) that must not exceed limit.
func (r *bitReader) count(limit uint32) int {
	v := r.ue()
	if v > limit {
		r.over = true
		return 0
	}
	return int(v)
}

// se reads se(v), 9.1.1.
func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2 + 1)
	}
	return -int32(v / 2)
}
