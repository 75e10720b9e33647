package timeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Limits of what is repaired how.
const (
	jumpForward   = time.Second           // a step ahead of the arrivals by more is a jump
	jumpBackward  = 50 * time.Millisecond // a step back by more is one
	offsetLimit   = 10 * time.Second      // presentation further from decoding is nonsense
	persistTime   = time.Second           // a new clock that lasts this long is believed
	persistCount  = 8                     // ... and for that many samples
	gapReset      = time.Second           // a gap after which the reorder buffer starts anew
	sameBreak     = 5 * time.Second       // jumps of several tracks within are one break
	headroom      = time.Second           // before the first sample, for tracks that start earlier
	snapLimit     = 10 * time.Millisecond // audio this near to seamless is made seamless
	snapFree      = 2 * time.Millisecond  // ... and this near is not even slewed
	alignLimit    = 10 * time.Second      // larger differences of wall clocks are nonsense
	alignStep     = 40 * time.Millisecond // larger errors between tracks are stepped, smaller slewed
	alignFree     = 5 * time.Millisecond  // smaller ones are left alone
	alignPatience = 10 * time.Second      // how long an error must last before a step
	slewDivisor   = 1000                  // slewing moves a frame by at most 1/1000 of its duration
)

// Config describes one track's clocks.
type Config struct {
	Video bool
	Wire  int // ticks a second on the wire
	Bits  int // width of the wire's counter: 32, 33, or 64 where it never wraps
	Rate  int // ticks a second of the output

	// Frame is the nominal distance of frames in output ticks; 0 unknown.
	Frame int64

	// Reorder is the number of pictures a decoder has to hold back, for video
	// without decode times on the wire; -1 unknown.
	Reorder int
}

// Sample is what the wire says about one sample.
type Sample struct {
	PTS, DTS int64 // in wire ticks; only the counter's low bits count
	HasDTS   bool
	Duration int64         // audio: exact duration in output ticks; 0 unknown
	Arrival  time.Duration // when it came, on the stream's clock (0: its creation)
	NTP      time.Time     // the sender's wall clock at PTS; zero unknown
}

// Stamp is a sample's place on the timeline.
type Stamp struct {
	PTS, DTS int64 // in output ticks
	Epoch    uint32
}

// Repairs counts what was wrong with a stream's time.
type Repairs struct {
	Jumped    uint64 `json:"jumped"`    // samples stamped far away, re-stamped
	Breaks    uint64 `json:"breaks"`    // jumps that persisted: new epochs
	Backwards uint64 `json:"backwards"` // decode times that did not increase, nudged
	PTSFirst  uint64 `json:"ptsFirst"`  // presentation times before their decode time, raised
	Derived   uint64 `json:"derived"`   // decode times derived, the wire having none, of streams that reorder
	Reorders  uint64 `json:"reorders"`  // times the reorder depth proved too small
	Rates     uint64 `json:"rates"`     // corrections of a wrong clock rate
	Aligned   uint64 `json:"aligned"`   // steps to align tracks with each other
	Dropped   uint64 `json:"dropped"`   // samples without a place, dropped
}

// Timeline places the samples of one stream. Its methods must not be called
// concurrently.
type Timeline struct {
	// Repairs may be read between calls.
	Repairs Repairs

	shared bool
	tracks map[int]*track
	lead   *track                // what others are aligned to
	last   map[int]time.Duration // the end of each track's output over all restarts
	floor  time.Duration         // the end of everything placed before the restart

	shift     time.Duration // from arrival to output, for tracks that nothing else aligns
	hasOrigin bool          // shift is set

	epoch    uint32
	placed   bool          // something was, since the restart
	broken   time.Duration // arrival of the newest break
	hasBreak bool

	skew    time.Duration
	hasSkew bool
}

// New returns an empty Timeline.
func New() *Timeline {
	return &Timeline{tracks: map[int]*track{}, last: map[int]time.Duration{}}
}

// Restart forgets the tracks: another publisher continues the timeline, at its
// arrival time or right behind what was placed before, in the next epoch.
// shared says that the timestamps of all its tracks come from one clock.
func (t *Timeline) Restart(shared bool) {
	for id := range t.tracks {
		t.close(id)
	}
	for _, end := range t.last {
		t.floor = max(t.floor, end)
	}
	if t.placed {
		t.epoch++
	}
	clear(t.tracks)
	t.shared, t.lead = shared, nil
	t.placed, t.hasOrigin, t.hasBreak, t.hasSkew = false, false, false, false
}

// SetTrack adds a track, or says that its parameters have changed. Another
// clock rate starts the track anew, behind what it has placed.
func (t *Timeline) SetTrack(id int, c Config) {
	if tr := t.tracks[id]; tr != nil {
		if tr.c.Wire == c.Wire && tr.c.Rate == c.Rate && tr.c.Bits == c.Bits {
			tr.configure(c)
			return
		}
		t.close(id)
	}
	t.tracks[id] = newTrack(t, id, c)
	t.elect()
}

// close remembers where a track's output ended.
func (t *Timeline) close(id int) {
	if tr := t.tracks[id]; tr.placed() {
		t.last[id] = tr.time(tr.end()) + time.Millisecond
	}
}

// floorOf is the first output tick that a track may begin at.
func (t *Timeline) floorOf(tr *track) int64 {
	return max(tr.ticks(max(t.floor, t.last[tr.id])), 0)
}

// Place returns the sample's stamp, or false when it has no place and must be
// dropped: it lies before the stream's beginning, or audio was moved back to
// align it and this sample is in the way.
func (t *Timeline) Place(id int, s Sample) (Stamp, bool) {
	tr := t.tracks[id]
	if tr == nil {
		t.Repairs.Dropped++
		return Stamp{}, false
	}
	pts, dts, ok := tr.place(s)
	if !ok {
		t.Repairs.Dropped++
		return Stamp{}, false
	}
	t.placed = true
	return Stamp{PTS: pts, DTS: dts, Epoch: t.epoch}, true
}

// Skew is how far audio was from video by the sender's clock when last
// compared, before correction: positive when audio was placed too early.
func (t *Timeline) Skew() (time.Duration, bool) { return t.skew, t.hasSkew }

// Drift is how far a track's clock has run from the arrival clock since the
// track started: positive when the sender's clock is fast. It takes two
// windows of ten seconds to know.
func (t *Timeline) Drift(id int) (time.Duration, bool) {
	tr := t.tracks[id]
	if tr == nil {
		return 0, false
	}
	return tr.drift.value()
}

// SenderWall returns the sender's wall clock at an output time of a track.
func (t *Timeline) SenderWall(id int, pts int64) (time.Time, bool) {
	tr := t.tracks[id]
	if tr == nil || !tr.align.hasNTP {
		return time.Time{}, false
	}
	return time.Unix(0, int64(tr.align.ntp)).Add(media.Duration(pts, tr.c.Rate)), true
}

// At returns where a wire time of a track is on the timeline, whether or not
// something with that time will come: false before anything of it was placed.
func (t *Timeline) At(id int, pts int64) (time.Duration, bool) {
	tr := t.tracks[id]
	if tr == nil || !tr.placed() {
		return 0, false
	}
	clock := &tr.main
	if tr.hasOther {
		clock = &tr.other
	}
	return tr.time(clock.at(tr.clock.near(pts))), true
}

// elect chooses whom others are aligned to: the first started video track,
// else the first started one.
func (t *Timeline) elect() {
	t.lead = nil
	for _, tr := range t.tracks {
		if !tr.started {
			continue
		}
		if l := t.lead; l == nil || tr.c.Video && !l.c.Video || tr.c.Video == l.c.Video && tr.id < l.id {
			t.lead = tr
		}
	}
}

// breakAt starts a new epoch, unless another track has just done so for the
// same reason.
func (t *Timeline) breakAt(arrival time.Duration) {
	if t.hasBreak && arrival-t.broken < sameBreak {
		return
	}
	t.hasBreak, t.broken = true, arrival
	t.epoch++
	t.Repairs.Breaks++
}
