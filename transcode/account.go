package transcode

import "time"

// account is what one worker counts for among those of a Supervisor. Its
// methods may be called from any goroutine.
type account struct {
	s *Supervisor

	// Under s.mu.
	held   float64
	closed bool
}

// ask puts what the worker is going to cost in place of what it counted for,
// if there is room for that; the error wraps ErrOverloaded.
func (a *account) ask(cost float64) error {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.used -= a.held
	err := a.s.affords(cost)
	if err == nil {
		a.held = cost
	}
	a.s.used += a.held
	return err
}

// found puts what the worker was seen to cost in place of what it counted for.
func (a *account) found(cost float64) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if !a.closed {
		a.s.used += cost - a.held
		a.held = cost
	}
}

func (a *account) close() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.closed = true
	if a.s.used -= a.held; a.s.used < 1e-9 {
		a.s.used = 0
	}
	a.held = 0
}

// meter follows how many cores a process keeps busy, over some ten seconds.
type meter struct {
	at, cpu time.Duration
	cores   float64
}

func (m *meter) read(now, cpu time.Duration) float64 {
	if passed := now - m.at; m.at > 0 && passed > 0 {
		share := min(float64(passed)/float64(10*time.Second), 1)
		m.cores += (float64(cpu-m.cpu)/float64(passed) - m.cores) * share
	}
	m.at, m.cpu = now, cpu
	return m.cores
}
