package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/status"
)

// busQueue is how many events a receiver may be behind before it is let go.
const busQueue = 256

// Bus carries events to whoever listens. Sending never blocks: a receiver that
// is too far behind finds its channel closed and subscribes again.
type Bus struct {
	mu   sync.Mutex
	id   uint64
	subs map[chan status.Event]struct{}
}

// NewBus makes a Bus without receivers.
func NewBus() *Bus { return &Bus{subs: map[chan status.Event]struct{}{}} }

// Send tells everybody that something happened now.
func (b *Bus) Send(kind, path string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.id++
	e := status.Event{ID: b.id, Time: time.Now(), Type: kind, Path: path, Data: data}
	for ch := range b.subs {
		select {
		case ch <- e:
		default:
			b.drop(ch)
		}
	}
}

// Events delivers every event from now on, until ctx ends; then the channel is
// closed.
func (b *Bus) Events(ctx context.Context) <-chan status.Event {
	ch := make(chan status.Event, busQueue)
	b.mu.Lock()
	b.subs[ch] = struct{}{}
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drop(ch)
	})
	return ch
}

// drop closes a receiver's channel once; b.mu is held.
func (b *Bus) drop(ch chan status.Event) {
	if _, ok := b.subs[ch]; ok {
		delete(b.subs, ch)
		close(ch)
	}
}
