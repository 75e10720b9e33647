package libav

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// breaks are the places where a container's time jumps: files that were put
// one after the other, broadcasts that were spliced. Every stream comes to a
// break in its own time, and after it all of them are shifted alike, so that
// sound and picture stay together.
type breaks struct {
	spliced bool            // the container is known to jump ahead, too
	shifts  []time.Duration // after each break
	end     time.Duration   // of what has come, on all streams
}

// What is no jump yet.
const (
	mostBack  = time.Second
	mostAhead = 10 * time.Second

	// The stream that comes to a break first need not start first after it.
	breakGap = 50 * time.Millisecond
)

// jumped reports whether a packet that comes off ticks from where it was
// expected is on another timeline.
func (b *breaks) jumped(off int64, rate int) bool {
	d := media.Duration(off, rate)
	return d < -mostBack || b.spliced && d > mostAhead
}

// next takes a stream, whose next packet is at a time by its present shift,
// over its next break and returns the number of breaks it has seen then. The
// first stream to come there decides on the shift: nothing of what follows may
// lie over what was there.
func (b *breaks) next(seen int, at time.Duration) int {
	if seen == len(b.shifts) {
		b.shifts = append(b.shifts, b.shift(seen)+b.end+breakGap-at)
	}
	return seen + 1
}

// shift is what holds after a number of breaks.
func (b *breaks) shift(seen int) time.Duration {
	if seen == 0 {
		return 0
	}
	return b.shifts[seen-1]
}
