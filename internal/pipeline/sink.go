package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// SinkOutput takes what a Sink makes, numbered from 1. Write is called from
// several goroutines, but for each rendition in order. Plan comes before the first Cut of a discontinuity, or again
// with dependent set where segments may start without a keyframe.
type SinkOutput interface {
	Plan(plan *transcode.Plan, dependent bool) error
	Cut(media.Cut) error
	Write(rendition string, p media.Placed) error
	GivenUp(transcode.Degradation) error // from the next Cut on
	Suspended() error
	Handed() error
}

// SinkConfig is what a Sink is made of.
type SinkConfig struct {
	Name   string // the stream's path
	Logger *slog.Logger
	Engine transcode.Engine
	Output SinkOutput

	Policy transcode.Policy
	Above  Numbers // what another sink of this script used last

	// After is the media time before which nothing is put out. Standby puts
	// out nothing before a Handover.
	After   time.Duration
	Standby bool

	// Behind tells how much media waits for the sink to take it, and how many
	// packets were dropped because of that; nil where none does.
	Behind func() (time.Duration, uint64)

	// Date tells the wall clock of an arrival; nil is this process's own.
	Date func(arrival time.Duration) time.Time
	// Sender tells the publisher's clock; nil leaves dates to Date.
	Sender *SenderClock
}

// Sink is where a script's media goes: the Cutter and the graph behind it, in
// the process of the script. Its methods may be called from any goroutine.
type Sink struct {
	cfg   SinkConfig
	ctx   context.Context // ends with Close
	close context.CancelFunc

	mu       sync.Mutex
	graph    graph
	frames   map[*media.Packet]transcode.Frame // on their way through the Cutter
	begun    bool                              // something was put out
	seen     seen
	standby  bool
	from, to *point       // of a handover
	passed   map[int]bool // tracks of which all before to has come
	gone     bool         // handed over: nothing is put out any more
	rests    bool         // suspended
	last     time.Duration
	came     bool   // anything
	epoch    uint32 // of the newest packet
	err      error  // what the output or the coder failed with
}

// point is a media time.
type point struct {
	pts  int64
	rate int
}

// before reports whether a time is before the point.
func (p *point) before(pts int64, rate int) bool { return pts < media.Rescale(p.pts, p.rate, rate) }

// NewSink makes a Sink.
func NewSink(cfg SinkConfig) *Sink {
	s := &Sink{cfg: cfg, frames: map[*media.Packet]transcode.Frame{}, standby: cfg.Standby, seen: seen{until: cfg.After}}
	s.ctx, s.close = context.WithCancel(context.Background())
	s.graph = graph{name: cfg.Name, log: cfg.Logger, pres: &sinkOutput{sink: s}, code: s.code, owner: (*sinkOwner)(s)}
	s.graph.newest.Store(&cfg.Above)
	s.graph.cutter = NewCutter(cfg.Above, (*sinkPlacer)(s))
	if cfg.Date != nil {
		s.graph.cutter.date = cfg.Date
	}
	s.graph.cutter.Follow(cfg.Sender.of())
	return s
}

// Start names the tracks that come, and plans.
func (s *Sink) Start(tracks []*media.Track) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.graph.start(s.ctx, tracks, s.cfg.Policy); err != nil {
		return err
	}
	return s.err
}

// Write takes a packet.
func (s *Sink) Write(p *media.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.push(p)
}

// WriteFrame takes a frame over in place of a packet.
func (s *Sink) WriteFrame(t *media.Track, f transcode.Frame, epoch uint32, arrival time.Duration) error {
	pts, ok := f.PTS()
	if !ok || pts < 0 || f.ClockRate() != t.ClockRate {
		f.Close()
		return errors.New("a frame without a time")
	}
	p := &media.Packet{Track: t, PTS: pts, DTS: pts, Key: true, Epoch: epoch, Arrival: arrival}
	if t.Kind == media.Audio {
		p.Duration = int64(f.Samples())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames[p] = f
	return s.push(p)
}

// push lets the Cutter place a packet, unless it is not time yet or not any
// more.
func (s *Sink) push(p *media.Packet) error {
	s.last, s.rests = media.Now(), false
	if !s.came || p.Epoch != s.epoch {
		s.came, s.epoch = true, p.Epoch
		if s.cfg.Sender.another() {
			s.graph.cutter.Follow(s.cfg.Sender.of())
		}
	}
	switch {
	case s.err != nil || s.gone:
		s.release(p)
		return s.err
	case s.leaves(p):
		s.release(p)
		return s.err
	case !s.begun && s.early(p):
		s.prime(p)
		return s.err
	}
	s.govern()
	s.graph.cutter.Push(p)
	return s.err
}

// early reports whether p is shown before the time at which the sink begins.
func (s *Sink) early(p *media.Packet) bool {
	rate := p.Track.ClockRate
	if s.from != nil {
		return s.from.before(p.PTS, rate)
	}
	return s.standby || s.seen.covers(p)
}

// prime lets a decoder see what comes before the beginning.
func (s *Sink) prime(p *media.Packet) {
	if s.frames[p] != nil {
		s.release(p)
		return
	}
	s.graph.prime(p)
}

// parting is how much longer a Sink that leaves waits for sound that is behind.
const parting = 500 * time.Millisecond

// leaves reports whether p is another sink's.
func (s *Sink) leaves(p *media.Packet) bool {
	if s.to == nil || s.to.before(p.PTS, p.Track.ClockRate) {
		return false
	}
	cfg := s.graph.cutter.cfg
	if p.Track.ID == cfg.Lead && !s.passed[cfg.Lead] && !p.Key && cfg.OnKey {
		return false // the segment ends with a group of pictures
	}
	if s.passed == nil {
		s.passed = map[int]bool{}
	}
	s.passed[p.Track.ID] = true
	over := media.Duration(p.PTS, p.Track.ClockRate)-media.Duration(s.to.pts, s.to.rate) > parting
	if s.passed[cfg.Lead] && (over || len(s.passed) == len(s.graph.tracks)) {
		s.hand()
	}
	return true
}

// hand puts out all that belongs to this sink.
func (s *Sink) hand() {
	s.gone = true
	s.graph.cutter.Forget(s.to.pts, s.to.rate)
	s.settle()
	s.fail(s.cfg.Output.Handed())
}

// settle puts out everything that came in.
func (s *Sink) settle() {
	s.graph.cutter.Flush()
	if s.graph.session != nil {
		if err := s.graph.session.Drain(s.ctx); err != nil {
			s.fail(fmt.Errorf("drain the ladder: %w", err))
		}
	}
}

// Handover names the media time at which the sink is to begin, or to leave.
func (s *Sink) Handover(pts int64, rate int, leave bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leave {
		s.to = &point{pts, rate}
	} else {
		s.from, s.standby = &point{pts, rate}, false
	}
}

// Idle is how long nothing has come.
func (s *Sink) Idle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return media.Now() - s.last
}

// Suspend puts out what there is, for nothing more comes for now; what comes
// later begins with another discontinuity.
func (s *Sink) Suspend() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.gone || s.rests || !s.begun {
		return s.err
	}
	s.rests = true
	s.settle()
	s.graph.cutter.Stop()
	s.fail(s.cfg.Output.Suspended())
	return s.err
}

// End puts everything out.
func (s *Sink) End() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && !s.gone {
		s.settle()
	}
	s.gone = true
	return s.err
}

// Close frees the sink; what it still has is lost. It returns the newest
// numbers that it used. It may be called twice.
func (s *Sink) Close() Numbers {
	s.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.graph.dropSession()
	for p := range s.frames {
		s.release(p)
	}
	return *s.graph.newest.Load()
}

func (s *Sink) release(p *media.Packet) {
	if f := s.frames[p]; f != nil {
		delete(s.frames, p)
		f.Close()
	}
}

func (s *Sink) fail(err error) {
	if err != nil && s.err == nil {
		s.err = err
	}
}
