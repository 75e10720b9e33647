package loop

import "time"

// Clock is time that does not pass by itself, for scripts that are tested:
// everything that the loop does by time it does by it.
type Clock interface {
	// Now is the time since the loop was made.
	Now() time.Duration
	// Wait is called when the loop has nothing to do. It returns when wake
	// gives something, or when Now has reached at, where due is set. Others is
	// how much is under way outside that is neither a timer of the loop nor
	// the clock's own: time had better stand still for it.
	Wait(at time.Duration, due bool, others int, wake <-chan struct{})
}

// SetClock makes the loop go by another clock than the machine's. It is called
// before Run.
func (l *Loop) SetClock(c Clock) {
	l.clock = c
	l.now = c.Now
	l.rt.SetTimeSource(func() time.Time { return time.Unix(0, 0).Add(c.Now()) })
}

// waitByClock leaves waiting to the clock.
func (l *Loop) waitByClock() {
	at, due := l.timers.next()
	others := l.alive
	for _, t := range l.timers.heap {
		if t.active && !t.unref {
			others--
		}
	}
	l.clock.Wait(at, due, others, l.wake)
}
