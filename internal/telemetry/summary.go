package telemetry

import (
	"sync"
	"time"
)

// Summary thins out messages that could come with every packet: each text at
// most once a second, with how often it came since. The zero value is ready; its
// method may be called from any goroutine.
type Summary struct {
	mu   sync.Mutex
	seen map[string]*tally
}

type tally struct {
	last  time.Time
	count int
}

const (
	summaryPeriod = time.Second
	summaryTexts  = 256 // texts remembered before all are forgotten
)

// Due counts a message and reports whether to write it now, and for how many.
func (s *Summary) Due(text string) (count int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= summaryTexts {
		s.seen = map[string]*tally{}
	}
	t := s.seen[text]
	if t == nil {
		t = &tally{}
		s.seen[text] = t
	}
	t.count++
	now := time.Now()
	if now.Sub(t.last) < summaryPeriod {
		return 0, false
	}
	count, t.count, t.last = t.count, 0, now
	return count, true
}
