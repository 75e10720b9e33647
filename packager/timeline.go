package packager

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// keptCuts is how many cuts a live presentation remembers: more than any
// rendition may be late.
const keptCuts = 256

// span is a segment as the Cutter announced it.
type span struct {
	media.Cut
	key *key // nil where media is in the clear
	// length is how long the segment is: up to the next cut where the media
	// goes on, else what came before the timeline broke. 0 is unknown yet.
	length time.Duration
	// over says that nothing more belongs to the segment: the next one was
	// announced.
	over bool
	// breaks says that the segment ends where the timeline does, so that its
	// renditions are as long as their media.
	breaks bool
}

// timeline is what the Cutter decided so far, for all renditions. It may be
// used by any goroutine.
type timeline struct {
	limit   time.Duration // the longest segment that TARGETDURATION allows
	nominal time.Duration
	forget  bool // a live presentation forgets old cuts

	mu    sync.Mutex
	spans []span // ascending, without holes in their numbers
}

// add announces a segment with its key. The error says how a cut contradicts the one before
// it; nothing is changed then.
func (t *timeline) add(c media.Cut, k *key) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.ClockRate <= 0 {
		return fmt.Errorf("cut %d has no clock", c.Segment)
	}
	if len(t.spans) > 0 {
		last := &t.spans[len(t.spans)-1]
		length := media.Duration(c.PTS, c.ClockRate) - media.Duration(last.PTS, last.ClockRate)
		switch {
		case c.Segment != last.Segment+1:
			return fmt.Errorf("cut %d after %d", c.Segment, last.Segment)
		case c.Discontinuity != last.Discontinuity && c.Discontinuity != last.Discontinuity+1:
			return fmt.Errorf("cut %d: discontinuity %d after %d", c.Segment, c.Discontinuity, last.Discontinuity)
		case c.Discontinuity == last.Discontinuity && length <= 0:
			return fmt.Errorf("cut %d does not follow in time", c.Segment)
		}
		last.over = true
		last.breaks = c.Discontinuity != last.Discontinuity
		if last.length == 0 {
			last.length = min(length, t.limit)
			if last.breaks && (length <= 0 || length > t.limit) {
				last.length = t.nominal // a leap, not a length
			}
		}
	}
	if t.forget && len(t.spans) == keptCuts {
		t.spans = slices.Delete(t.spans, 0, 1)
	}
	t.spans = append(t.spans, span{Cut: c, key: k})
	return nil
}

// at returns a segment. known is false for one that was not announced, or that
// is forgotten; forgotten tells them apart.
func (t *timeline) at(number uint64) (s span, known, forgotten bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 || number < t.spans[0].Segment {
		return span{}, false, len(t.spans) > 0
	}
	i := number - t.spans[0].Segment
	if i >= uint64(len(t.spans)) {
		return span{}, false, false
	}
	return t.spans[i], true, false
}

// newest returns the newest segment, 0 if there is none.
func (t *timeline) newest() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 {
		return 0
	}
	return t.spans[len(t.spans)-1].Segment
}

// stop ends the newest segment where its media ends, because the publisher is
// gone.
func (t *timeline) stop(length time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 || t.spans[len(t.spans)-1].over {
		return
	}
	last := &t.spans[len(t.spans)-1]
	last.length, last.over, last.breaks = min(max(length, time.Millisecond), t.limit), true, true
}

// ticks converts a point of the stream's timeline into ticks of rate.
func (s *span) ticks(rate int) int64 { return media.Rescale(s.PTS, s.ClockRate, rate) }
