package loop

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// ErrStopped is why a Call could not be made: the loop is over.
var ErrStopped = errors.New("the script is over")

// Source is the file that stacks name for code of the loop's own.
const Source = "node:internal/loop"

// Loop is an event loop around one runtime. Its zero value is not usable; see
// New.
type Loop struct {
	rt    *goja.Runtime
	enter goja.Callable // makes one turn a single call into the runtime

	// Uncaught decides about an exception that nothing caught; true means that
	// it is dealt with. Where nil or false the loop ends with the exception.
	Uncaught func(error) bool
	// Unhandled decides about a rejected promise without a handler, as
	// Uncaught does.
	Unhandled func(reason goja.Value, promise *goja.Object) bool
	// MaxTimers is how many timers may be set; 0 is any number. One more
	// throws.
	MaxTimers int
	// Handled is told of a promise that got a handler after Unhandled was
	// called for it.
	Handled func(promise *goja.Object)
	// Idle is called when nothing keeps the loop alive, before it ends; it may
	// start more work (Node's beforeExit).
	Idle func()
	// Ending is the last that runs, once nothing is left to do, the loop was
	// stopped or something was fatal (Node's exit). failed is the fatal error.
	Ending func(failed error)

	// Load gives the exports of what is no module of the runtime's and is
	// required while the script runs; from is the file that asks. Nil: none.
	Load func(name, from string) (goja.Value, error)

	modules map[string]*module
	buffer  goja.Callable // makes a Buffer

	ticks      []tick
	scope      scope
	immediates []*Immediate
	timers     timers
	now        func() time.Duration // since the loop was made
	clock      Clock                // nil: the machine's
	rejected   []*goja.Promise
	handled    []*goja.Object // that Handled is to be told of

	alive int // Pending, Timer and Immediate that keep the loop running
	err   error
	ended bool // Stop was called

	ctx    context.Context
	cancel context.CancelCauseFunc

	turn atomic.Int64 // when the present turn began, in ns of now; 0 between turns

	mu     sync.Mutex
	posted []func()
	wake   chan struct{} // one token: posted has something, or the loop ended
	over   bool
}

// New makes a loop and its runtime. Run makes it go.
func New() *Loop {
	l := &Loop{
		rt: goja.New(), modules: make(map[string]*module),
		wake: make(chan struct{}, 1),
	}
	start := time.Now()
	l.now = func() time.Duration { return time.Since(start) }
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.rt.SetFieldNameMapper(goja.TagFieldNameMapper("json", true))
	l.rt.SetPromiseRejectionTracker(l.track)
	l.rt.SetAsyncContextTracker(&l.scope)
	turn, err := l.rt.RunScript(Source, "(function turn(task) { task() })")
	if err != nil {
		panic(err) // the text above is not JavaScript
	}
	l.enter, _ = goja.AssertFunction(turn)
	return l
}

// Runtime is the loop's runtime.
func (l *Loop) Runtime() *goja.Runtime { return l.rt }

// Context ends with the loop; work that was begun for it should end then.
func (l *Loop) Context() context.Context { return l.ctx }

// Now is the time since the loop was made.
func (l *Loop) Now() time.Duration { return l.now() }

// Run runs start and whatever follows from it, until nothing keeps the loop
// alive, Stop is called, ctx ends, or an exception or rejection is fatal. It
// is called once. The error is that exception (*goja.Exception where the
// script threw), the cause of ctx's end, or nil.
func (l *Loop) Run(ctx context.Context, start func() error) error {
	stop := context.AfterFunc(ctx, func() { l.Interrupt(context.Cause(ctx)) })
	defer stop()
	defer l.close()
	l.Turn(func() error { return start() })
	for l.err == nil && !l.ended {
		l.round()
		if l.err != nil || l.ended {
			break
		}
		if l.alive > 0 {
			l.wait()
			continue
		}
		if l.queued() {
			continue
		}
		if l.Idle != nil {
			l.Turn(func() error { l.Idle(); return nil })
		}
		if l.alive == 0 && !l.queued() {
			break
		}
	}
	if l.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.last()
	return l.err
}

// last gives Ending its turn, whatever ended the loop but an interruption.
func (l *Loop) last() {
	var interrupted *Interrupted
	if l.Ending == nil || l.ended || errors.As(l.err, &interrupted) {
		return
	}
	failed := l.err
	l.err = nil
	l.Turn(func() error { l.Ending(failed); return nil })
	if failed != nil {
		l.err = failed
	}
}

// round is one iteration: due timers, what was posted, immediates.
func (l *Loop) round() {
	l.runTimers()
	l.mu.Lock()
	tasks := l.posted
	l.posted = nil
	l.mu.Unlock()
	for _, f := range tasks {
		if l.err != nil || l.ended {
			return
		}
		l.Turn(func() error { f(); return nil })
	}
	l.runImmediates()
}

func (l *Loop) queued() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.posted) > 0
}

// wait returns when there is something to do.
func (l *Loop) wait() {
	if len(l.immediates) > 0 || l.queued() {
		return
	}
	if l.clock != nil {
		l.waitByClock()
		return
	}
	var due <-chan time.Time
	if at, ok := l.timers.next(); ok {
		d := at - l.now()
		if d <= 0 {
			return
		}
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-l.wake:
	case <-due:
	}
}

// close ends the loop for good: nothing is taken any more, and what works for
// it is told.
func (l *Loop) close() {
	l.mu.Lock()
	l.over = true
	l.posted = nil
	l.mu.Unlock()
	l.cancel(ErrStopped)
}

// Stop ends Run after the present turn; err is what Run returns.
func (l *Loop) Stop(err error) {
	l.ended = true
	if l.err == nil {
		l.err = err
	}
}

// Interrupt makes whatever the script is doing fail with an error that it
// cannot catch, and ends Run with it. It may be called from any goroutine.
func (l *Loop) Interrupt(reason error) {
	l.rt.Interrupt(reason)
	// A loop that runs no script at the moment has to find out too.
	l.post(func() {
		l.rt.ClearInterrupt()
		l.Stop(reason)
	})
}

// Turn runs f as one macrotask: then ticks, then promise jobs. Code that the
// loop already runs calls the runtime directly instead.
func (l *Loop) Turn(f func() error) {
	l.turn.Store(max(1, int64(l.now())))
	defer l.turn.Store(0)
	l.scope.now = nil
	task := l.rt.ToValue(func(goja.FunctionCall) goja.Value {
		l.caught(f())
		l.drainTicks()
		return goja.Undefined()
	})
	l.caughtOuter(task)
	for len(l.ticks) > 0 && l.err == nil && !l.ended {
		l.caughtOuter(l.rt.ToValue(func(goja.FunctionCall) goja.Value {
			l.drainTicks()
			return goja.Undefined()
		}))
	}
	l.reportRejections()
}

// Busy tells of the turn that runs: when it began (by Now), and how long it
// has lasted. It may be called from any goroutine; it is false between turns.
func (l *Loop) Busy() (began, lasted time.Duration, ok bool) {
	began = time.Duration(l.turn.Load())
	return began, l.now() - began, began > 0
}

func (l *Loop) caughtOuter(task goja.Value) {
	if _, err := l.enter(goja.Undefined(), task); err != nil {
		l.fail(err)
	}
}

func (l *Loop) drainTicks() {
	for len(l.ticks) > 0 && l.err == nil && !l.ended {
		ticks := l.ticks
		l.ticks = nil
		for _, t := range ticks {
			l.scope.now = t.scope
			t.f()
			if l.err != nil || l.ended {
				return
			}
		}
	}
}

// caught deals with an exception that reached the top.
func (l *Loop) caught(err error) {
	if err == nil || l.ended {
		return
	}
	var interrupted *goja.InterruptedError
	if !errors.As(err, &interrupted) && l.Uncaught != nil && l.Uncaught(err) {
		return
	}
	l.fail(err)
}

// Fail ends Run with an error that nothing can be done about.
func (l *Loop) Fail(err error) { l.fail(err) }

func (l *Loop) fail(err error) {
	var interrupted *goja.InterruptedError
	if errors.As(err, &interrupted) && interrupted.Unwrap() != nil {
		err = &Interrupted{Reason: interrupted.Unwrap(), Stack: innermost(interrupted.Stack())}
	}
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		err = &Interrupted{
			Reason: &Error{Name: "RangeError", Message: "Maximum call stack size exceeded"},
			Stack:  innermost(overflow.Stack()),
		}
	}
	if l.err == nil && !l.ended {
		l.err = err
	}
}

// Invoke calls a function of the script from code that the loop runs, and
// treats what it throws as uncaught.
func (l *Loop) Invoke(f goja.Callable, this goja.Value, args ...goja.Value) {
	_, err := f(this, args...)
	l.caught(err)
}

// Check treats an error of code that the loop runs as uncaught.
func (l *Loop) Check(err error) { l.caught(err) }

// NextTick runs f when the present task is done, before promise jobs.
func (l *Loop) NextTick(f func()) { l.ticks = append(l.ticks, tick{f, l.scope.now}) }

type tick struct {
	f     func()
	scope goja.Value
}

// Post runs f as a macrotask of its own, from any goroutine. It keeps nothing
// alive, and reports whether the loop still takes it.
func (l *Loop) Post(f func()) bool { return l.post(f) }

func (l *Loop) post(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.posted = append(l.posted, f)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// Call runs f on the loop and waits for it, from another goroutine than the
// loop's.
func (l *Loop) Call(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	if !l.post(func() { done <- f() }) {
		return ErrStopped
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.ctx.Done():
		return ErrStopped
	}
}
