package worker

import (
	"math"
	"math/bits"

	"github.com/millrace/millrace/transcode/wire"
)

// cut is where a segment starts and what has to be given up from there on.
type cut struct {
	segment, discontinuity uint64
	pts                    int64
	clock                  int // ticks of pts a second
	tune                   *wire.Tune
}

// in moves a cut into another clock. It rounds up, so that exactly what is at
// or after the cut is at or after the result.
func (c cut) in(clock int) cut {
	if c.clock != clock && c.clock > 0 && c.pts >= 0 {
		hi, lo := bits.Mul64(uint64(c.pts), uint64(clock))
		if hi < uint64(c.clock) {
			q, rest := bits.Div64(hi, lo, uint64(c.clock))
			if rest > 0 {
				q++
			}
			c.pts = int64(min(q, math.MaxInt64))
		}
	}
	c.clock = clock
	return c
}

// timeline finds the segment of a timestamp. Cuts are added before they are
// reached and in order.
type timeline struct {
	clock   int // of the timestamps
	pending []cut
	current cut
	begun   bool
}

func (t *timeline) add(c cut) { t.pending = append(t.pending, c) }

// at returns the segment that pts lies in and whether pts is the first one
// asked for in it. It is not ok before the first cut.
func (t *timeline) at(pts int64) (c cut, first, ok bool) {
	n := 0
	for n < len(t.pending) && t.pending[n].in(t.clock).pts <= pts {
		n++
	}
	if n > 0 {
		t.current, t.begun = t.pending[n-1].in(t.clock), true
		t.pending = append(t.pending[:0], t.pending[n:]...)
	}
	return t.current, n > 0, t.begun
}

// reset forgets all cuts: what follows belongs to what came before in nothing.
func (t *timeline) reset() { *t = timeline{clock: t.clock, pending: t.pending[:0]} }
