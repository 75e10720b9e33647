package transcode

import (
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// item is one thing on its way to a worker: a packet, or a message about what
// follows it.
type item struct {
	placed  media.Placed // where Packet is not nil
	message wire.Message // else
	at      time.Duration
}

// overhead is what an item without its payload is counted as.
const overhead = 128

func (it *item) size() int {
	if it.placed.Packet == nil {
		return overhead
	}
	return len(it.placed.Payload) + overhead
}

// queue is what waits for one session's worker, bounded in bytes.
//
// A live queue never blocks: a video packet that does not fit is dropped and
// so is every one after it up to a keyframe that fits. Messages always fit;
// there is one every segment. A queue of a file blocks.
//
// Beside it a live queue keeps what was put since the newest point where a
// decoder can start, so that another worker can take over; while there is
// none, packets go there alone.
type queue struct {
	maxBytes int
	maxAge   time.Duration // a live queue is full too when its oldest item has waited so long
	live     bool
	video    map[int]bool // the video tracks among those the worker needs

	wake chan struct{} // holds a token when there may be something to take

	mu       sync.Mutex
	items    []item
	bytes    int
	attached bool // a worker takes from the queue
	closed   bool
	room     chan struct{} // closed when there may be room; nil when nobody waits
	needKey  map[int]bool
	dropped  uint64

	cache      []item
	cacheBytes int
	cacheLost  bool // it outgrew its bound; it begins again with the next keyframe
}

func newQueue(live bool, maxBytes int, maxAge time.Duration, video map[int]bool) *queue {
	return &queue{
		maxBytes: maxBytes, maxAge: maxAge, live: live, video: video,
		wake: make(chan struct{}, 1), needKey: make(map[int]bool), cacheLost: true,
	}
}

// put adds an item. Only packets of files ever wait. It reports whether the
// item was taken or kept for a later worker, which is false for what was
// dropped and once the queue is closed.
func (q *queue) put(it item) bool {
	q.mu.Lock()
	for it.placed.Packet != nil && !q.live && !q.closed && (!q.attached || q.full(it.size())) {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		<-room
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if q.live {
		q.remember(it)
	}
	if !q.attached {
		return q.live && !q.cacheLost
	}
	if q.live && it.placed.Packet != nil && !q.fits(&it) {
		q.dropped++
		return false
	}
	q.items = append(q.items, it)
	q.bytes += it.size()
	q.signal()
	return true
}

// full reports whether size bytes more are too many. One item always fits.
func (q *queue) full(size int) bool { return len(q.items) > 0 && q.bytes+size > q.maxBytes }

// fits decides what a live queue drops.
func (q *queue) fits(it *item) bool {
	id := it.placed.Track.ID
	video := q.video[id]
	if video && q.needKey[id] && !it.placed.Key {
		return false
	}
	full := q.full(it.size()) || len(q.items) > 0 && it.at-q.items[0].at > q.maxAge
	if video {
		q.needKey[id] = full
	}
	return !full
}

// remember keeps the cache. It begins at a video keyframe, with the cuts that
// stand before it, or at a cut where there is no video.
func (q *queue) remember(it item) {
	start := false
	if it.placed.Packet != nil {
		start = q.video[it.placed.Track.ID] && it.placed.Key
	} else if _, cut := it.message.(*wire.Cut); cut {
		start = len(q.video) == 0
	} else {
		return // Tune and Drain are of the moment
	}
	if start {
		keep := len(q.cache)
		for len(q.video) > 0 && keep > 0 && q.cache[keep-1].placed.Packet == nil {
			keep--
		}
		cuts := append([]item(nil), q.cache[keep:]...)
		clear(q.cache)
		q.cache, q.cacheBytes, q.cacheLost = append(q.cache[:0], cuts...), len(cuts)*overhead, false
	}
	if q.cacheLost && it.placed.Packet != nil {
		return
	}
	q.cache = append(q.cache, it)
	if q.cacheBytes += it.size(); q.cacheBytes > q.maxBytes {
		clear(q.cache)
		q.cache, q.cacheBytes, q.cacheLost = q.cache[:0], 0, true
	}
}

// attach begins delivery to a new worker and returns what it must be given
// first. Without prime that is nothing, and video begins at the next keyframe.
func (q *queue) attach(prime bool) []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.empty()
	q.attached = true
	if !prime {
		clear(q.cache)
		q.cache, q.cacheBytes, q.cacheLost = q.cache[:0], 0, true
	}
	for id := range q.video {
		q.needKey[id] = q.cacheLost
	}
	return append([]item(nil), q.cache...)
}

// detach ends delivery: what waits is in the cache, or lost.
func (q *queue) detach() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.attached = false
	q.empty()
}

func (q *queue) empty() {
	clear(q.items)
	q.items, q.bytes = q.items[:0], 0
	q.makeRoom()
}

// close lets nobody wait any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.makeRoom()
}

// take removes the oldest item, waiting for one until done. It reports false
// then.
func (q *queue) take(done <-chan struct{}) (item, bool) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			it := q.items[0]
			q.items[0] = item{}
			q.items = q.items[1:]
			q.bytes -= it.size()
			if len(q.items) == 0 {
				q.items = nil
			}
			q.makeRoom()
			q.mu.Unlock()
			return it, true
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-done:
			return item{}, false
		}
	}
}

// state is a look at the queue.
func (q *queue) state(now time.Duration) (bytes int, age time.Duration, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 {
		age = now - q.items[0].at
	}
	return q.bytes, age, q.dropped
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) makeRoom() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
