package protect

// bitReader reads a NAL unit's payload bit by bit, over its emulation prevention
// (ITU-T H.264 §7.4.1.1). What is read beyond its end is 0, and noted.
type bitReader struct {
	b     []byte
	at    int // of the byte that is read from
	bit   int // of it that were read
	zeros int // bytes of 0 right before at
	short bool
}

func (r *bitReader) u1() uint32 {
	if r.bit == 0 && r.zeros >= 2 && r.at < len(r.b) && r.b[r.at] == 3 {
		r.at++
		r.zeros = 0
	}
	if r.at >= len(r.b) {
		r.short = true
		return 0
	}
	v := r.b[r.at] >> (7 - r.bit) & 1
	if r.bit++; r.bit == 8 {
		if r.b[r.at] == 0 {
			r.zeros++
		} else {
			r.zeros = 0
		}
		r.bit, r.at = 0, r.at+1
	}
	return uint32(v)
}

func (r *bitReader) flag() bool { return r.u1() == 1 }

func (r *bitReader) u(n int) (v uint32) {
	for range n {
		v = v<<1 | r.u1()
	}
	return v
}

// ue reads an Exp-Golomb code (§9.1).
func (r *bitReader) ue() uint32 {
	n := 0
	for !r.short && n < 32 && r.u1() == 0 {
		n++
	}
	if n == 32 {
		r.short = true
		return 0
	}
	return 1<<n - 1 + r.u(n)
}

// se is ue for what may be negative; its value is never needed here.
func (r *bitReader) se() { r.ue() }

// end is the offset of the first byte of which nothing was read.
func (r *bitReader) end() int {
	if r.bit > 0 {
		return r.at + 1
	}
	return r.at
}
