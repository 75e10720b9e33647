package media

import (
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
)

// fused is a run of plain Transforms of a script between two stages, or of
// Transforms and a Writable behind one. Their functions are called from here, and what they put out goes on from
// here, without the stream library's state machine; its promises are kept: one
// object at a time in each, in order, no more than there is room for behind.
type fused struct {
	m        *Module
	from, to *stage // to is nil where the last step is a Writable of the script's
	q        *queue
	input    int
	steps    []*step
	encoding goja.Value

	over func()                      // the source's end was reached
	fail func(i int, err goja.Value) // step i failed; len(steps) is the stage behind

	batch     [64]object
	got, next int

	pumping   bool
	listening bool // for more of the source
	blocked   bool // for room behind
	ended     bool
	stopped   bool
	quiet     []func() // called when no step is at work
}

// step is one Transform.
type step struct {
	self      goja.Value
	transform goja.Callable
	done      goja.Value // its callback
	busy      bool
	now       handle // what it works at
	passed    bool   // and has put out
	queue     []goja.Value
}

// Bounds of one turn, so that timers and other streams get theirs.
const (
	turnObjects = 512
	turnTime    = 5 * time.Millisecond
	stepWaiting = 16
)

// pump goes on for as long as there is something to do, on the loop.
func (f *fused) pump() {
	if f.pumping || f.stopped {
		return
	}
	f.pumping = true
	defer func() {
		f.pumping = false
		f.m.stayAliveWhileBusy()
	}()
	begun := time.Time{}
	for n := 0; !f.stopped && f.advance(); n++ {
		if n&63 != 63 {
			continue
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		if n >= turnObjects || time.Since(begun) > turnTime {
			f.m.post(f.pump)
			return
		}
	}
	f.settled()
}

// advance does one thing; false where nothing can be done now.
func (f *fused) advance() bool {
	for i := len(f.steps) - 1; i >= 0; i-- {
		s := f.steps[i]
		if s.busy || i > 0 && len(s.queue) == 0 {
			continue
		}
		if !f.room(i) {
			continue
		}
		if i > 0 {
			v := s.queue[0]
			s.queue = append(s.queue[:0], s.queue[1:]...)
			f.run(i, v)
			return true
		}
		if len(f.quiet) > 0 { // somebody waits for all to stand still
			continue
		}
		if v, ok := f.read(); ok {
			f.run(0, v)
			return true
		}
	}
	return false
}

// read is the next object of the source.
func (f *fused) read() (goja.Value, bool) {
	if f.next == f.got {
		if f.ended {
			return nil, false
		}
		n, over := f.q.take(f.batch[:])
		f.next, f.got = 0, n
		if n == 0 {
			f.wait(over)
			return nil, false
		}
	}
	o := f.batch[f.next]
	f.batch[f.next] = object{}
	f.next++
	v, err := f.m.value(o)
	if err != nil {
		f.stop()
		f.fail(0, f.m.l.Reason(err))
		return nil, false
	}
	return v, true
}

func (f *fused) wait(over bool) {
	switch {
	case over:
		f.ended = true
		f.over()
	case !f.listening:
		f.listening = true
		f.q.whenReadable(func() {
			f.m.post(func() {
				f.listening = false
				f.pump()
			})
		})
	}
}

// room reports whether what step i puts out has a place.
func (f *fused) room(i int) bool {
	if i+1 < len(f.steps) {
		return len(f.steps[i+1].queue) < stepWaiting
	}
	if f.to == nil || f.to.in.hasRoom() {
		return true
	}
	if !f.blocked {
		f.blocked = true
		f.to.in.whenWritable(func() {
			f.m.post(func() {
				f.blocked = false
				f.pump()
			})
		})
	}
	return false
}

// run calls a step's transform function.
func (f *fused) run(i int, v goja.Value) {
	s := f.steps[i]
	s.busy, s.passed, s.now = true, false, handleOf(v)
	if s.done == nil {
		s.done = f.callback(i)
	}
	done := s.done
	if _, err := s.transform(s.self, v, f.encoding, done); err != nil {
		f.stop()
		f.m.l.Check(err)
	}
	if s.busy { // called later it must not be taken for that of another object
		s.done = nil
	}
}

// callback makes the function that a step is called with. It serves for as
// long as each call of it comes before the transform function returns.
func (f *fused) callback(i int) goja.Value {
	s := f.steps[i]
	var made goja.Value
	called := false // later than that
	made = f.m.rt.ToValue(func(call goja.FunctionCall) goja.Value {
		if current := s.done == made; called || current && !s.busy {
			if !f.stopped {
				f.broken(i, f.m.l.Reason(&loop.Error{Code: "ERR_MULTIPLE_CALLBACK", Message: "Callback called multiple times"}))
			}
			return goja.Undefined()
		} else if !current {
			called = true
		}
		f.finish(i, call)
		return goja.Undefined()
	})
	return made
}

// finish is a step's callback: an error, or what it puts out.
func (f *fused) finish(i int, call goja.FunctionCall) {
	s := f.steps[i]
	now := s.now
	if err := call.Argument(0); err.ToBoolean() {
		s.busy, s.now = false, nil
		release(now, false)
		f.broken(i, err)
		return
	}
	if v := given(call.Argument(1)); v != nil && (f.to != nil || i+1 < len(f.steps)) {
		f.deliver(i, v)
	}
	release(now, s.passed)
	s.busy, s.now = false, nil
	if !f.pumping {
		f.pump()
	}
}

func release(h handle, passed bool) {
	if h != nil && !passed {
		h.release()
	}
}

// deliver takes what step i puts out; false asks it for patience.
func (f *fused) deliver(i int, v goja.Value) bool {
	s := f.steps[i]
	if f.stopped {
		return false
	}
	if i+1 < len(f.steps) {
		if h := handleOf(v); h != nil && h == s.now {
			s.passed = true
		}
		next := f.steps[i+1]
		next.queue = append(next.queue, v)
		if !f.pumping {
			f.m.l.NextTick(f.pump)
		}
		return len(next.queue) < stepWaiting
	}
	h := handleOf(v)
	room, err := f.m.write(f.to, f.input, v, false)
	if err != nil {
		f.broken(len(f.steps), f.m.l.Reason(reason(err)))
		return false
	}
	if h == s.now {
		s.passed = true
	}
	return room
}

func (f *fused) broken(i int, err goja.Value) {
	f.stop()
	f.fail(i, err)
}

// settled tells those who wait for it that no step is at work, and nothing is
// between two.
func (f *fused) settled() {
	if len(f.quiet) == 0 || !f.idle(0) {
		return
	}
	all := f.quiet
	f.quiet = nil
	for _, g := range all {
		g()
	}
	if !f.stopped {
		f.m.post(f.pump)
	}
}

// idle reports whether the steps from i on have nothing to do.
func (f *fused) idle(from int) bool {
	for _, s := range f.steps[from:] {
		if s.busy || len(s.queue) > 0 {
			return false
		}
	}
	return true
}

// whenIdle calls g when nothing is at work from step i on.
func (f *fused) whenIdle(from int, g func()) {
	if f.stopped || f.idle(from) {
		g()
		return
	}
	f.quiet = append(f.quiet, g)
	f.m.post(f.pump)
}

// stop gives the source back; what was not handed to the first step yet waits
// for the next reader.
func (f *fused) stop() {
	if f.stopped {
		return
	}
	f.stopped = true
	for i := f.got - 1; i >= f.next; i-- {
		f.q.unpop(f.batch[i])
	}
	f.next, f.got = 0, 0
	f.from.out.detach(f.q)
	for _, s := range f.steps {
		release(s.now, s.passed)
		for _, v := range s.queue {
			release(handleOf(v), false)
		}
		s.now, s.queue = nil, nil
	}
}
