package packager

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Errors of Mark that a caller may branch on.
var (
	ErrNoMarks  = errors.New("the presentation takes no markers")
	ErrMarkerID = errors.New("the ID belongs to another date range")
	ErrNoRange  = errors.New("no date range with that ID goes on")
	ErrTooMany  = errors.New("too many markers")
)

// What a presentation remembers of markers.
const (
	maxWaitingMarkers = 64   // that came before the first cut
	maxDateRanges     = 4096 // that some playlist lists, or will
	maxEvents         = 256  // whose time has not come, or has just passed
	maxUsedIDs        = 8192 // of date ranges that no playlist lists any more
)

// keptEvents is how long events are kept behind the newest cut, for renditions
// that are late.
const keptEvents = 2 * time.Minute

// marks are the markers of a presentation. What readers see is immutable and
// swapped.
type marks struct {
	ranges atomic.Pointer[[]dateRange] // ordered by start; never nil
	events atomic.Pointer[[]event]     // in the order in which they came; never nil

	mu      sync.Mutex
	waiting []media.Marker
	cues    []media.Cue // that came before the first cut
	used    map[string]bool
	usedIDs []string // of used, oldest first
	serial  uint64   // of the newest event

	ahead atomic.Int64 // see Ahead
}

func (k *marks) init() {
	k.ranges.Store(&[]dateRange{})
	k.events.Store(&[]event{})
	k.used = map[string]bool{}
}

// Mark puts a marker on the presentation: a date range appears in all playlists
// with their next part or segment, and goes when it maps to no segment that
// they list; metadata is carried by the part that is shown at its time, in all
// video renditions, or in those of the sound where there are none.
//
// Marking an ID again adds to its date range what was not said of it before.
// The marker that is returned has Date and At, both, unless there is no media
// yet. It may be called from any goroutine, never waits for media, and fails
// with media.ErrMarker or one of the errors above, with ErrEnded or ErrClosed.
func (p *Presentation) Mark(m media.Marker) (media.Marker, error) {
	if !p.cfg.Markers {
		return m, ErrNoMarks
	}
	if err := m.Check(); err != nil {
		return m, err
	}
	if err := p.closedOrEnded(); err != nil {
		return m, err
	}
	placed, err := p.placeOrWait(&m)
	if placed {
		p.recordRange(&m)
	}
	return m, err
}

// placeOrWait places a marker, or has it wait for the first cut.
func (p *Presentation) placeOrWait(m *media.Marker) (placed bool, err error) {
	k := &p.marks
	k.mu.Lock()
	defer k.mu.Unlock()
	if p.timeline.locate(&m.Date, &m.At) {
		err = p.place(m)
		return err == nil, err
	}
	if len(k.waiting) == maxWaitingMarkers {
		return false, fmt.Errorf("%w: %d wait for the first segment", ErrTooMany, maxWaitingMarkers)
	}
	k.waiting = append(k.waiting, *m)
	return false, nil
}

// recordRange tells the recorder of a date range; it may write to a disk.
func (p *Presentation) recordRange(m *media.Marker) {
	if p.cfg.Recorder != nil && m.Kind == media.DateRange {
		p.cfg.Recorder.DateRange(entry(m))
	}
}

// DateRanges are those that some playlist lists, or will; ordered by start.
func (p *Presentation) DateRanges() []media.Marker {
	ranges := *p.marks.ranges.Load()
	out := make([]media.Marker, 0, len(ranges))
	for i := range ranges {
		out = append(out, ranges[i].Marker)
	}
	return out
}

// Ahead is how far the dates of segments are before the clock here, as of the
// newest cut.
func (p *Presentation) Ahead() time.Duration { return time.Duration(p.marks.ahead.Load()) }

// place does what a marker with its time asks for. k.mu is held.
func (p *Presentation) place(m *media.Marker) error {
	switch m.Kind {
	case media.Metadata:
		return p.addEvent(m)
	case media.DateRangeEnd:
		return p.endRange(m)
	default:
		return p.addRange(m)
	}
}

// cutMarks gives markers that waited for the first cut their time, and forgets
// what nobody needs any more, now that another segment begins.
func (p *Presentation) cutMarks(c media.Cut) {
	k := &p.marks
	k.ahead.Store(int64(time.Until(c.Wall)))
	k.mu.Lock()
	waited := k.waiting
	k.waiting = nil
	k.mu.Unlock()
	for i := range waited {
		if m, err := p.Mark(waited[i]); err != nil {
			p.trouble("", fmt.Errorf("marker %q: %w", m.ID, err))
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p.forgetRanges()
	old := *k.events.Load()
	since := media.Duration(c.PTS, c.ClockRate) - keptEvents
	if kept := slices.DeleteFunc(slices.Clone(old), func(e event) bool { return e.at < since }); len(kept) < len(old) {
		k.events.Store(&kept)
	}
}

// locate completes a time by what the cuts say of dates: where the date is zero
// it follows from the media time, else that from it. False before the first of
// them.
func (t *timeline) locate(date *time.Time, pts *time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 {
		return false
	}
	at := &t.spans[0]
	for i := len(t.spans) - 1; i > 0; i-- {
		s := &t.spans[i]
		if !date.IsZero() && !date.Before(s.Wall) || date.IsZero() && *pts >= media.Duration(s.PTS, s.ClockRate) {
			at = s
			break
		}
	}
	from := media.Duration(at.PTS, at.ClockRate)
	if date.IsZero() {
		*date = at.Wall.Add(*pts - from)
	} else {
		*pts = from + date.Sub(at.Wall)
	}
	return true
}
