package transcode

import "time"

// budget decides whether and when a worker that died is started again: after
// a pause that quadruples with each death, and not at all when it died too
// often within a while.
type budget struct {
	pause  time.Duration // before the first restart
	deaths []time.Duration
}

const (
	budgetDeaths = 5
	budgetWindow = 2 * time.Minute
	longestPause = 10 * time.Second
	defaultPause = 100 * time.Millisecond
)

// spend takes note of a death at now and returns how long to wait; it reports
// false when the budget is used up.
func (b *budget) spend(now time.Duration) (time.Duration, bool) {
	recent := b.deaths[:0]
	for _, at := range b.deaths {
		if now-at < budgetWindow {
			recent = append(recent, at)
		}
	}
	b.deaths = append(recent, now)
	if len(b.deaths) > budgetDeaths {
		return 0, false
	}
	pause := b.pause
	for range len(b.deaths) - 1 {
		pause = min(4*pause, longestPause)
	}
	return pause, true
}
