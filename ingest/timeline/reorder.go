package timeline

import "slices"

// maxReorder is the deepest reordering H.264 and H.265 allow.
const maxReorder = 16

// maxGuessedReorder bounds the depth found by observation, where the sequence
// parameter set does not tell it.
const maxGuessedReorder = 4

// reorder derives decode times where the wire has presentation times only.
//
// Pictures come in decode order. A decoder holds back at most depth of them,
// so among the newest depth+1 presentation times the smallest one is due: it
// is the decode time of the picture that has just come. By construction it is
// never after that picture's own presentation time, and it never decreases as
// long as the depth is true; lost pictures do no harm. At constant frame rate
// it is the presentation order, delayed by depth frames, which is what an
// encoder writes. (The picture order count of the slices would give the same,
// but a derivation from it breaks on loss.)
type reorder struct {
	depth  int
	due    []int64 // sorted, at most depth
	newest int64   // what push returned last, while full
	full   bool
}

// push takes a picture's presentation time and returns its decode time. While
// the buffer fills after a start, decode times are spaced by frame.
func (r *reorder) push(pts, frame int64) int64 {
	if len(r.due) < r.depth {
		first := pts
		if len(r.due) > 0 {
			first = min(first, r.due[0])
		}
		dts := first - int64(r.depth-len(r.due))*frame
		r.insert(pts)
		return dts
	}
	r.insert(pts)
	r.newest, r.full = r.due[0], true
	r.due = slices.Delete(r.due, 0, 1)
	return r.newest
}

// tooShallow reports whether a picture shows that the depth is not enough: a
// later one has been let go.
func (r *reorder) tooShallow(pts int64) bool { return r.full && pts < r.newest }

// deepen takes back what was let go last and holds it.
func (r *reorder) deepen() {
	r.depth++
	if r.full {
		r.insert(r.newest)
	}
}

func (r *reorder) insert(pts int64) {
	i, _ := slices.BinarySearch(r.due, pts)
	r.due = slices.Insert(r.due, i, pts)
}

func (r *reorder) reset() { r.due, r.full = r.due[:0], false }
