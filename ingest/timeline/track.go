package timeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

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

	started  bool
	hasOther bool
	since    time.Duration // arrival of the first sample of other
	jumped   int           // samples of other

	lastDTS  int64
	maxPTS   int64
	duration int64 // of the newest sample, audio
	step     int64 // typical distance of decode times
	arrival  time.Duration
	lead     time.Duration // the most that output has been ahead of arrival

	ntp      time.Duration // sender's wall clock (Unix) minus output time
	hasNTP   bool
	aligned  bool          // an alignment by wall clocks has been made
	erring   time.Duration // since when the alignment error asks for a step
	isErring bool
	resync   bool // output was moved back: drop what overlaps
}

func newTrack(t *Timeline, id int, c Config) *track {
	tr := &track{
		t: t, id: id,
		clock: unwrapper{bits: c.Bits},
		main:  mapping{scale: 1 << scaleBits, wire: c.Wire, rate: c.Rate},
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
	}
	if !tr.started {
		if !tr.start(key, offset, s) {
			return 0, 0, false
		}
	}
	u := tr.clock.next(key)
	v, restamped := tr.judge(u, s)
	if !restamped {
		tr.align(v, offset, s)
		v = tr.main.at(u)
		v += tr.correctRate(u, v, s)
	}
	switch {
	case tr.derives(s):
		pts, dts = tr.deriveDTS(v)
	case tr.c.Video:
		pts, dts = v+tr.main.span(offset), v
	default:
		if v, ok = tr.seamless(v, s); !ok {
			return 0, 0, false
		}
		pts, dts = v, v
	}
	pts, dts, ok = tr.monotonic(pts, dts)
	if !ok {
		return 0, 0, false
	}
	tr.remember(pts, dts, restamped, s)
	return pts, dts, true
}

// judge maps u by the clock in force, or, when that would be a jump, by one
// that continues what was placed last. It reports which.
func (tr *track) judge(u int64, s Sample) (v int64, restamped bool) {
	v = tr.main.at(u)
	if !tr.placedAny() || tr.sane(v, s) {
		tr.hasOther = false
		return v, false
	}
	tr.t.Repairs.Jumped++
	if !tr.hasOther || !tr.sane(tr.other.at(u), s) {
		tr.other = tr.main
		tr.other.anchor(u, tr.top(s)+tr.gap(s))
		tr.hasOther, tr.jumped, tr.since = true, 0, s.Arrival
	}
	tr.jumped++
	v = tr.other.at(u)
	if tr.jumped >= persistCount && s.Arrival-tr.since >= persistTime {
		tr.main, tr.hasOther = tr.other, false
		tr.hasNTP, tr.aligned = false, false
		tr.rate.reset(v, s.Arrival)
		tr.drift = driftMeter{}
		tr.t.breakAt(s.Arrival)
		if ideal, ok := tr.ideal(u, 0, Sample{}); ok { // shared clocks only: no NTP given
			tr.move(ideal - v)
			v = tr.main.at(u)
		}
	}
	return v, true
}

// placedAny reports whether the track has output to compare with.
func (tr *track) placedAny() bool { return tr.lastDTS > minTime }

// top is the newest output time on the scale that judge looks at.
func (tr *track) top(s Sample) int64 {
	if tr.derives(s) {
		return tr.maxPTS
	}
	return tr.lastDTS
}

// gap is the distance to continue at after a jump: one frame, or the time
// that really passed when the sender was away.
func (tr *track) gap(s Sample) int64 {
	if away := s.Arrival - tr.arrival; away >= gapReset {
		return max(tr.ticks(away), 1)
	}
	return max(tr.duration, tr.step, 1)
}

// sane reports whether output time v may follow what was placed last.
func (tr *track) sane(v int64, s Sample) bool {
	// Backwards: a presentation time at or before the newest decode time
	// cannot be (unless the depth of reordering is a guess); decode times may
	// stumble a little.
	switch {
	case tr.resync:
	case tr.derives(s) && tr.guessing():
		if v <= tr.lastDTS-tr.ticks(time.Second) {
			return false
		}
	case tr.derives(s):
		if v <= tr.lastDTS {
			return false
		}
	default:
		if v <= tr.lastDTS-max(tr.ticks(jumpBackward), tr.duration) {
			return false
		}
	}
	// Forwards: a gap is honest when that much time has really passed, or
	// when the output had fallen behind its usual lead over the arrivals.
	ahead := media.Duration(v-tr.top(s), tr.c.Rate)
	if ahead <= jumpForward {
		return true
	}
	behind := tr.lead - (media.Duration(tr.top(s), tr.c.Rate) - tr.arrival)
	return ahead-max(behind, 0)-(s.Arrival-tr.arrival) <= jumpForward
}

// guessing reports whether the depth of reordering may still be raised.
func (tr *track) guessing() bool { return tr.c.Reorder < 0 && tr.reorder.depth < maxGuessedReorder }

// deriveDTS returns the decode time of a picture with presentation time v.
func (tr *track) deriveDTS(v int64) (pts, dts int64) {
	if tr.placedAny() && v-tr.maxPTS > tr.ticks(gapReset) {
		tr.reorder.reset()
	}
	if v <= tr.lastDTS && tr.guessing() {
		tr.reorder.depth++
		tr.t.Repairs.Reorders++
	}
	if tr.reorder.depth == 0 {
		return v, v
	}
	tr.t.Repairs.Derived++
	return v, tr.reorder.push(v, tr.step)
}

// seamless joins an audio frame to the one before it when the wire's stamp is
// about there: wires with coarse clocks (milliseconds, 90 kHz) round, and
// senders stamp by a jittery clock. A remainder is slewed away.
func (tr *track) seamless(v int64, s Sample) (int64, bool) {
	if !tr.placedAny() {
		return v, true
	}
	expected := tr.lastDTS + tr.duration
	d := v - expected
	if tr.resync {
		if d < -max(tr.duration/2, 1) {
			return 0, false
		}
		tr.resync = false
	}
	if s.Duration <= 0 || tr.duration <= 0 {
		return v, true
	}
	limit := min(tr.ticks(snapLimit), tr.duration/2)
	switch {
	case d > limit || d < -limit:
		return v, true
	case d > tr.ticks(snapFree):
		return expected + max(tr.duration/slewDivisor, 1), true
	case d < -tr.ticks(snapFree):
		return expected - max(tr.duration/slewDivisor, 1), true
	}
	return expected, true
}

// monotonic makes decode times strictly increase, over restarts too.
func (tr *track) monotonic(pts, dts int64) (int64, int64, bool) {
	floor := max(tr.ticks(tr.t.floor), 0)
	if last, ok := tr.t.last[tr.id]; ok {
		floor = max(floor, last+1)
	}
	if !tr.placedAny() && dts < floor {
		if pts < floor {
			return 0, 0, false
		}
		dts = floor
	}
	if dts <= tr.lastDTS {
		dts = tr.lastDTS + 1
		tr.t.Repairs.Backwards++
	}
	if pts < dts {
		pts = dts
		if tr.c.Video {
			tr.t.Repairs.PTSFirst++
		}
	}
	return pts, dts, true
}

// remember keeps what the next sample is compared with.
func (tr *track) remember(pts, dts int64, restamped bool, s Sample) {
	if d := dts - tr.lastDTS; tr.placedAny() && d > 0 && d < tr.ticks(gapReset) {
		tr.step = max(tr.step+(d-tr.step)/8, 1)
	}
	if tr.placedAny() {
		tr.maxPTS = max(tr.maxPTS, pts)
	} else {
		tr.maxPTS = pts
		tr.lead = media.Duration(tr.maxPTS, tr.c.Rate) - s.Arrival
		tr.rate.reset(pts, s.Arrival)
	}
	tr.lastDTS, tr.arrival = dts, s.Arrival
	if !tr.c.Video {
		tr.duration = s.Duration
	}
	lead := media.Duration(tr.maxPTS, tr.c.Rate) - s.Arrival
	tr.lead = max(tr.lead, lead)
	if !restamped {
		tr.drift.add(lead, s.Arrival)
	}
}

// correctRate watches the clock's rate and returns what a correction moves v.
func (tr *track) correctRate(u, v int64, s Sample) int64 {
	if !tr.placedAny() || tr.derives(s) && v < tr.maxPTS {
		tr.rate.samples++
		return 0
	}
	frame := tr.c.Frame
	if !tr.c.Video && s.Duration > 0 {
		frame = s.Duration
	}
	wanted, stamped := tr.rate.add(v, s.Arrival, tr.c.Rate, frame, tr.main.scale != 1<<scaleBits)
	if wanted == 0 {
		return 0
	}
	scale := media.Rescale(tr.main.scale, int(stamped), int(wanted))
	if scale < 1<<scaleBits/1024 || scale > 1<<scaleBits*1024 {
		return 0
	}
	first := !within(time.Duration(wanted), time.Duration(stamped), 2)
	tr.main.anchor(u, v)
	tr.main.scale = scale
	tr.t.Repairs.Rates++
	tr.rate.reset(v, s.Arrival)
	if first {
		tr.hasNTP, tr.aligned = false, false
		tr.drift = driftMeter{}
		tr.t.breakAt(s.Arrival)
	}
	return 0
}
