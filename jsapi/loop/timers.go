package loop

import (
	"container/heap"
	"fmt"
	"time"
)

// Timer runs a function later. Equal deadlines keep the order in which they
// were set.
type Timer struct {
	loop   *Loop
	f      func()
	at     time.Duration
	every  time.Duration // 0: once
	seq    uint64
	index  int // in the heap; -1 is not set
	unref  bool
	active bool
}

// SetTimer runs f on the loop after d, and every d again where repeat is set.
// Node's smallest delay is 1 ms, and so is this.
func (l *Loop) SetTimer(d time.Duration, repeat bool, f func()) *Timer {
	if n := len(l.timers.heap); l.MaxTimers > 0 && n >= l.MaxTimers {
		l.Throw(&Error{Name: "RangeError", Code: "ERR_TOO_MANY_TIMERS", Message: fmt.Sprintf("%d timers are set, and that is the most", n)})
	}
	at := l.scope.now
	t := &Timer{loop: l, f: func() { l.within(at, f) }, index: -1}
	d = max(d, time.Millisecond)
	if repeat {
		t.every = d
	}
	t.start(d)
	return t
}

func (t *Timer) start(d time.Duration) {
	l := t.loop
	l.timers.seq++
	t.at, t.seq = l.now()+d, l.timers.seq
	if t.index >= 0 {
		heap.Fix(&l.timers, t.index)
	} else {
		heap.Push(&l.timers, t)
	}
	if !t.active {
		t.active = true
		if !t.unref {
			l.alive++
		}
	}
}

// Refresh starts the timer's time anew.
func (t *Timer) Refresh(d time.Duration) { t.start(max(d, time.Millisecond)) }

// Clear stops the timer.
func (t *Timer) Clear() {
	if t.index >= 0 {
		heap.Remove(&t.loop.timers, t.index)
	}
	if t.active {
		t.active = false
		if !t.unref {
			t.loop.alive--
		}
	}
	t.every = 0
}

// Active tells whether the timer is set.
func (t *Timer) Active() bool { return t.active }

// Ref says whether the timer keeps the loop alive.
func (t *Timer) Ref(keep bool) {
	if t.active && t.unref == keep {
		if keep {
			t.loop.alive++
		} else {
			t.loop.alive--
		}
	}
	t.unref = !keep
}

// HasRef tells whether the timer keeps the loop alive while it is set.
func (t *Timer) HasRef() bool { return !t.unref }

func (l *Loop) runTimers() {
	now := l.now()
	for l.err == nil && !l.ended && len(l.timers.heap) > 0 && l.timers.heap[0].at <= now {
		t := l.timers.heap[0]
		every := t.every
		if every > 0 {
			t.start(every)
		} else {
			t.Clear()
		}
		l.Turn(func() error { t.f(); return nil })
	}
}

// timers is a heap by deadline, then by order of setting.
type timers struct {
	heap []*Timer
	seq  uint64
}

// next is the earliest deadline.
func (t *timers) next() (time.Duration, bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].at, true
}

func (t *timers) Len() int { return len(t.heap) }

func (t *timers) Less(i, j int) bool {
	a, b := t.heap[i], t.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (t *timers) Swap(i, j int) {
	t.heap[i], t.heap[j] = t.heap[j], t.heap[i]
	t.heap[i].index, t.heap[j].index = i, j
}

func (t *timers) Push(x any) {
	timer, _ := x.(*Timer)
	timer.index = len(t.heap)
	t.heap = append(t.heap, timer)
}

func (t *timers) Pop() any {
	last := len(t.heap) - 1
	timer := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	timer.index = -1
	return timer
}

// Immediate is a function that runs at the end of this round of the loop.
type Immediate struct {
	loop  *Loop
	f     func()
	unref bool
	done  bool
}

// SetImmediate runs f after what was posted, before timers come round again.
func (l *Loop) SetImmediate(f func()) *Immediate {
	at := l.scope.now
	i := &Immediate{loop: l, f: func() { l.within(at, f) }}
	l.immediates = append(l.immediates, i)
	l.alive++
	return i
}

// Clear keeps the function from running.
func (i *Immediate) Clear() {
	if i.done {
		return
	}
	i.done = true
	if !i.unref {
		i.loop.alive--
	}
}

// Ref says whether the immediate keeps the loop alive.
func (i *Immediate) Ref(keep bool) {
	if !i.done && i.unref == keep {
		if keep {
			i.loop.alive++
		} else {
			i.loop.alive--
		}
	}
	i.unref = !keep
}

// HasRef tells whether the immediate keeps the loop alive.
func (i *Immediate) HasRef() bool { return !i.unref }

func (l *Loop) runImmediates() {
	due := l.immediates
	l.immediates = nil
	for n, i := range due {
		if l.err != nil || l.ended {
			l.immediates = append(due[n:], l.immediates...)
			return
		}
		if i.done {
			continue
		}
		i.Clear()
		l.Turn(func() error { i.f(); return nil })
	}
}
