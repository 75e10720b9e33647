package media

import (
	"context"
	"errors"
	"sync"
)

// outlet is where a stage puts what it makes: a queue for each of those who
// read. While nobody does, one queue waits for the first of them.
type outlet struct {
	busy     *activity
	limit    int
	maxBytes int64
	overflow overflow
	lossy    bool // a reader that is slower than another one loses objects

	mu      sync.Mutex
	spare   *queue   // of nobody, yet; nil where somebody reads
	readers []*queue // of one each
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
	q.overflow = out.overflow
	return q
}

// attach begins another reader.
func (out *outlet) attach() *queue {
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
	out.readers = append(out.readers, q)
	return q
}

// detach ends a reader. What the last one has not read waits for the next.
func (out *outlet) detach(q *queue) {
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

// spread waits for the reader that is ready first; those that are not lose o.
func (out *outlet) spread(ctx context.Context, readers []*queue, o object) error {
	for !anyRoom(readers) {
		if err := waitForAny(ctx, out.busy, readers); err != nil {
			o.close()
			return err
		}
	}
	for _, q := range readers {
		c, err := o.clone()
		if err != nil {
			break
		}
		q.setOverflow(dropToKey)
		_ = q.push(ctx, c)
	}
	o.close()
	return nil
}

func anyRoom(readers []*queue) bool {
	for _, q := range readers {
		if q.hasRoom() {
			return true
		}
	}
	return false
}

// waitForAny waits until one of the queues has room.
func waitForAny(ctx context.Context, busy *activity, readers []*queue) error {
	room := make(chan struct{})
	var once sync.Once
	busy.add(-1)
	for _, q := range readers {
		q.whenWritable(func() {
			once.Do(func() {
				busy.add(1)
				close(room)
			})
		})
	}
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		once.Do(func() { busy.add(1) })
		return context.Cause(ctx)
	}
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
