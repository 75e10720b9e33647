package child

import "time"

// Budget decides whether and when a child that died is started again: after
// a pause that quadruples with each death, and not at all when it died too
// often within a while.
type Budget struct {
	Pause  time.Duration // before the first restart
	deaths []time.Duration
}

// Deaths within Window are forgiven; the next one is not. DefaultPause is a
// good first pause.
const (
	Deaths       = 5
	Window       = 2 * time.Minute
	DefaultPause = 100 * time.Millisecond

	longestPause = 10 * time.Second
)

// Spend takes note of a death at now and returns how long to wait; it reports
// false when the budget is used up.
func (b *Budget) Spend(now time.Duration) (time.Duration, bool) {
	recent := b.deaths[:0]
	for _, at := range b.deaths {
		if now-at < Window {
			recent = append(recent, at)
		}
	}
	b.deaths = append(recent, now)
	if len(b.deaths) > Deaths {
		return 0, false
	}
	pause := b.Pause
	for range len(b.deaths) - 1 {
		pause = min(4*pause, longestPause)
	}
	return pause, true
}
