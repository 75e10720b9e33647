package timeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// aligner is what a track knows of its relation to the others.
type aligner struct {
	ntp    time.Duration // sender's wall clock (Unix) minus output time
	hasNTP bool
	done   bool          // an alignment by wall clocks has been made
	since  time.Duration // since when the error asks for a step
	erring bool
}

// forget voids the wall clock after a break. What the sender said last still
// speaks of the old clock, so the next comparison is not believed at once.
func (a *aligner) forget() { a.hasNTP, a.erring, a.done = false, false, true }

// start anchors the track's clock at its first sample: where the leader's
// clock says, if the two can be compared, else where its arrival says.
func (tr *track) start(key, offset int64, s Sample) {
	t := tr.t
	if !t.hasOrigin {
		t.hasOrigin = true
		t.shift = max(s.Arrival, t.floor+headroom) - s.Arrival
	}
	near, shift := int64(0), t.shift
	if lead := t.lead; lead != nil {
		if tr.sharesClock(lead) {
			near = lead.clock.last
		}
		drift, _ := lead.drift.value()
		shift += drift
	}
	u := tr.clock.start(key, near)
	byArrival := tr.ticks(s.Arrival + shift)
	tr.main.anchor(u, byArrival)
	if ideal, ok := tr.ideal(u, offset, s); ok && distance(ideal, byArrival) < tr.ticks(alignLimit) {
		tr.main.anchor(u, ideal)
		tr.align.done = true
	}
	tr.started = true
	t.elect()
}

func distance(a, b int64) int64 {
	if a > b {
		return a - b
	}
	return b - a
}

// sharesClock reports whether the two tracks' timestamps come from one clock.
func (tr *track) sharesClock(o *track) bool {
	return tr.t.shared && tr.c.Wire == o.c.Wire && tr.c.Bits == o.c.Bits &&
		tr.main.scale == unscaled && o.main.scale == unscaled
}

// ideal returns where wire time u belongs by the leader's clock.
func (tr *track) ideal(u, offset int64, s Sample) (int64, bool) {
	lead := tr.t.lead
	switch {
	case lead == nil || lead == tr || lead.hasOther:
		return 0, false
	case tr.sharesClock(lead):
		return media.Rescale(lead.main.at(u), lead.c.Rate, tr.c.Rate), true
	case !s.NTP.IsZero() && lead.align.hasNTP:
		out := time.Duration(s.NTP.UnixNano()) - lead.align.ntp
		return tr.ticks(out) - tr.main.span(offset), true
	}
	return 0, false
}

// keepAligned remembers the relation to the sender's wall clock and keeps a
// follower in step with the leader. v is where wire time u is placed now.
func (tr *track) keepAligned(u, offset, v int64, s Sample) {
	if tr.main.scale != unscaled {
		return // what the sender says of such a clock is void
	}
	if !tr.c.Video && tr != tr.t.lead {
		if ideal, ok := tr.ideal(u, offset, s); ok {
			tr.correct(ideal-v, s.Arrival)
		}
	}
	if !s.NTP.IsZero() {
		pts := tr.main.at(u) + tr.main.span(offset)
		tr.align.ntp, tr.align.hasNTP = time.Duration(s.NTP.UnixNano())-tr.time(pts), true
	}
}

// correct moves the track's output by err, at once or bit by bit.
func (tr *track) correct(err int64, arrival time.Duration) {
	a := &tr.align
	size := distance(err, 0)
	if size >= tr.ticks(alignLimit) {
		return
	}
	tr.t.skew, tr.t.hasSkew = tr.time(err), true
	shared := tr.sharesClock(tr.t.lead)
	switch {
	case size <= tr.ticks(alignFree):
		a.erring, a.done = false, true
	case size < tr.ticks(alignStep) && !shared:
		a.erring, a.done = false, true
		slew := max(max(tr.duration, tr.step)/slewDivisor, 1)
		tr.main.out += min(max(err, -slew), slew)
	case a.done && !shared && !tr.patient(arrival):
		// The first comparison is believed at once, and one clock is one
		// clock; otherwise a large error has to last.
	default:
		a.erring, a.done = false, true
		tr.t.Repairs.Aligned++
		tr.main.out += err
		tr.resync = tr.resync || err < 0
	}
}

// patient reports whether an error has lasted long enough.
func (tr *track) patient(arrival time.Duration) bool {
	a := &tr.align
	if !a.erring {
		a.erring, a.since = true, arrival
	}
	return arrival-a.since >= alignPatience
}
