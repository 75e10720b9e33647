package ingest

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/ingest/timeline"
	"github.com/millrace/millrace/internal/media"
)

// PublisherInfo says who publishes.
type PublisherInfo struct {
	Protocol string
	Remote   net.Addr // nil for files
	Agent    string   // what the client says it is
	User     string
	Unused   []Unused // what it offers beside its tracks
	Skip     []int    // places of tracks, as in Attach, that are not taken: what comes of them is dropped

	// SharedClock says that the timestamps of all tracks come from one clock
	// with one origin, as in RTMP, MPEG-TS and files; in RTP each track has
	// its own.
	SharedClock bool
}

// Sample is one access unit or audio frame as the wire has it.
type Sample struct {
	PTS, DTS int64 // wire ticks, raw; only the counter's low bits count
	HasDTS   bool  // the wire carries decode times
	Bits     int   // width of the wire's counter; 0: 64, never wraps
	Rate     int   // wire ticks a second; 0: the track's ClockRate
	Duration int64 // audio: exact duration in the track's ticks; 0 unknown
	Key      bool
	Payload  []byte // as media.Packet has it; not touched after Write
	NTP      time.Time
	Arrival  time.Duration // on the clock of media.Now
}

// Publisher is one publishing session: the writing end of a Stream. Each
// track may be written by a goroutine of its own.
type Publisher struct {
	s     *Stream
	info  PublisherInfo
	since time.Time
	done  chan struct{}

	writing sync.Mutex // orders Writes that wait for a blocking subscriber

	// guarded by s.mu
	err       error // valid once done is closed
	tracks    []*pubTrack
	gathering *time.Timer // the whole wait
	quiet     *time.Timer // the wait for silent tracks, from the first sample
	isQuiet   bool
}

// pubTrack is a track of one publisher.
type pubTrack struct {
	track    *media.Track
	bits     int
	rate     int
	complete bool // its configuration is known
	present  bool // it has delivered something
	started  bool // it has delivered what a decoder can start at
	ready    bool // it may be among Stream.tracks
	joined   bool // it is among Stream.tracks
	skipped  bool // it is not taken
	stats    trackCounters
}

// Info says who this is.
func (p *Publisher) Info() PublisherInfo { return p.info }

// Stream is what this publishes to.
func (p *Publisher) Stream() *Stream { return p.s }

// Done closes when this publisher must go: kicked, taken over, or the stream
// ended. The protocol then closes the connection, with Err as the reason.
func (p *Publisher) Done() <-chan struct{} { return p.done }

// Err is nil until Done is closed.
func (p *Publisher) Err() error {
	select {
	case <-p.done:
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		return p.err
	default:
		return nil
	}
}

// Close says that the publisher has left; the stream holds. Calls after the
// first have no effect.
func (p *Publisher) Close(reason error) {
	if reason == nil {
		reason = errLeft
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.lose(p, reason)
}

// Kick makes the publisher go, with a reason it may be told. The stream
// holds, as if it had left by itself.
func (p *Publisher) Kick(reason error) { p.Close(reason) }

// SetTrack completes or changes the parameters of track i, counted as in
// Attach. Parameters that differ make a new revision; packets written from now
// on carry it. i may be the number of tracks so far, to add one.
func (p *Publisher) SetTrack(i int, t *media.Track) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.pub != p {
		return p.err
	}
	switch {
	case i == len(p.tracks):
		p.add(t)
	case i < 0 || i > len(p.tracks):
		return fmt.Errorf("set track %d: there are %d", i, len(p.tracks))
	case p.tracks[i].skipped:
	default:
		p.revise(p.tracks[i], t)
	}
	p.gatherLocked(false)
	return nil
}

// add gives a new track the ID of its predecessor: the first one of its kind
// that no other track of this publisher has. s.mu is held.
func (p *Publisher) add(t *media.Track) {
	if slices.Contains(p.info.Skip, len(p.tracks)) {
		n := *t
		n.ID = -1
		p.tracks = append(p.tracks, &pubTrack{track: &n, skipped: true})
		return
	}
	id := -1
	for i, slot := range p.s.slots {
		if slot.Kind == t.Kind && !p.uses(i) {
			id = i
			break
		}
	}
	n := *t
	if id < 0 {
		id = len(p.s.slots)
		n.ID, n.Revision = id, 0
		p.s.slots = append(p.s.slots, &n)
	}
	pt := &pubTrack{track: p.s.slots[id]}
	p.tracks = append(p.tracks, pt)
	p.revise(pt, t)
}

func (p *Publisher) uses(id int) bool {
	for _, pt := range p.tracks {
		if pt.track.ID == id {
			return true
		}
	}
	return false
}

// revise puts parameters in force. s.mu is held.
func (p *Publisher) revise(pt *pubTrack, t *media.Track) {
	old := pt.track
	if !t.SameParameters(old) || t.Bitrate != old.Bitrate || t.Language != old.Language || t.FrameRate != old.FrameRate {
		n := *t
		n.ID, n.Revision = old.ID, old.Revision
		if old.Codec == "" || codec.Complete(old) {
			n.Revision++
		}
		pt.track = &n
		p.s.slots[n.ID] = &n
		for i, in := range p.s.tracks {
			if in.ID == n.ID && pt.joined {
				p.s.tracks[i] = &n
				p.s.notify()
			}
		}
	}
	pt.complete = codec.Complete(pt.track)
	if pt.rate != 0 {
		p.s.clock.SetTrack(pt.track.ID, pt.config())
	}
}

func (pt *pubTrack) config() timeline.Config {
	t := pt.track
	c := timeline.Config{
		Video: t.Kind == media.Video, Wire: pt.rate, Bits: pt.bits, Rate: t.ClockRate,
		Reorder: codec.Reorder(t),
	}
	if c.Video && t.FrameRate.Known() {
		c.Frame = media.Rescale(int64(t.FrameRate.Den), t.FrameRate.Num, t.ClockRate)
	}
	return c
}

// Write puts a sample on the timeline and hands it to everybody. It never
// waits for a live subscriber; it does wait for those that asked to Block.
// Samples of a track whose Config is not known yet, and video before its first
// keyframe, are counted and dropped. The error is what ended the publisher.
func (p *Publisher) Write(i int, sample Sample) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.s.mu.Lock()
	waiting := p.s.blocking()
	p.s.mu.Unlock()
	for _, r := range waiting {
		r.waitRoom(p.done)
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.pub != p {
		return p.err
	}
	if i < 0 || i >= len(p.tracks) {
		return fmt.Errorf("write to track %d: there are %d", i, len(p.tracks))
	}
	if !p.tracks[i].skipped {
		p.write(p.tracks[i], sample)
	}
	return nil
}

func (p *Publisher) write(pt *pubTrack, sample Sample) {
	pt.stats.count(sample)
	p.s.stats.bytes += uint64(len(sample.Payload))
	p.s.stats.packets++
	pt.present = true
	if p.quiet == nil {
		p.quiet = time.AfterFunc(silentTrack, func() { p.gather(false) })
	}
	if !pt.complete || !pt.started && !sample.Key {
		p.s.stats.waiting++
		return
	}
	if !pt.started {
		pt.started = true
		p.gatherLocked(false)
	}
	if sample.Bits == 0 {
		sample.Bits = 64
	}
	if sample.Rate == 0 {
		sample.Rate = pt.track.ClockRate
	}
	if pt.rate != sample.Rate || pt.bits != sample.Bits {
		pt.rate, pt.bits = sample.Rate, sample.Bits
		p.s.clock.SetTrack(pt.track.ID, pt.config())
	}
	stamp, ok := p.s.clock.Place(pt.track.ID, timeline.Sample{
		PTS: sample.PTS, DTS: sample.DTS, HasDTS: sample.HasDTS, Duration: sample.Duration,
		Arrival: sample.Arrival - p.s.created, NTP: sample.NTP,
	})
	if !ok {
		return
	}
	pt.stats.placed(stamp, pt.track.ClockRate)
	p.s.deliver(&media.Packet{
		Track: pt.track, PTS: stamp.PTS, DTS: stamp.DTS, Duration: sample.Duration,
		Key: sample.Key, Payload: sample.Payload, Arrival: sample.Arrival, Epoch: stamp.Epoch,
	})
}

// Lost counts packets that the wire lost.
func (p *Publisher) Lost(packets uint64) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.stats.lost += packets
}

// Damaged counts access units that were thrown away because a part of them
// was lost or could not be parsed.
func (p *Publisher) Damaged(units uint64) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.stats.damaged += units
}

// gather is called by the timers.
func (p *Publisher) gather(timeout bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.pub != p {
		return
	}
	if !timeout {
		p.isQuiet = true
	}
	p.gatherLocked(timeout)
}

// gatherLocked decides whether the stream can go live, and lets tracks join
// one that is. s.mu is held.
func (p *Publisher) gatherLocked(timeout bool) {
	ready, waiting := 0, 0
	for _, pt := range p.tracks {
		if pt.skipped {
			continue
		}
		pt.ready = pt.complete && (pt.started || pt.present && timeout)
		switch {
		case pt.ready:
			ready++
		case pt.present || !p.isQuiet:
			waiting++
		}
	}
	if p.s.state == Gathering {
		if timeout && ready == 0 {
			p.s.lose(p, fmt.Errorf("%w within %v", ErrNoTracks, p.s.opts.Gather))
			return
		}
		if ready == 0 || waiting > 0 && !timeout {
			return
		}
		p.s.tracks = p.s.tracks[:0:0]
		p.join()
		p.s.enter(Live, nil)
		return
	}
	if p.join() {
		p.s.notify()
	}
}

// join adds tracks that are ready to those in force.
func (p *Publisher) join() (any bool) {
	for _, pt := range p.tracks {
		if !pt.joined && pt.ready {
			pt.joined, any = true, true
			p.s.insert(pt.track)
		}
	}
	return any
}
