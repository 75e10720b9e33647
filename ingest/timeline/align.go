package timeline

import (
	"math"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// minTime is the newest decode time of a track that has none.
const minTime = math.MinInt64 / 4

// start anchors the track's clock at its first sample: where the leader's
// clock says, if they can be compared, else where its arrival says.
func (tr *track) start(key, offset int64, s Sample) bool {
	t := tr.t
	if !t.origin {
		t.origin = true
		t.shift = max(s.Arrival, t.floor+headroom) - s.Arrival
	}
	near := int64(0)
	if lead := t.leader(); lead != nil && tr.comparable(lead) {
		near = lead.clock.last
	}
	u := tr.clock.start(key, near)
	tr.lastDTS, tr.maxPTS = minTime, minTime
	byArrival := tr.ticks(s.Arrival + t.shift)
	tr.main.anchor(u, byArrival)
	if ideal, ok := tr.ideal(u, offset, s); ok && distance(ideal, byArrival) < tr.ticks(alignLimit) {
		tr.main.anchor(u, ideal)
		tr.aligned = true
	}
	tr.started = true
	return true
}

func distance(a, b int64) int64 {
	if a > b {
		return a - b
	}
	return b - a
}

// comparable reports whether the two tracks' timestamps come from one clock.
func (tr *track) comparable(o *track) bool {
	return tr.t.shared && tr.c.Wire == o.c.Wire && tr.c.Bits == o.c.Bits &&
		tr.main.scale == 1<<scaleBits && o.main.scale == 1<<scaleBits
}

// ideal returns where wire time u belongs by the leader's clock.
func (tr *track) ideal(u, offset int64, s Sample) (int64, bool) {
	lead := tr.t.leader()
	if lead == nil || lead == tr || lead.hasOther {
		return 0, false
	}
	if tr.comparable(lead) {
		return media.Rescale(lead.main.at(u), lead.c.Rate, tr.c.Rate), true
	}
	if !s.NTP.IsZero() && lead.hasNTP {
		out := time.Duration(s.NTP.UnixNano()) - lead.ntp
		return tr.ticks(out) - tr.main.span(offset), true
	}
	return 0, false
}

// align keeps the relation to the sender's wall clock, and a follower in step
// with the leader: v is where the sample would be placed.
func (tr *track) align(v, offset int64, s Sample) {
	if s.NTP.IsZero() || tr.main.scale != 1<<scaleBits {
		return
	}
	defer func() {
		// after a move: the relation in force from now on
		pts := tr.main.at(tr.clock.last) + tr.main.span(offset)
		tr.ntp, tr.hasNTP = time.Duration(s.NTP.UnixNano())-media.Duration(pts, tr.c.Rate), true
	}()
	if tr.c.Video || tr.comparable2() {
		return
	}
	ideal, ok := tr.ideal(tr.clock.last, offset, s)
	if !ok {
		return
	}
	err := ideal - v
	size := distance(ideal, v)
	if size >= tr.ticks(alignLimit) {
		return
	}
	tr.t.skew, tr.t.hasSkew = media.Duration(err, tr.c.Rate), true
	if size < tr.ticks(alignStep) {
		tr.isErring, tr.aligned = false, true
		if size > tr.ticks(alignFree) {
			limit := max(max(tr.duration, tr.step)/slewDivisor, 1)
			tr.main.out += min(max(err, -limit), limit)
		}
		return
	}
	// The first comparison is believed at once, later ones when they last.
	if tr.aligned {
		if !tr.isErring {
			tr.isErring, tr.erring = true, s.Arrival
		}
		if s.Arrival-tr.erring < alignPatience {
			return
		}
	}
	tr.isErring, tr.aligned = false, true
	tr.t.Repairs.Aligned++
	tr.move(err)
}

// comparable2 reports whether a shared clock makes wall clocks superfluous.
func (tr *track) comparable2() bool {
	lead := tr.t.leader()
	return lead != nil && lead != tr && tr.comparable(lead)
}

// move shifts the track's output from now on. Moved back, samples that would
// overlap what was placed are dropped.
func (tr *track) move(d int64) {
	tr.main.out += d
	if d < 0 && !tr.c.Video {
		tr.resync = true
	}
}

// driftWindow is how long the least delayed sample is looked for.
const driftWindow = 10 * time.Second

// driftMeter follows the lead of output over arrival. In each window the
// largest lead counts: the sample that was delayed least.
type driftMeter struct {
	first, newest time.Duration
	windows       int
	best          time.Duration
	since         time.Duration
	open          bool
}

func (m *driftMeter) add(lead, arrival time.Duration) {
	if !m.open {
		m.open, m.best, m.since = true, lead, arrival
		return
	}
	m.best = max(m.best, lead)
	if arrival-m.since < driftWindow {
		return
	}
	if m.windows == 0 {
		m.first = m.best
	}
	m.newest = m.best
	m.windows++
	m.open = false
}

func (m *driftMeter) value() (time.Duration, bool) { return m.newest - m.first, m.windows > 0 }
