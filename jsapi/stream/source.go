package stream

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// source is what the script is called with: the packets that the parent sends,
// in a bounded queue. Where the script is too slow it drops up to the next
// keyframe, so that the parent never waits.
type source struct {
	limit int           // bytes
	began time.Duration // see began

	mu      sync.Mutex
	tracks  []*media.Track // newest revisions
	known   wire.Tracks
	queue   []*media.Packet
	bytes   int
	video   bool
	needKey bool
	dropped uint64
	taken   uint64
	newest  *media.Packet
	ended   bool
	closed  bool
	wake    chan struct{} // holds a token when there may be something
}

const sourceBytes = 16 << 20

// began is when the parent's clock was at zero, by this process's. Arrivals are
// by the clock of the process that they are in, so that those of what a script
// makes itself are comparable.
func began(job *wire.ScriptJob) time.Duration { return time.Unix(0, job.Origin).Sub(media.Wall(0)) }

func newSource(tracks []media.Track, began time.Duration) *source {
	s := &source{limit: sourceBytes, began: began, wake: make(chan struct{}, 1)}
	for i := range tracks {
		s.tracks = append(s.tracks, &tracks[i])
		s.video = s.video || tracks[i].Kind == media.Video
	}
	return s
}

// Tracks implements the Source of jsapi/media.
func (s *source) Tracks() []*media.Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*media.Track(nil), s.tracks...)
}

// Read implements the Source of jsapi/media.
func (s *source) Read(ctx context.Context) (*media.Packet, error) {
	for {
		s.mu.Lock()
		switch {
		case len(s.queue) > 0:
			p := s.queue[0]
			s.queue[0] = nil
			s.queue = s.queue[1:]
			s.bytes -= len(p.Payload)
			s.taken++
			s.mu.Unlock()
			return p, nil
		case s.ended || s.closed:
			s.mu.Unlock()
			return nil, io.EOF
		}
		s.mu.Unlock()
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Close implements the Source of jsapi/media: the script wants no more.
func (s *source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.queue, s.bytes = nil, 0
	s.signal()
}

// announce takes a track, or another revision of one.
func (s *source) announce(t *wire.Track) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, old := range s.tracks {
		if old.ID != t.Stream {
			continue
		}
		if t.Track.Revision == 0 && t.Track.SameParameters(old) {
			// The script has seen this one: it is the same object.
			revised := *t
			revised.Track = *old
			revised.Track.Revision = 0
			if err := s.known.Announce(&revised); err != nil {
				return err
			}
			s.tracks[i] = &revised.Track
			return nil
		}
		if err := s.known.Announce(t); err != nil {
			return err
		}
		s.tracks[i] = &t.Track
		return nil
	}
	if err := s.known.Announce(t); err != nil {
		return err
	}
	s.tracks = append(s.tracks, &t.Track)
	s.video = s.video || t.Track.Kind == media.Video
	return nil
}

// put takes a packet.
func (s *source) put(m *wire.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.known.Resolve(m); err != nil {
		return err
	}
	p := m.Packet
	p.Arrival += s.began
	s.newest = p
	if s.closed {
		return nil
	}
	video := p.Track.Kind == media.Video
	if s.needKey && (!video || !p.Key) {
		s.dropped++
		return nil
	}
	s.needKey = false
	if len(s.queue) > 0 && s.bytes+len(p.Payload) > s.limit {
		s.overflow(len(p.Payload))
		if s.video && len(s.queue) == 0 && (!video || !p.Key) {
			s.needKey = true
			s.dropped++
			return nil
		}
	}
	s.queue = append(s.queue, p)
	s.bytes += len(p.Payload)
	s.signal()
	return nil
}

// overflow makes room for n bytes by dropping the oldest stretches, up to a
// keyframe each.
func (s *source) overflow(n int) {
	for len(s.queue) > 0 && s.bytes+n > s.limit {
		s.drop()
		for s.video && len(s.queue) > 0 && (!s.queue[0].Key || s.queue[0].Track.Kind != media.Video) {
			s.drop()
		}
	}
}

func (s *source) drop() {
	s.bytes -= len(s.queue[0].Payload)
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.dropped++
}

// end says that nothing more comes.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.signal()
}

// over reports whether the source has ended by itself.
func (s *source) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *source) stats() *wire.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &wire.Stats{PacketsIn: s.taken, QueuedBytes: int64(s.bytes), Dropped: s.dropped}
}

// behind is how much media waits for the script to take it, and how many
// packets were dropped because it did not.
func (s *source) behind() (wait time.Duration, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		first, last := s.queue[0], s.queue[len(s.queue)-1]
		wait = max(media.Duration(last.DTS, last.Track.ClockRate)-media.Duration(first.DTS, first.Track.ClockRate), 0)
	}
	return wait, s.dropped
}

// at is the newest packet of the source, nil before the first.
func (s *source) at() *media.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

func (s *source) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
