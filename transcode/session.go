package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// ErrClosed is what a Session answers after Close.
var ErrClosed = errors.New("transcoding session is closed")

// Job is one stream's transcoding.
type Job struct {
	Name   string // the stream's path, for logs
	Plan   *Plan
	Output Output

	// From is the discontinuity at which output begins. Packets before the
	// first Cut with at least this Discontinuity prime the decoders.
	From uint64

	// Degraded is told when a live stream gives up quality to keep up, and
	// when it takes some back; it holds from the next cut on, so renditions
	// that are Off have nothing after it and those that are so no more begin
	// again there. It is called from another goroutine than Output's
	// methods, must return soon, and may be nil.
	Degraded func(Degradation)
}

// Output receives what comes of a Session. Its methods are called one at a
// time, from goroutines of the session; they may not call Close or Drain.
type Output interface {
	// Packet delivers one packet of a coded rendition. Its Track describes
	// the coded output; its PTS are the source's. Packets of one rendition
	// come in DTS order.
	Packet(rendition string, p media.Placed)

	// WorkerLost says that the worker of a live stream died. Another one
	// starts; its output begins at the next Discontinuity, so the caller has
	// to make one. err is a *Death or wraps one.
	WorkerLost(err error)

	// Failed says that no other worker will be started: the budget is used
	// up, or the source is a file. The session takes nothing any more.
	Failed(err error)
}

// State is where a Session stands; see Session.
type State string

// The states.
const (
	Starting State = "starting"
	Running  State = "running"
	Pausing  State = "pausing"
	Failing  State = "failed"
	Ended    State = "closed"
)

// Session is the parent's side of one stream's transcoding, over as many
// worker processes as it takes. Write, Cut and Drain belong to one goroutine;
// everything else may be called from any.
//
//	state     event                                      next
//	starting  the first worker says hello                running   Start returns
//	starting  exit, deadline or context, first worker    –         Start fails, nothing is left
//	starting  a later worker says hello                  running   primed from the GOP cache
//	starting  exit or deadline, later worker             pausing or failed, as below
//	running   the worker dies, live, budget left         pausing   Output.WorkerLost
//	running   the worker dies, live, budget used up      failed    Output.Failed
//	running   the worker dies, file                      failed    Output.Failed
//	running   nothing comes out while input flows,       (the worker is killed, see above)
//	          memory over its ceiling, protocol broken
//	running   encoders fall behind, or catch up          running   another Degradation
//	pausing   the pause is over                          starting
//	any       Close                                      closed
//
// A worker that dies without having put out anything is not primed with the
// same packets again: the next one begins at the next keyframe.
type Session struct {
	job  Job
	opts Options
	log  *slog.Logger

	graph    Graph
	kinds    map[string]media.Kind // coded renditions
	sources  map[int]bool          // source tracks that the worker needs
	live     bool
	queue    *queue
	progress *progress
	guard    *guard
	steps    []Degradation
	release  func() // gives the admission back

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	done   chan struct{} // closed when run has returned

	mu       sync.Mutex
	state    State
	failure  error
	worker   *process
	from     uint64 // where the next worker's output begins
	draining chan error
	drainAt  time.Duration
	tally    tally
}

// Write hands over a packet for the worker; packets of tracks that it has no
// part in are ignored. Live it never blocks: what does not fit is dropped up
// to the next keyframe and counted. Otherwise it waits for room. It fails once
// the session has failed or is closed.
func (s *Session) Write(p media.Placed) error {
	if !s.sources[p.Track.ID] {
		return nil
	}
	if err := s.usable(); err != nil {
		return err
	}
	now := media.Now()
	s.progress.wrote(p, now)
	if !s.queue.put(item{placed: p, at: now}) && !s.live {
		if err := s.usable(); err != nil {
			return err
		}
		return ErrClosed
	}
	return nil
}

// Cut tells where a segment starts, before the first packet of it is written.
// It never blocks.
func (s *Session) Cut(c media.Cut) {
	if s.usable() != nil {
		return
	}
	now := media.Now()
	cut := cutOf(c)
	s.guard.cut(*cut)
	s.progress.cut(cut, now)
	s.queue.put(item{message: cut, at: now})
}

func cutOf(c media.Cut) *wire.Cut {
	return &wire.Cut{Segment: c.Segment, Discontinuity: c.Discontinuity, PTS: c.PTS, ClockRate: c.ClockRate}
}

// Drain waits until everything written so far has come out, and been handed
// to Output. More may be written afterwards, from a Cut with a new
// Discontinuity on. It fails when the worker dies, when there is none, and
// with ctx.
func (s *Session) Drain(ctx context.Context) error {
	done := make(chan error, 1)
	s.mu.Lock()
	switch {
	case s.failure != nil:
		s.mu.Unlock()
		return fmt.Errorf("drain worker: %w", s.failure)
	case s.worker == nil:
		s.mu.Unlock()
		return errors.New("drain worker: it died, another is being started")
	case s.draining != nil:
		s.mu.Unlock()
		return errors.New("drain worker: it is being drained")
	}
	s.draining, s.drainAt = done, media.Now()
	s.mu.Unlock()
	s.queue.put(item{message: &wire.Drain{}, at: media.Now()})
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	s.draining = nil
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("drain worker: %w", err)
	}
	return nil
}

// drained answers a Drain that waits, if one does.
func (s *Session) drained(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining != nil {
		select {
		case s.draining <- err:
		default:
		}
	}
}

// Close ends the session; what has not come out by then is lost. It returns
// when the worker is gone and no method of Output runs or will run. It may be
// called twice.
func (s *Session) Close() {
	s.cancel()
	s.queue.close()
	<-s.done
}

// usable is why nothing can be written, nil where it can.
func (s *Session) usable() error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// run is the session's goroutine, from the first worker's hello on. first is
// what that one is given before anything else.
func (s *Session) run(p *process, first []item) {
	defer close(s.done)
	defer s.release()
	account := child.Budget{Pause: s.opts.Pause}
	for {
		var death error = s.serve(p, first)
		if s.ctx.Err() != nil {
			s.enter(Ended, nil)
			return
		}
		prime := s.progress.fruitful()
		for p = nil; p == nil; {
			pause, again := account.Spend(media.Now())
			if !s.lost(death, again) || !s.wait(pause) {
				return
			}
			s.enter(Starting, nil)
			var err error
			if p, err = s.launch(); err != nil {
				death = err
			}
		}
		first = s.expect(p, prime)
	}
}

// expect gets everything ready for a worker that said hello: from here on it
// is given what is written. It returns what it must be given before that.
func (s *Session) expect(p *process, prime bool) []item {
	now := media.Now()
	s.mu.Lock()
	s.state, s.worker = Running, p
	from := s.from
	s.mu.Unlock()
	s.guard.fresh()
	s.progress.reset(from, now)
	first := s.queue.attach(prime)
	for _, it := range first {
		if cut, ok := it.message.(*wire.Cut); ok {
			s.progress.cut(cut, now)
		} else if it.placed.Packet != nil {
			s.progress.wrote(it.placed, now)
		}
	}
	return first
}

// lost deals with a death. It reports whether another worker is to be
// started.
func (s *Session) lost(death error, again bool) bool {
	if s.ctx.Err() != nil {
		s.enter(Ended, nil)
		return false
	}
	s.logDeath(death)
	if again && s.live {
		s.mu.Lock()
		s.from = s.guard.newestDiscontinuity() + 1
		s.tally.restarts++
		s.mu.Unlock()
		s.enter(Pausing, nil)
		s.job.Output.WorkerLost(death)
		return true
	}
	err := fmt.Errorf("transcode: %w", death)
	if s.live {
		err = fmt.Errorf("transcode: gave up after %d deaths in %s: %w", child.Deaths+1, child.Window, death)
	}
	s.enter(Failing, err)
	s.queue.close()
	s.job.Output.Failed(err)
	return false
}

// wait for the pause before a restart; false when the session is closed.
func (s *Session) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		s.enter(Ended, nil)
		return false
	}
}

func (s *Session) enter(state State, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
	if failure != nil {
		s.failure = failure
	}
}

func (s *Session) launch() (*process, error) { return s.start(s.ctx) }

func (s *Session) start(ctx context.Context) (*process, error) {
	return launch{
		command: s.opts.Command, role: wire.RoleStream, name: s.job.Name,
		nice: s.job.Plan.policy.Encoder.Nice, ready: s.opts.Ready, logger: s.log,
	}.start(ctx)
}

func (s *Session) logDeath(death error) {
	args := []any{"err", death}
	var d *Death
	if errors.As(death, &d) && d.Printed != "" {
		args = append(args, "printed", d.Printed)
	}
	s.log.Error("worker died", args...)
	s.mu.Lock()
	s.tally.lastDeath = death
	s.mu.Unlock()
}
