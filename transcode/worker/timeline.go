package worker

import (
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// cut is where a segment starts, in the clock of the line that holds it, and
// what has to be given up from there on.
type cut struct {
	segment, discontinuity uint64
	pts                    int64
	tune                   *wire.Tune
}

// in moves a cut into a clock. It rounds up: a frame at or after the result is
// at or after the cut.
func (c cut) in(from, to int) cut {
	pts := media.Rescale(c.pts, from, to)
	if media.Rescale(pts, to, from) < c.pts {
		pts++
	}
	c.pts = pts
	return c
}

// timeline finds the segment of a timestamp. Cuts are added before they are
// reached and in order.
type timeline struct {
	pending []cut
	current cut
	begun   bool
}

func (t *timeline) add(c cut) { t.pending = append(t.pending, c) }

// at returns the segment that pts lies in and whether pts is the first one
// asked for in it. It is not ok before the first cut.
func (t *timeline) at(pts int64) (c cut, first, ok bool) {
	n := 0
	for n < len(t.pending) && t.pending[n].pts <= pts {
		n++
	}
	if n > 0 {
		t.current, t.begun = t.pending[n-1], true
		t.pending = append(t.pending[:0], t.pending[n:]...)
	}
	return t.current, n > 0, t.begun
}

// reset forgets all cuts: what follows belongs to what came before in nothing.
func (t *timeline) reset() { *t = timeline{pending: t.pending[:0]} }
