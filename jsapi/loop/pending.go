package loop

import (
	"context"
	"sync/atomic"

	"github.com/dop251/goja"
)

// Pending is work under way outside the loop. It keeps the loop alive until it
// is settled.
type Pending struct {
	loop    *Loop
	scope   goja.Value
	unref   bool
	over    bool
	settled atomic.Bool
}

// Pending begins work whose end the loop waits for.
func (l *Loop) Pending() *Pending {
	l.alive++
	return &Pending{loop: l, scope: l.scope.now}
}

// Settle ends the work: f runs on the loop as a macrotask of its own. It may
// be called from any goroutine and is called once; a second call panics. After
// the loop's end f is not run.
func (p *Pending) Settle(f func()) {
	if !p.settled.CompareAndSwap(false, true) {
		panic("loop: a Pending is settled once")
	}
	p.loop.post(func() {
		p.over = true
		if !p.unref {
			p.loop.alive--
		}
		p.loop.within(p.scope, f)
	})
}

// Ref says whether the work keeps the loop alive. It is for the loop's own
// goroutine.
func (p *Pending) Ref(keep bool) {
	if !p.over && p.unref == keep {
		if keep {
			p.loop.alive++
		} else {
			p.loop.alive--
		}
	}
	p.unref = !keep
}

// HasRef tells whether the work keeps the loop alive.
func (p *Pending) HasRef() bool { return !p.unref }

// Promise runs work on a goroutine of its own and gives the promise of its
// value, which is made from what work returned by the runtime's ToValue; a
// func(*goja.Runtime) goja.Value is called on the loop instead. An error
// rejects it; see Error for those with a code.
func (l *Loop) Promise(work func(ctx context.Context) (any, error)) *goja.Object {
	promise, resolve, reject := l.rt.NewPromise()
	p := l.Pending()
	go func() {
		v, err := work(l.ctx)
		p.Settle(func() {
			if err != nil {
				_ = reject(l.Reason(err))
				return
			}
			if make, ok := v.(func(*goja.Runtime) goja.Value); ok {
				v = make(l.rt)
			}
			_ = resolve(v)
		})
	}()
	object, _ := l.rt.ToValue(promise).(*goja.Object)
	return object
}
