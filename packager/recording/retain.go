package recording

import (
	"slices"
	"time"
)

// Retain bounds recordings; zero is no bound.
type Retain struct {
	Age  time.Duration
	Size int64 // bytes of all together
}

// Tidy finishes recordings that could not be finished before, and removes what
// is too much: those that ended longer ago than Age, and then the oldest ones,
// until all together are not larger than Size. Those that are being written
// count and stay. It is to be called from time to time.
func (l *Library) Tidy(r Retain) {
	l.repair()
	list := l.List()
	slices.SortStableFunc(list, func(a, b Recording) int { return a.Start.Compare(b.Start) })
	var total int64
	for _, rec := range list {
		total += rec.Size
	}
	now := l.now()
	for _, rec := range list {
		old := r.Age > 0 && now.Sub(rec.Start.Add(rec.Duration)) > r.Age
		if rec.Writing || !old && (r.Size == 0 || total <= r.Size) {
			continue
		}
		if err := l.Remove(rec.Path, rec.ID); err != nil {
			l.log.Warn("a recording stays longer than it should", "stream", rec.Path, "recording", rec.ID, "err", err)
			continue
		}
		total -= rec.Size
	}
}
