package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
)

// item is what travels through a queue: exactly one of its first five fields
// is set.
type item struct {
	packet *media.Packet // to a decode line
	frame  *libav.Frame  // from a decode line; the receiver closes it
	cut    *cut
	tick   *tick // video has come this far; for sound
	flush  *flush

	track         *media.Track  // of a packet or frame
	discontinuity uint64        // of a packet
	arrival       time.Duration // of a frame
}

// tick is a time in video's clock.
type tick struct {
	pts   int64
	clock int
}

// flush asks every line to put out what it holds and to begin anew. Each line
// passes it on, when it has done so itself, and then counts down.
type flush struct {
	left atomic.Int32
	done chan struct{} // closed by the last line
}

func newFlush(lines int) *flush {
	f := &flush{done: make(chan struct{})}
	if f.left.Store(int32(lines)); lines == 0 {
		close(f.done)
	}
	return f
}

func (f *flush) countDown() {
	if f.left.Add(-1) == 0 {
		close(f.done)
	}
}

// queue is the input of a line.
type queue chan item

// put waits for room.
func (q queue) put(ctx context.Context, it item) error {
	select {
	case q <- it:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// discard frees what is left in a queue that nobody reads any more.
func (q queue) discard() {
	for {
		select {
		case it := <-q:
			if it.frame != nil {
				it.frame.Close()
			}
		default:
			return
		}
	}
}

// Depths of the queues. Deeper ones cost memory and delay and win nothing.
const (
	packetQueue = 16
	frameQueue  = 4
)
