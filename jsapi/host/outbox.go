package host

import (
	"io"
	"sync"

	"github.com/millrace/millrace/jsapi/host/wire"
)

// outbox is what waits to be sent to a process. Putting never blocks: events
// and messages beyond a number push out the oldest of their kind, the rest is
// bounded by what is under way.
type outbox struct {
	w *wire.Writer

	mu       sync.Mutex
	wake     *sync.Cond
	frames   []wire.Frame
	events   []*wire.Event
	missed   int // events dropped since the last one was sent
	messages []*wire.Message
	closed   bool
}

const (
	maxEvents   = 1024
	maxMessages = 256
	maxFrames   = 4096 // beyond it the process is dead to the world anyway
)

func newOutbox(w io.Writer) *outbox {
	o := &outbox{w: wire.NewWriter(w)}
	o.wake = sync.NewCond(&o.mu)
	return o
}

// put queues a frame; false where it is not taken any more.
func (o *outbox) put(f wire.Frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	switch f := f.(type) {
	case *wire.Event:
		if len(o.events) == maxEvents {
			o.events = append(o.events[:0], o.events[1:]...)
			o.missed++
		}
		o.events = append(o.events, f)
	case *wire.Message:
		if len(o.messages) == maxMessages {
			o.messages = append(o.messages[:0], o.messages[1:]...)
		}
		o.messages = append(o.messages, f)
	default:
		if len(o.frames) == maxFrames {
			return false
		}
		o.frames = append(o.frames, f)
	}
	o.wake.Signal()
	return true
}

// next waits for a frame; nil at the end.
func (o *outbox) next() wire.Frame {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case len(o.frames) > 0:
			f := o.frames[0]
			o.frames = o.frames[1:]
			return f
		case o.closed:
			return nil
		case len(o.events) > 0:
			e := o.events[0]
			o.events = o.events[1:]
			e.Missed, o.missed = o.missed, 0
			return e
		case len(o.messages) > 0:
			m := o.messages[0]
			o.messages = o.messages[1:]
			return m
		}
		o.wake.Wait()
	}
}

// run sends until close, or until nothing can be sent.
func (o *outbox) run() {
	for f := o.next(); f != nil; f = o.next() {
		if err := o.w.Write(f); err != nil {
			o.close()
			return
		}
	}
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.frames = nil
	o.wake.Broadcast()
}
