package transcode

import (
	"sync"

	"github.com/millrace/millrace/transcode/wire"
)

// mailbox holds what is said to a script besides its media, bounded: a
// script that does not listen must hold nobody up.
type mailbox struct {
	mu     sync.Mutex
	queue  []wire.Message
	bytes  int // of the messages of the app
	wake   chan struct{}
	closed bool
}

const (
	mailMessages = 256
	mailBytes    = 8 << 20
)

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put adds a message, and drops the oldest ones of the app where there are too
// many.
func (b *mailbox) put(m wire.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.queue = append(b.queue, m)
	b.bytes += bodyOf(m)
	for i := 0; i < len(b.queue)-1 && (len(b.queue) > mailMessages || b.bytes > mailBytes); {
		if _, app := b.queue[i].(*wire.Script); !app {
			i++
			continue
		}
		b.bytes -= bodyOf(b.queue[i])
		b.queue = append(b.queue[:i], b.queue[i+1:]...)
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func bodyOf(m wire.Message) int {
	if s, ok := m.(*wire.Script); ok {
		return len(s.Body)
	}
	return 0
}

// carry writes what is put, until close or until nobody takes it.
func (b *mailbox) carry(write func(wire.Message) error) {
	for {
		b.mu.Lock()
		queue, closed := b.queue, b.closed
		b.queue, b.bytes = nil, 0
		b.mu.Unlock()
		if closed {
			return
		}
		for _, m := range queue {
			if write(m) != nil {
				return // the worker's death tells why
			}
		}
		if len(queue) == 0 {
			<-b.wake
		}
	}
}

func (b *mailbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
