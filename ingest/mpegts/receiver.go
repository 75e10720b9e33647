package mpegts

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// Config says what becomes of a stream.
type Config struct {
	// Attach is called once, when it is known what the stream carries, and
	// returns where that goes; without tracks, where none can be taken. Its
	// error is what Feed returns.
	Attach func(tracks []*media.Track, unused []ingest.Unused) (*ingest.Publisher, error)

	// Fault is told what is wrong with the bytes, possibly with every packet;
	// nil: nobody wants to know.
	Fault func(error)
}

const (
	// patience is how long tracks may take to say what they are before the
	// publisher is attached without: a gate decides better when it knows.
	patience = 2 * time.Second
	// maxHeld bounds what waits for that, in payload bytes.
	maxHeld = 8 << 20
)

// Receiver makes a publisher of a transport stream. Its methods must be called
// by one goroutine at a time.
type Receiver struct {
	cfg     Config
	demuxer *demuxer

	tracks []*track          // by their place in the publisher
	byPID  map[uint16]*track // of those that the program has now
	unused []ingest.Unused

	pub   *ingest.Publisher
	begun bool          // a program map has come
	since time.Duration // ... then
	held  []heldSample
	size  int           // of held, in bytes
	now   time.Duration // arrival of what is being fed
	err   error         // how Attach failed

	breaks breaks
	newest int64 // the newest time that was written, of the picture where there is one

	heard     atomic.Int64  // when something came last that a track could use, or Attach ended, or else the beginning
	attaching atomic.Bool   // Attach is at work, and nothing is read
	attached  chan struct{} // closed when pub is set
}

// heldSample waits for the publisher to be attached.
type heldSample struct {
	index int
	ingest.Sample
}

// New returns a Receiver.
func New(cfg Config) *Receiver {
	if cfg.Fault == nil {
		cfg.Fault = func(error) {}
	}
	r := &Receiver{cfg: cfg, byPID: map[uint16]*track{}, attached: make(chan struct{})}
	r.heard.Store(int64(media.Now()))
	r.breaks.r = r
	r.demuxer = newDemuxer(r)
	return r
}

// Publisher is what the stream was attached to; nil: nothing yet. It is for the
// goroutine that feeds.
func (r *Receiver) Publisher() *ingest.Publisher { return r.pub }

// Feed takes the next bytes of the stream, which it does not keep, and when
// they arrived. The error is how Attach failed, or what ended the publisher.
func (r *Receiver) Feed(b []byte, arrival time.Duration) error {
	r.now = arrival
	r.demuxer.framer.feed(b)
	return r.settle(false)
}

// End hands on what is open: no more bytes come. The publisher is not closed.
func (r *Receiver) End() error {
	r.demuxer.flush()
	return r.settle(true)
}

// settle attaches the publisher when the time has come.
func (r *Receiver) settle(end bool) error {
	if r.pub != nil {
		return r.pub.Err()
	}
	if r.err != nil || !r.begun || !end && !r.known() && r.now-r.since < patience && r.size < maxHeld {
		return r.err
	}
	list := make([]*media.Track, len(r.tracks))
	for i, t := range r.tracks {
		list[i] = t.track
	}
	r.attaching.Store(true)
	r.pub, r.err = r.cfg.Attach(list, r.unused)
	r.heard.Store(int64(media.Now()))
	r.attaching.Store(false)
	if r.err != nil {
		r.held = nil
		return r.err
	}
	close(r.attached)
	for _, s := range r.held {
		// What ended the publisher is seen by who feeds.
		_ = r.pub.Write(s.index, s.Sample)
	}
	r.held, r.size = nil, 0
	r.breaks.advance()
	return r.pub.Err()
}

// reference is the track whose times are those of markers: the picture, else
// the first sound. Without a publisher there is none.
func (r *Receiver) reference() (index int, ok bool) {
	if r.pub == nil || len(r.tracks) == 0 {
		return 0, false
	}
	for i, t := range r.tracks {
		if t.content.kind == media.Video {
			return i, true
		}
	}
	return 0, true
}

// known reports whether every track has said what it is.
func (r *Receiver) known() bool {
	for _, t := range r.tracks {
		if !codec.Complete(t.track) {
			return false
		}
	}
	return true
}

// program takes a program map: a stream whose PID stays goes on as the track
// it was; one that is new takes the place of one of its kind that is gone, or
// joins.
func (r *Receiver) program(m programMap) {
	if !r.begun {
		r.begun, r.since = true, r.now
	}
	before, pids := r.byPID, map[uint16]*pidState{}
	r.byPID, r.unused = map[uint16]*track{}, nil
	var fresh []*elementary
	seen, id3 := map[uint16]bool{}, false
	for i := range m.streams {
		e := &m.streams[i]
		if seen[e.pid] {
			continue // a PID is one stream
		}
		seen[e.pid] = true
		c := e.content(m.descriptors)
		switch t := before[e.pid]; {
		case c.splices:
			if s := r.demuxer.streams[e.pid]; s != nil && s.section != nil {
				pids[e.pid] = s
			} else {
				pids[e.pid] = &pidState{section: r.breaks.section}
			}
		case c.id3 && id3:
			r.unused = append(r.unused, c.unused("a second one"))
		case c.id3:
			id3 = true
			if s := r.demuxer.streams[e.pid]; s != nil && s.pes.id3 {
				pids[e.pid] = s
			} else {
				pids[e.pid] = &pidState{pes: pes{id3: true, yield: metadata{r}.unit}}
			}
		case c.codec == "":
			r.unused = append(r.unused, c.unused(""))
		case t != nil && t.content == c:
			r.byPID[e.pid], pids[e.pid] = t, r.demuxer.streams[e.pid]
			t.speak(e.descriptors.language())
		default:
			fresh = append(fresh, e)
		}
	}
	for _, e := range fresh {
		c := e.content(m.descriptors)
		t, err := r.join(c, e.descriptors.language())
		if err != nil {
			r.unused = append(r.unused, c.unused(err.Error()))
			continue
		}
		r.byPID[e.pid] = t
		pids[e.pid] = &pidState{pes: pes{whole: c.kind == media.Video, yield: t.decode.unit}}
	}
	r.demuxer.watch(pids)
}

// maxTracks is how many tracks a publisher may have over its life.
const maxTracks = 32

// join finds a place for a stream and opens it.
func (r *Receiver) join(c content, language string) (*track, error) {
	used := map[*track]bool{}
	for _, t := range r.byPID {
		if c.kind == media.Video && t.content.kind == media.Video {
			return nil, errors.New("a second video")
		}
		used[t] = true
	}
	next := &track{r: r, index: len(r.tracks), content: c, language: language}
	if err := next.open(); err != nil {
		return nil, err
	}
	for i, t := range r.tracks {
		if t.content.kind == c.kind && !used[t] {
			// What the place held stays said until the stream says what it is,
			// which some do at once.
			next.index, next.waits = i, true
			r.tracks[i] = next
			r.forget(i)
			if codec.Complete(next.track) {
				next.revise(next.track)
			}
			return next, nil
		}
	}
	if len(r.tracks) == maxTracks {
		return nil, errors.New("too many tracks")
	}
	r.tracks = append(r.tracks, next)
	if r.pub != nil {
		// What ended the publisher is seen by who feeds.
		_ = r.pub.SetTrack(next.index, next.track)
	}
	return next, nil
}

// forget drops what is held of a place.
func (r *Receiver) forget(index int) {
	r.held = slices.DeleteFunc(r.held, func(s heldSample) bool {
		if s.index == index {
			r.size -= len(s.Payload)
		}
		return s.index == index
	})
}

// unused is how a stream is named that is not taken.
func (c content) unused(why string) ingest.Unused {
	u := ingest.Unused{Kind: "data", Codec: c.name, Reason: why}
	if c.codec != "" {
		u.Codec = string(c.codec)
	}
	if c.kind != 0 {
		u.Kind = c.kind.String()
	}
	return u
}

func (r *Receiver) fault(err error) { r.cfg.Fault(err) }

// lost counts packets that are missing.
func (r *Receiver) lost(n int) {
	if r.pub != nil {
		r.pub.Lost(uint64(n))
	}
}
