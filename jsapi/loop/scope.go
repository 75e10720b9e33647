package loop

import "github.com/dop251/goja"

// scope carries what AsyncLocalStorage keeps from where something is begun to
// where it goes on: over await and then by goja's tracker, over ticks, timers,
// immediates and a Pending by the loop.
type scope struct {
	now   goja.Value
	outer []goja.Value // of the reactions that run at the moment
}

// Scope is the value that what is begun now will see again when it goes on;
// nil where none was set.
func (l *Loop) Scope() goja.Value { return l.scope.now }

// SetScope changes the value, until the present callback ends.
func (l *Loop) SetScope(v goja.Value) { l.scope.now = v }

// within runs f with the scope of another time.
func (l *Loop) within(at goja.Value, f func()) {
	before := l.scope.now
	l.scope.now = at
	defer func() { l.scope.now = before }()
	f()
}

// Grab is called by goja where a promise's reaction is registered.
func (s *scope) Grab() any { return s.now }

// Resumed is called by goja before the reaction runs.
func (s *scope) Resumed(tracked any) {
	s.outer = append(s.outer, s.now)
	s.now, _ = tracked.(goja.Value)
}

// Exited is called by goja after the reaction ran.
func (s *scope) Exited() {
	last := len(s.outer) - 1
	s.now, s.outer = s.outer[last], s.outer[:last]
}
