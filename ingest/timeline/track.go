package timeline

import (
	"math"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// minTime is the newest decode time of a track that has placed nothing.
const minTime = math.MinInt64 / 4

// track is one track's clock and what is known about it.
type track struct {
	t  *Timeline
	id int
	c  Config

	clock   unwrapper
	main    mapping // the clock in force
	other   mapping // the clock of samples that jumped, while hasOther
	reorder reorder
	rate    rateMeter
	drift   driftMeter
	align   aligner

	started  bool
	hasOther bool
	since    time.Duration // arrival of the first sample of other
	jumped   int           // samples of other

	lastDTS  int64 // newest decode time, minTime before the first
	maxPTS   int64 // newest presentation time
	duration int64 // of the newest sample, audio
	step     int64 // typical distance of decode times
	stride   int64 // how far maxPTS moved last
	arrival  time.Duration
	lead     time.Duration // the most that output has been ahead of arrival
	resync   bool          // output was moved back: drop what overlaps
}

func newTrack(t *Timeline, id int, c Config) *track {
	tr := &track{
		t: t, id: id,
		clock:   unwrapper{bits: c.Bits},
		main:    mapping{scale: unscaled, wire: c.Wire, rate: c.Rate},
		lastDTS: minTime, maxPTS: minTime,
	}
	tr.configure(c)
	return tr
}

func (tr *track) configure(c Config) {
	tr.c = c
	if c.Video {
		tr.reorder.depth = min(max(tr.reorder.depth, c.Reorder), maxReorder)
	}
	if c.Frame > 0 {
		tr.step = c.Frame
	}
	if tr.step == 0 {
		tr.step = int64(c.Rate / 25)
	}
}

func (tr *track) ticks(d time.Duration) int64 { return media.Ticks(d, tr.c.Rate) }

func (tr *track) time(ticks int64) time.Duration { return media.Duration(ticks, tr.c.Rate) }

// placed reports whether there is output to compare with.
func (tr *track) placed() bool { return tr.lastDTS > minTime }

// end is the first output tick after everything placed.
func (tr *track) end() int64 { return max(tr.maxPTS, tr.lastDTS) + max(tr.duration, tr.step, 1) }

// derives reports whether decode times have to be derived.
func (tr *track) derives(s Sample) bool { return tr.c.Video && !s.HasDTS }

// place maps a sample to output ticks.
func (tr *track) place(s Sample) (pts, dts int64, ok bool) {
	// The wire's decode time (or the only time there is) is what is unwrapped
	// and judged; the presentation time keeps its distance to it.
	key, offset := s.PTS, int64(0)
	if s.HasDTS {
		key, offset = s.DTS, tr.clock.signed(s.PTS-s.DTS)
		if limit := media.Ticks(offsetLimit, tr.c.Wire); offset > limit || offset < -limit {
			offset = 0
			tr.t.Repairs.Jumped++
		}
	}
	if !tr.started {
		tr.start(key, offset, s)
	}
	u := tr.clock.next(key)
	v, restamped := tr.judge(u, s)
	if !restamped {
		tr.keepAligned(u, offset, v, s)
		v = tr.main.at(u)
		tr.correctRate(u, v, s)
	}
	switch {
	case tr.derives(s):
		pts, dts = v, tr.deriveDTS(v)
	case tr.c.Video:
		pts, dts = v+tr.main.span(offset), v
	default:
		if pts, ok = tr.seamless(v, s); !ok {
			return 0, 0, false
		}
		dts = pts
	}
	if pts, dts, ok = tr.monotonic(pts, dts); !ok {
		return 0, 0, false
	}
	tr.remember(pts, dts, restamped, s)
	return pts, dts, true
}

// judge maps u by the clock in force, or, when that would be a jump, by one
// that continues what was placed last. It reports which.
func (tr *track) judge(u int64, s Sample) (v int64, restamped bool) {
	v = tr.main.at(u)
	if !tr.placed() || tr.sane(v, s) {
		tr.hasOther = false
		return v, false
	}
	tr.t.Repairs.Jumped++
	if !tr.hasOther || !tr.sane(tr.other.at(u), s) {
		tr.other = tr.main
		tr.other.anchor(u, tr.onward(s))
		tr.hasOther, tr.jumped, tr.since = true, 0, s.Arrival
	}
	tr.jumped++
	if tr.jumped >= persistCount && s.Arrival-tr.since >= persistTime {
		tr.main, tr.hasOther = tr.other, false
		tr.breakAt(tr.main.at(u), s)
		return tr.main.at(u), true
	}
	return tr.other.at(u), true
}

// breakAt starts a new epoch at output time v: what was known about the clock
// is void.
func (tr *track) breakAt(v int64, s Sample) {
	tr.rate.reset(v, s.Arrival)
	tr.drift = driftMeter{}
	tr.align.forget()
	tr.t.breakAt(s.Arrival)
}

// top is the newest output time on the scale that judge looks at.
func (tr *track) top(s Sample) int64 {
	if tr.derives(s) {
		return tr.maxPTS
	}
	return tr.lastDTS
}

// onward is where to continue after a jump: a frame behind the newest one, or
// by the time that really passed when the sender was away; but never so far
// ahead of the arrivals that a chain of jumps could run away.
func (tr *track) onward(s Sample) int64 {
	top := tr.top(s)
	next := top + max(tr.duration, tr.step, 1)
	if tr.derives(s) && tr.reorder.depth > 0 {
		next = top + max(tr.stride, tr.step) // it is likely to be followed by pictures shown before it
	}
	if away := s.Arrival - tr.arrival; away >= gapReset {
		next = top + max(tr.ticks(away), 1)
	}
	return max(min(next, tr.ticks(s.Arrival+tr.lead+jumpForward)), top+1)
}

// sane reports whether output time v may follow what was placed last.
func (tr *track) sane(v int64, s Sample) bool {
	// Backwards: stamps may stumble a little. Beyond that, a presentation time
	// before the newest decode time can only be a picture whose reordering is
	// deeper than guessed.
	slack := max(tr.ticks(jumpBackward), tr.duration)
	if tr.derives(s) && tr.guessing() {
		slack = tr.ticks(time.Second)
	}
	if v <= tr.lastDTS-slack && !tr.resync {
		return false
	}
	// Forwards: a gap is honest when that much time has really passed, or
	// when the output had fallen behind its usual lead over the arrivals.
	ahead := tr.time(v - tr.top(s))
	if ahead <= jumpForward {
		return true
	}
	behind := tr.lead - (tr.time(tr.top(s)) - tr.arrival)
	return ahead-max(behind, 0)-(s.Arrival-tr.arrival) <= jumpForward
}

// remember keeps what the next sample is compared with.
func (tr *track) remember(pts, dts int64, restamped bool, s Sample) {
	if tr.placed() {
		if d := dts - tr.lastDTS; d < tr.ticks(gapReset) {
			tr.step = max(tr.step+(d-tr.step)/8, 1)
		}
		if d := pts - tr.maxPTS; d > 0 {
			tr.maxPTS, tr.stride = pts, min(d, tr.ticks(gapReset))
		}
	} else {
		tr.maxPTS = pts
		tr.lead = tr.time(pts) - s.Arrival
		tr.rate.reset(pts, s.Arrival)
	}
	tr.lastDTS, tr.arrival = dts, s.Arrival
	if !tr.c.Video {
		tr.duration = s.Duration
	}
	lead := tr.time(tr.maxPTS) - s.Arrival
	tr.lead = max(tr.lead, lead)
	if !restamped {
		tr.drift.add(lead, s.Arrival)
	}
}

// correctRate watches the clock's rate and mends it from u on, which stays
// at v.
func (tr *track) correctRate(u, v int64, s Sample) {
	if !tr.placed() {
		return
	}
	if tr.derives(s) && v < tr.maxPTS {
		tr.rate.samples++ // a reordered picture says nothing about the end of the window
		return
	}
	frame := tr.c.Frame
	if !tr.c.Video {
		frame = s.Duration
	}
	wanted, stamped := tr.rate.add(v, s.Arrival, tr.c.Rate, frame, tr.main.scale != unscaled)
	if wanted == 0 {
		return
	}
	scale := media.Rescale(tr.main.scale, int(stamped), int(wanted))
	if scale < unscaled/1024 || scale > unscaled*1024 {
		return
	}
	tr.main.anchor(u, v)
	tr.main.scale = scale
	tr.t.Repairs.Rates++
	if !within(wanted, stamped, 2) { // else only a touch-up
		tr.breakAt(v, s)
	}
}
