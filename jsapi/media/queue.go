package media

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errClosed    = errors.New("nobody reads any more") // of a queue, which has taken the object over
	errDestroyed = errors.New("the stream was destroyed")
)

// queue is a bounded queue of objects between two goroutines, or between one
// and the loop. What happens when it is full its overflow says.
type queue struct {
	busy     *activity
	limit    int   // objects
	maxBytes int64 // 0: no bound
	overflow overflow

	mu      sync.Mutex
	items   []object
	bytes   int64
	ended   bool // nothing more comes
	closed  bool // nobody reads any more
	gap     map[int]bool
	dropped uint64

	readers, writers waiters
	readable         []func() // called once, when there is something to read
	writable         []func() // called once, when there is room
	taken            func()   // called once, when something was taken; of an outlet
	turn             *atomic.Uint64
	last             uint64        // turn at which something was taken
	credit           time.Duration // for how long this reader is waited for
	since            time.Time     // when that was reckoned
}

// waiters are goroutines that wait for the same thing.
type waiters struct {
	ch chan struct{}
	n  int64
}

func newQueue(busy *activity, limit int, maxBytes int64) *queue {
	return &queue{busy: busy, limit: limit, maxBytes: maxBytes, gap: map[int]bool{}}
}

func (q *queue) full() bool {
	return len(q.items) >= q.limit || q.maxBytes > 0 && q.bytes >= q.maxBytes && len(q.items) > 0
}

// wait gives up the lock until w is signalled.
func (q *queue) wait(ctx context.Context, w *waiters) error {
	if w.ch == nil {
		w.ch = make(chan struct{})
	}
	ch := w.ch
	w.n++
	q.mu.Unlock()
	q.busy.add(-1)
	select {
	case <-ch: // who signalled has counted us as busy
		q.mu.Lock()
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	select {
	case <-ch:
	default:
		w.n--
		q.busy.add(1)
	}
	return context.Cause(ctx)
}

func (q *queue) signal(w *waiters) {
	if w.ch == nil {
		return
	}
	q.busy.add(w.n)
	close(w.ch)
	*w = waiters{}
}

// becameReadable and becameWritable are called with the lock held and return
// what to call without it.
func (q *queue) becameReadable() []func() {
	q.signal(&q.readers)
	f := q.readable
	q.readable = nil
	return f
}

func (q *queue) becameWritable() []func() {
	if q.full() && !q.closed {
		return nil
	}
	q.signal(&q.writers)
	f := q.writable
	q.writable = nil
	if q.taken != nil {
		f = append(f, q.taken)
		q.taken = nil
	}
	return f
}

func run(all []func()) {
	for _, f := range all {
		f()
	}
}

// push appends o, which the queue takes over unless it returns ctx's error. A
// full queue waits, or drops.
func (q *queue) push(ctx context.Context, o object) error {
	q.mu.Lock()
	for q.overflow == block && !q.closed && q.full() {
		if err := q.wait(ctx, &q.writers); err != nil {
			q.mu.Unlock()
			return err
		}
	}
	return q.put(o)
}

// room waits until there is some, where that is what a full queue does.
func (q *queue) room(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.overflow == block && !q.closed && q.full() {
		if err := q.wait(ctx, &q.writers); err != nil {
			return err
		}
	}
	return nil
}

// force appends o even to a full queue, and reports whether there is room for
// more.
func (q *queue) force(o object) (room bool, err error) {
	q.mu.Lock()
	err = q.put(o)
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.full() || q.closed, err
}

// put appends o or drops; it gives up the lock.
func (q *queue) put(o object) error {
	if q.closed {
		q.mu.Unlock()
		o.close()
		return errClosed
	}
	if (q.overflow != block || len(q.gap) > 0) && !o.ended && !q.admit(&o) {
		q.mu.Unlock()
		o.close()
		return nil
	}
	q.items = append(q.items, o)
	q.bytes += o.size()
	f := q.becameReadable()
	q.mu.Unlock()
	run(f)
	return nil
}

// hasRoom reports whether push would not wait.
func (q *queue) hasRoom() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || !q.full()
}

// pop takes the next object: io.EOF after the last one.
func (q *queue) pop(ctx context.Context) (object, error) {
	q.mu.Lock()
	for len(q.items) == 0 && !q.ended && !q.closed {
		if err := q.wait(ctx, &q.readers); err != nil {
			q.mu.Unlock()
			return object{}, err
		}
	}
	var o object
	var got [1]object
	if n := q.takeLocked(got[:]); n == 0 {
		err := io.EOF
		if q.closed {
			err = errClosed
		}
		q.mu.Unlock()
		return o, err
	}
	f := q.becameWritable()
	q.mu.Unlock()
	run(f)
	return got[0], nil
}

// take takes what there is, without waiting; over says that nothing will come
// any more.
func (q *queue) take(into []object) (n int, over bool) {
	q.mu.Lock()
	n = q.takeLocked(into)
	over = len(q.items) == 0 && (q.ended || q.closed)
	f := q.becameWritable()
	q.mu.Unlock()
	run(f)
	return n, over
}

func (q *queue) takeLocked(into []object) int {
	n := copy(into, q.items)
	for i := range n {
		q.bytes -= into[i].size()
	}
	rest := copy(q.items, q.items[n:])
	clear(q.items[rest:])
	q.items = q.items[:rest]
	if n > 0 && q.turn != nil {
		q.last = q.turn.Add(1)
	}
	return n
}

// unpop puts back what was taken last.
func (q *queue) unpop(o object) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		o.close()
		return
	}
	q.items = append([]object{o}, q.items...)
	q.bytes += o.size()
	f := q.becameReadable()
	q.mu.Unlock()
	run(f)
}

// whenTaken calls f once, from any goroutine, when something is taken and
// there is room. It takes the place of what was asked for before.
func (q *queue) whenTaken(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = f
}

// standing is how lately something was taken, whether there is room, and for
// how long this reader may be waited for where there is none.
func (q *queue) standing() (turn uint64, room bool, credit time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if q.since.IsZero() {
		q.credit = patience
	} else {
		q.credit = min(q.credit+now.Sub(q.since)/share, patience)
	}
	q.since = now
	return q.last, q.closed || !q.full(), q.credit
}

// spend takes what a reader was waited for off its credit.
func (q *queue) spend(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.credit = max(q.credit-d, 0)
}

// end says that nothing more comes.
func (q *queue) end() {
	q.mu.Lock()
	q.ended = true
	f := q.becameReadable()
	q.mu.Unlock()
	run(f)
}

// close drops what is queued and whatever comes.
func (q *queue) close() {
	q.mu.Lock()
	items := q.items
	q.items, q.bytes, q.closed = nil, 0, true
	r, w := q.becameReadable(), q.becameWritable()
	q.mu.Unlock()
	for i := range items {
		items[i].close()
	}
	run(r)
	run(w)
}

// whenReadable calls f once, from any goroutine, when there is something to
// take or nothing will come; at once where that is so already.
func (q *queue) whenReadable(f func()) {
	q.mu.Lock()
	if len(q.items) == 0 && !q.ended && !q.closed {
		q.readable = append(q.readable, f)
		f = nil
	}
	q.mu.Unlock()
	if f != nil {
		f()
	}
}

// whenWritable calls f once, from any goroutine, when there is room.
func (q *queue) whenWritable(f func()) {
	q.mu.Lock()
	if !q.closed && q.full() {
		q.writable = append(q.writable, f)
		f = nil
	}
	q.mu.Unlock()
	if f != nil {
		f()
	}
}

// setOverflow changes what a full queue does; who waits for room goes by it at
// once.
func (q *queue) setOverflow(o overflow) {
	q.mu.Lock()
	q.overflow = o
	if o != block {
		q.signal(&q.writers)
	}
	q.mu.Unlock()
}

// losses is how many objects were dropped so far.
func (q *queue) losses() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
