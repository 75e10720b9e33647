package ingest

import (
	"context"
	"io"
	"sync"

	"github.com/millrace/millrace/internal/media"
)

// defaultRing is what a subscriber may have waiting, in payload bytes.
const defaultRing = 8 << 20

// maxBatch is how many packets of audio wait for a video packet: a second and
// more of AAC.
const maxBatch = 64

// ring is one subscriber's queue. A live one that is full gives up its oldest
// packets up to the next keyframe it holds, or all of them and what comes up
// to the next keyframe: the reader sees one gap, and a decoder can start
// behind it. Audio goes with the video, so that both have the same gap.
type ring struct {
	s     *Stream
	name  string
	limit int
	block bool
	batch bool
	ready chan struct{} // has a token when there may be something to read
	room  chan struct{} // has a token when there may be room; blocking rings

	mu      sync.Mutex
	queue   []*media.Packet // circular
	head    int
	count   int
	bytes   int
	video   bool // a video track has been seen
	needKey bool // drop until the next video keyframe
	dropped uint64
	closed  bool
	err     error // set at the end; returned once the queue is empty
}

func newRing(s *Stream, o media.SubscribeOptions) *ring {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultRing
	}
	return &ring{
		s: s, name: o.Name, limit: o.MaxBytes, block: o.Block, batch: o.Batch,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1),
		queue: make([]*media.Packet, 16),
	}
}

// Next implements media.Subscription.
func (r *ring) Next(ctx context.Context) (*media.Packet, error) {
	for {
		p, err := r.pop()
		if p != nil || err != nil {
			return p, err
		}
		select {
		case <-r.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *ring) pop() (*media.Packet, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		return nil, r.err
	}
	p := r.shift()
	signal(r.room)
	return p, nil
}

// push queues a packet. It never waits.
func (r *ring) push(p *media.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.err != nil {
		return
	}
	video := p.Track.Kind == media.Video
	r.video = r.video || video
	if r.needKey {
		if !video || !p.Key {
			r.dropped++
			return
		}
		r.needKey = false
	}
	if !r.block && r.count > 0 && r.bytes+len(p.Payload) > r.limit {
		r.overflow(len(p.Payload))
		if r.video && r.count == 0 && (!video || !p.Key) {
			r.needKey = true
			r.dropped++
			return
		}
	}
	if r.count == len(r.queue) {
		r.grow()
	}
	r.queue[(r.head+r.count)%len(r.queue)] = p
	r.count++
	r.bytes += len(p.Payload)
	if !r.batch || video || !r.video || r.count >= maxBatch {
		signal(r.ready)
	}
}

// overflow makes room for n bytes: whole stretches up to the next video
// keyframe, or single packets where there is no video.
func (r *ring) overflow(n int) {
	for r.count > 0 && r.bytes+n > r.limit {
		r.shift()
		r.dropped++
		for r.video && r.count > 0 && !r.startable(r.queue[r.head]) {
			r.shift()
			r.dropped++
		}
	}
}

func (r *ring) startable(p *media.Packet) bool { return p.Key && p.Track.Kind == media.Video }

func (r *ring) shift() *media.Packet {
	p := r.queue[r.head]
	r.queue[r.head] = nil
	r.head = (r.head + 1) % len(r.queue)
	r.count--
	r.bytes -= len(p.Payload)
	return p
}

func (r *ring) grow() {
	bigger := make([]*media.Packet, 2*len(r.queue))
	n := copy(bigger, r.queue[r.head:])
	copy(bigger[n:], r.queue[:r.head])
	r.queue, r.head = bigger, 0
}

// waitRoom waits until a blocking ring has room, its reader has left, or the
// publisher has to go.
func (r *ring) waitRoom(done <-chan struct{}) {
	for {
		r.mu.Lock()
		free := r.closed || r.err != nil || r.bytes < r.limit
		r.mu.Unlock()
		if free {
			return
		}
		select {
		case <-r.room:
		case <-done:
			return
		}
	}
}

// end lets the reader see err behind what is queued.
func (r *ring) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	signal(r.ready)
	signal(r.room)
}

// Dropped implements media.Subscription.
func (r *ring) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// Close implements media.Subscription.
func (r *ring) Close() {
	r.s.unsubscribe(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.queue, r.head, r.count, r.bytes = make([]*media.Packet, 1), 0, 0, 0
	if r.err == nil {
		r.err = io.EOF
	}
	signal(r.ready)
	signal(r.room)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
