package timeline

import "github.com/millrace/millrace/internal/media"

// unwrapper extends a counter of few bits to 64.
type unwrapper struct {
	bits int // width of the counter; 64 or 0: does not wrap
	raw  int64
	last int64
}

// next returns the extended value of the counter. A step of more than half
// the counter's range cannot be told from one in the other direction.
func (w *unwrapper) next(raw int64) int64 {
	w.last += w.signed(raw - w.raw)
	w.raw = raw
	return w.last
}

// start sets the first value, near another extended value when tracks share a
// clock and one of them has wrapped already.
func (w *unwrapper) start(raw, near int64) int64 {
	w.raw = raw
	w.last = near + w.signed(raw-near)
	return w.last
}

// near is the extended value of a counter value that does not move the counter.
func (w *unwrapper) near(raw int64) int64 { return w.last + w.signed(raw-w.raw) }

// signed reads the low bits of a difference as a signed number.
func (w *unwrapper) signed(d int64) int64 {
	if w.bits <= 0 || w.bits >= 64 {
		return d
	}
	shift := 64 - w.bits
	return d << shift >> shift
}

// scaleBits is the precision of a mapping's rate correction: 2^-24, a second
// in half a year.
const scaleBits = 24

// unscaled is the scale of a clock whose rate is right.
const unscaled = 1 << scaleBits

// mapping is a line from extended wire time to the track's output ticks.
type mapping struct {
	raw, out int64
	scale    int64 // rate correction; unscaled: none
	wire     int   // wire ticks a second
	rate     int   // output ticks a second
}

func (m *mapping) at(u int64) int64 {
	d := u - m.raw
	if m.scale == unscaled {
		return m.out + media.Rescale(d, m.wire, m.rate)
	}
	return m.out + media.Rescale(d, m.wire<<scaleBits, m.rate*int(m.scale))
}

// span converts a distance in wire time, rate correction included.
func (m *mapping) span(d int64) int64 { return m.at(m.raw+d) - m.out }

// anchor lets wire time u fall on out from now on.
func (m *mapping) anchor(u, out int64) { m.raw, m.out = u, out }
