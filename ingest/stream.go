package ingest

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/ingest/timeline"
	"github.com/millrace/millrace/internal/media"
)

// State is where a Stream is in its life.
//
//	state      event                                  next
//	idle       Attach                                 gathering
//	gathering  every track is ready                   live
//	gathering  silentTrack after the first sample,    live, without the silent ones
//	           and every track that delivers is ready
//	gathering  Gather after Attach, a track is ready  live, without the others
//	gathering  Gather after Attach, none is           lost; Publisher ends with ErrNoTracks
//	gathering  Publisher closes                       lost
//	live       Publisher closes                       lost
//	live,      Attach with Takeover                   gathering; old Publisher ends with ErrTakenOver
//	gathering
//	lost       Attach                                 gathering
//	lost       Hold passes                            ended
//	any        Close                                  ended
//
// A track is ready when its parameters are complete and it delivers, video
// when it has delivered a keyframe (after Gather: anything). One that becomes
// ready later joins a live stream. Subscriptions live through all states and
// see io.EOF at the end.
type State uint8

// The states.
const (
	Idle State = iota
	Gathering
	Live
	Lost
	Ended
)

func (s State) String() string {
	return [...]string{"idle", "gathering", "live", "lost", "ended"}[s]
}

// MarshalText makes a State readable in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Defaults of StreamOptions.
const (
	defaultGather = 10 * time.Second
	defaultGOP    = 16 << 20
	silentTrack   = 2 * time.Second
)

// StreamOptions says how a Stream treats its publishers.
type StreamOptions struct {
	Takeover bool          // a second publisher replaces the first; else it gets ErrBusy
	Hold     time.Duration // how long a lost publisher is waited for; negative: for ever
	Gather   time.Duration // longest wait for tracks to be complete; 0: 10 s
	MaxGOP   int           // bytes kept from the newest keyframe on; 0: 16 MiB
	Logger   *slog.Logger  // nil: none

	// OnMark is told of each marker, with its time on the stream's timeline; see
	// Publisher.Mark. It must not block. nil: nobody
	// wants to know.
	OnMark func(media.Marker)
}

// Stream is one path: at most one publisher at a time and any number of
// subscribers. It outlives its publishers by Hold. All methods may be called
// from any goroutine. It implements media.Source.
type Stream struct {
	path    string
	opts    StreamOptions
	log     *slog.Logger
	created time.Duration // media.Now at creation: the timeline's zero

	mu       sync.Mutex
	state    State
	reason   error // why it is lost or ended
	changed  chan struct{}
	pub      *Publisher
	tracks   []*media.Track // in force, ordered by ID
	slots    []*media.Track // newest revision of every ID ever given
	clock    *timeline.Timeline
	gop      gop
	subs     []*ring
	keyframe *media.Packet
	holding  *time.Timer
	stats    counters
}

// NewStream returns an idle stream. Its timeline starts now.
func NewStream(path string, o StreamOptions) *Stream {
	if o.Gather <= 0 {
		o.Gather = defaultGather
	}
	if o.MaxGOP <= 0 {
		o.MaxGOP = defaultGOP
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Stream{
		path: path, opts: o,
		log:     o.Logger.With("stream", path),
		created: media.Now(),
		changed: make(chan struct{}),
		clock:   timeline.New(),
		gop:     gop{limit: o.MaxGOP},
	}
}

// Path is the stream's name.
func (s *Stream) Path() string { return s.path }

// Created is the zero of the stream's timeline, on the clock of media.Now.
func (s *Stream) Created() time.Duration { return s.created }

// State returns the state.
func (s *Stream) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Reason is why the stream is lost or ended, or a source cannot be reached;
// nil otherwise.
func (s *Stream) Reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Changed returns a channel that closes at the next change of State, Tracks or
// publisher. Take it before looking, or a change may be missed.
func (s *Stream) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Tracks returns the newest revision of each track in force, ordered by ID.
// It is empty before the stream was first live; while a publisher is lost or
// its successor is being gathered it keeps the last ones.
func (s *Stream) Tracks() []*media.Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tracks)
}

// Keyframe returns the newest video keyframe, or nil.
func (s *Stream) Keyframe() *media.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keyframe
}

// Publisher returns who publishes now, or nil.
func (s *Stream) Publisher() *Publisher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub
}

// SenderWall returns the sender's own wall clock at an output time of a
// track, where the sender tells it (RTCP sender reports).
func (s *Stream) SenderWall(track int, pts int64) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.SenderWall(track, pts)
}

// Attach makes a publisher the stream's one. Its tracks are those announced;
// any of them may still lack its Config (see Publisher.SetTrack). Their IDs
// are ignored: samples name a track by its place in this list, and the stream
// gives a returning publisher's track the ID its predecessor of that kind had.
//
// It fails with ErrBusy when there is a publisher and Takeover is off, with
// ErrEnded, and with ErrNoTracks.
func (s *Stream) Attach(info PublisherInfo, tracks []*media.Track) (*Publisher, error) {
	if len(tracks) == 0 {
		return nil, ErrNoTracks
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == Ended:
		return nil, ErrEnded
	case s.pub != nil && !s.opts.Takeover:
		return nil, fmt.Errorf("%w (%s from %s)", ErrBusy, s.pub.info.Protocol, s.pub.info.Remote)
	case s.pub != nil:
		s.detach(ErrTakenOver)
	}
	if s.holding != nil {
		s.holding.Stop()
		s.holding = nil
	}
	s.clock.Restart(info.SharedClock)
	p := &Publisher{s: s, info: info, since: time.Now(), done: make(chan struct{})}
	for _, t := range tracks {
		p.add(t)
	}
	s.pub = p
	p.gathering = time.AfterFunc(s.opts.Gather, func() { p.gather(true) })
	s.enter(Gathering, nil)
	return p, nil
}

// Unavailable tells why there is no publisher: a source that is pulled cannot
// be reached. It matters in the states idle and lost only.
func (s *Stream) Unavailable(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Idle || s.state == Lost {
		s.enter(s.state, reason)
	}
}

// Subscribe starts delivery; see media.Source. A live subscriber without
// Backlog starts at the next keyframe of the video, if there is one. Block
// makes the publisher's Write wait for this subscriber.
func (s *Stream) Subscribe(o media.SubscribeOptions) media.Subscription {
	r := newRing(s, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Backlog = o.Backlog || o.Beginning
	if o.Backlog {
		for _, p := range s.gop.backlog(o.Beginning) {
			r.push(p)
		}
	}
	r.needKey = s.gop.video && !(o.Backlog && s.gop.open)
	if s.state == Ended {
		r.end(io.EOF)
		return r
	}
	s.subs = append(s.subs, r)
	return r
}

func (s *Stream) unsubscribe(r *ring) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.subs, r); i >= 0 {
		s.stats.dropped += r.Dropped()
		s.subs = slices.Delete(s.subs, i, i+1)
	}
}

// Close ends the stream: the publisher is kicked with the reason, subscribers
// get io.EOF behind what is queued. It may be called twice.
func (s *Stream) Close(reason error) {
	if reason == nil {
		reason = ErrEnded
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(reason)
}

func (s *Stream) close(reason error) {
	if s.state == Ended {
		return
	}
	if s.pub != nil {
		s.detach(reason)
	}
	if s.holding != nil {
		s.holding.Stop()
	}
	for _, r := range s.subs {
		s.stats.dropped += r.Dropped()
		r.end(io.EOF)
	}
	s.subs = nil
	s.keyframe = nil
	s.enter(Ended, reason)
}

// detach ends the publisher without a change of state. s.mu is held.
func (s *Stream) detach(reason error) {
	p := s.pub
	s.pub = nil
	p.gathering.Stop()
	if p.quiet != nil {
		p.quiet.Stop()
	}
	s.gop.reset()
	p.err = reason
	close(p.done)
}

// lose is what happens when the publisher has gone. s.mu is held.
func (s *Stream) lose(p *Publisher, reason error) {
	if s.pub != p {
		return
	}
	s.detach(reason)
	if s.opts.Hold == 0 {
		s.close(reason)
		return
	}
	s.enter(Lost, reason)
	if s.opts.Hold < 0 {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(s.opts.Hold, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.holding == t {
			s.close(reason)
		}
	})
	s.holding = t
}

// enter changes the state and tells everybody who waits. s.mu is held.
func (s *Stream) enter(state State, reason error) {
	if state != s.state {
		s.log.Debug("stream state", "from", s.state.String(), "to", state.String(), "reason", reason)
	}
	s.state, s.reason = state, reason
	s.notify()
}

func (s *Stream) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// deliver hands a packet to the cache and to all subscribers. s.mu is held.
func (s *Stream) deliver(p *media.Packet) {
	if p.Key && p.Track.Kind == media.Video {
		s.keyframe = p
	}
	s.gop.add(p)
	for _, r := range s.subs {
		r.push(p)
	}
}

// blocking returns the subscribers that want the producer to wait.
func (s *Stream) blocking() []*ring {
	var waiting []*ring
	for _, r := range s.subs {
		if r.block {
			waiting = append(waiting, r)
		}
	}
	return waiting
}
