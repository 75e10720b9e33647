package timeline

import "time"

// driftWindow is how long the least delayed sample is looked for.
const driftWindow = 10 * time.Second

// driftMeter follows the lead of output over arrival. In each window the
// largest lead counts: that of the sample delayed least.
type driftMeter struct {
	first, newest time.Duration // leads of the first and the newest window
	windows       int
	best          time.Duration // in the open window
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

// value is how far the clock has run from the arrival clock, once there is
// something to compare.
func (m *driftMeter) value() (time.Duration, bool) { return m.newest - m.first, m.windows > 1 }
