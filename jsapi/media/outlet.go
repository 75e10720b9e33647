package media

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// outlet is where a stage puts what it makes: a queue for each of those who
// read. While nobody does, one queue waits for the first of them.
type outlet struct {
	busy     *activity
	limit    int
	maxBytes int64
	overflow overflow
	lossy    bool // a reader that is slower than another one loses objects
	turns    atomic.Uint64
	changed  func() // called when a reader came or went; may be nil

	mu      sync.Mutex
	spare   *queue   // of nobody, yet; nil where somebody reads
	readers []*queue // of one each
	read    bool     // somebody has
	ended   bool
	closed  bool
	lost    uint64 // of readers that are gone
}

func newOutlet(busy *activity, limit int, maxBytes int64) *outlet {
	out := &outlet{busy: busy, limit: limit, maxBytes: maxBytes}
	out.spare = out.queue()
	return out
}

func (out *outlet) queue() *queue {
	q := newQueue(out.busy, out.limit, out.maxBytes)
	q.overflow, q.turn = out.overflow, &out.turns
	return q
}

// attach begins another reader.
func (out *outlet) attach() *queue {
	defer out.change()
	out.mu.Lock()
	defer out.mu.Unlock()
	q := out.spare
	out.spare = nil
	if q == nil {
		q = out.queue()
		if out.ended {
			q.end()
		}
		if out.closed {
			q.close()
		}
	}
	q.setOverflow(out.overflow)
	out.read = true
	out.readers = append(out.readers, q)
	return q
}

// detach ends a reader. What the last one has not read waits for the next.
func (out *outlet) detach(q *queue) {
	defer out.change()
	out.mu.Lock()
	for i, r := range out.readers {
		if r != q {
			continue
		}
		out.readers = append(out.readers[:i:i], out.readers[i+1:]...)
		if len(out.readers) == 0 {
			out.spare = q
			out.mu.Unlock()
			return
		}
		out.lost += q.losses()
		break
	}
	out.mu.Unlock()
	q.close()
}

// setOverflow changes what full queues do.
func (out *outlet) setOverflow(o overflow) {
	out.mu.Lock()
	out.overflow = o
	out.mu.Unlock()
	for _, q := range out.all() {
		q.setOverflow(o)
	}
}

func (out *outlet) change() {
	if out.changed != nil {
		out.changed()
	}
}

// wanted reports whether anybody reads, or did: who was unpiped may be piped
// again, and is to find what came meanwhile.
func (out *outlet) wanted() bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.read
}

// rest is for an outlet that nobody reads any more. It waits for the next
// reader when it is full, or where yields is set it drops.
func (out *outlet) rest(yields bool) {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.spare == nil || !out.read {
		return
	}
	o := out.overflow
	if yields && o == block {
		o = dropToKey
	}
	out.spare.setOverflow(o)
}

// attached reports whether anybody reads.
func (out *outlet) attached() bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	return len(out.readers) > 0
}

func (out *outlet) all() []*queue {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.spare != nil {
		return []*queue{out.spare}
	}
	return out.readers
}

// push gives o to every reader.
func (out *outlet) push(ctx context.Context, o object) error {
	readers := out.all()
	if out.lossy && len(readers) > 1 {
		return out.spread(ctx, readers, o)
	}
	for i, q := range readers {
		mine := o
		if i < len(readers)-1 {
			c, err := o.clone()
			if err != nil {
				return err
			}
			mine = c
		}
		if err := q.push(ctx, mine); err != nil && !errors.Is(err, errClosed) {
			mine.close()
			return err
		}
	}
	return nil
}

// room waits until all readers have some.
func (out *outlet) room(ctx context.Context) error {
	for _, q := range out.all() {
		if err := q.room(ctx); err != nil {
			return err
		}
	}
	return nil
}

// put gives o, a packet, to every reader, and waits for none.
func (out *outlet) put(o object) {
	for _, q := range out.all() {
		q.mu.Lock()
		_ = q.put(o) // where it was closed its reader is gone
	}
}

// shape changes how much waits, and what happens where that is all there is
// room for.
func (out *outlet) shape(limit int, o overflow) {
	out.mu.Lock()
	out.limit, out.overflow = limit, o
	out.mu.Unlock()
	for _, q := range out.all() {
		q.mu.Lock()
		q.limit = limit
		q.mu.Unlock()
		q.setOverflow(o)
	}
}

// count is how many read.
func (out *outlet) count() int {
	out.mu.Lock()
	defer out.mu.Unlock()
	return len(out.readers)
}

// A reader of a lossy outlet is waited for so long at once, and so much of the
// time at most, before it loses an object; the one that read last is waited for
// so long in any case.
const (
	patience = 50 * time.Millisecond
	share    = 20 // one part of so many
)

// spread gives o to those that have room, once those that keep up do: whoever
// keeps up loses nothing, and whoever does not holds up nobody.
func (out *outlet) spread(ctx context.Context, readers []*queue, o object) error {
	if err := out.await(ctx, readers); err != nil {
		o.close()
		return err
	}
	for _, q := range readers {
		c, err := o.clone()
		if err != nil {
			o.close()
			return err
		}
		q.setOverflow(dropToKey)
		_ = q.push(ctx, c) // where it was closed its reader is gone
	}
	o.close()
	return nil
}

func (out *outlet) await(ctx context.Context, readers []*queue) error {
	begun := time.Now()
	var full []*queue
	for _, q := range readers {
		if !q.hasRoom() {
			full = append(full, q)
		}
	}
	defer func() {
		for _, q := range full {
			q.spend(time.Since(begun))
		}
	}()
	for {
		room := make(chan struct{})
		var once sync.Once
		counted := false // that this goroutine waits for another one, and nothing else wakes it
		wake := func() { once.Do(func() { close(room) }) }
		wait, any := due(readers, time.Since(begun))
		if wait <= 0 && any {
			return nil
		}
		if wait <= 0 {
			counted = true
			wake = func() {
				once.Do(func() {
					out.busy.add(1)
					close(room)
				})
			}
		}
		for _, q := range readers {
			q.whenTaken(wake)
		}
		if now, any := due(readers, time.Since(begun)); now <= 0 && any {
			wake() // one has been read since
		}
		if counted {
			out.busy.add(-1)
			select {
			case <-room:
			case <-ctx.Done():
				wake()
			}
		} else {
			timer := time.NewTimer(wait)
			select {
			case <-room:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// due is how long those that have no room are waited for yet, and whether any
// has room. waited is how long they have been.
func due(readers []*queue, waited time.Duration) (wait time.Duration, any bool) {
	var newest uint64
	var leader time.Duration
	for _, q := range readers {
		turn, room, credit := q.standing()
		any = any || room
		rest := time.Duration(0)
		if !room {
			rest = patience - waited
			wait = max(wait, credit-waited)
		}
		if turn >= newest {
			newest, leader = turn, rest
		}
	}
	return max(wait, leader), any
}

// end says that nothing more comes.
func (out *outlet) end() {
	out.mu.Lock()
	out.ended = true
	readers := append([]*queue(nil), out.readers...)
	if out.spare != nil {
		readers = append(readers, out.spare)
	}
	out.mu.Unlock()
	for _, q := range readers {
		q.end()
	}
}

// close drops everything.
func (out *outlet) close() {
	out.mu.Lock()
	out.closed = true
	readers := append([]*queue(nil), out.readers...)
	if out.spare != nil {
		readers = append(readers, out.spare)
	}
	out.mu.Unlock()
	for _, q := range readers {
		q.close()
	}
}

// dropped is how many objects readers lost.
func (out *outlet) dropped() uint64 {
	out.mu.Lock()
	defer out.mu.Unlock()
	n := out.lost
	for _, q := range out.readers {
		n += q.losses()
	}
	if out.spare != nil {
		n += out.spare.losses()
	}
	return n
}
