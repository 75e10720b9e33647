package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// scripted is a stream that a pipeline script makes: the script over as many
// workers (actors) as it takes. The Cutter and the ladder are in the worker;
// what it puts out goes to the presentation as it comes.
//
// The goroutine in perform owns it. What the actors say comes from goroutines
// of theirs, under mu, so that the presentation hears one at a time.
type scripted struct {
	p    *Pipeline
	file string // absolute path
	env  map[string]string

	wake  chan struct{} // holds a token when there may be calls
	calls struct {
		sync.Mutex
		list []func()
	}

	// Owned by perform.
	budget  child.Budget
	pub     *ingest.Publisher // whom the script was told of, nil while absent
	failed  error             // why there is no actor and there will be none for pub
	given   bool              // the script is given up, the built-in way goes on
	resting <-chan time.Time  // set while the next actor has to wait
	files   files             // that the newest script was made of

	mu     sync.Mutex
	acting *actor  // whose output viewers get
	change *change // under way
	shown  *wire.Renditions
	// degraded is what the ladder of the one in force gives up.
	degraded transcode.Degradation
	lasts    map[string]*media.Packet // newest packet of each rendition
	fixed    bool                     // viewers have playlists
	after    time.Duration            // media time that viewers have
	cut      media.Cut                // the newest
	restart  int
}

func newScripted(p *Pipeline) *scripted {
	file := p.set.Pipeline
	if !filepath.IsAbs(file) {
		if abs, err := filepath.Abs(file); err == nil {
			file = abs
		}
	}
	s := &scripted{
		p: p, file: file, env: p.deps.scriptEnv(), wake: make(chan struct{}, 1),
		budget: child.Budget{Pause: child.DefaultPause}, lasts: map[string]*media.Packet{},
	}
	s.files.watch([]string{file}, time.Now())
	return s
}

func (d *Deps) scriptEnv() map[string]string {
	if d.ScriptEnv == nil {
		return nil
	}
	return d.ScriptEnv()
}

// call has perform execute f.
func (s *scripted) call(f func()) {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.calls.list = append(s.calls.list, f)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *scripted) obey() {
	s.calls.Lock()
	list := s.calls.list
	s.calls.list = nil
	s.calls.Unlock()
	for _, f := range list {
		f()
	}
}

// perform carries the stream by its script, until it has ended or the script
// is given up.
func (s *scripted) perform(ctx context.Context) {
	defer s.leave()
	s.p.mu.Lock()
	s.p.shown, s.p.warning = nil, nil
	s.p.mu.Unlock()
	s.mu.Lock()
	s.after = max(s.after, s.p.graph.reached)
	s.mu.Unlock()
	looks := time.NewTicker(lookAtFiles)
	defer looks.Stop()
	for ctx.Err() == nil && !s.given {
		changed := s.p.stream.Changed()
		switch s.p.stream.State() {
		case ingest.Live:
			s.present(ctx)
		case ingest.Lost:
			s.absent()
		case ingest.Ended:
			s.finish(ctx)
			s.given = true
			return
		}
		if s.given {
			return
		}
		select {
		case <-changed:
		case <-s.wake:
			s.obey()
		case <-s.resting:
			s.resting = nil
		case <-looks.C:
			s.inspect(ctx)
		case <-ctx.Done():
		}
	}
	if !s.given {
		s.p.stream.Close(context.Cause(ctx))
		s.finish(ctx)
	}
}

// wanted reports whether the script is to make the stream. A nil scripted is a
// stream without one.
func (s *scripted) wanted() bool { return s != nil && !s.given }

// comesBack waits for changed or ctx, or reports that a script that was given
// up is another one now, which is to have a try. It is called while the
// built-in way makes the stream.
func (s *scripted) comesBack(ctx context.Context, changed <-chan struct{}) bool {
	var looks <-chan time.Time
	if s != nil {
		ticker := time.NewTicker(lookAtFiles)
		defer ticker.Stop()
		looks = ticker.C
	}
	for {
		select {
		case <-changed:
			return false
		case <-ctx.Done():
			return false
		case <-looks:
			if s.files.changed() {
				s.given, s.failed = false, nil
				return true
			}
		}
	}
}

// present sees to it that the script runs for the publisher that is there.
func (s *scripted) present(ctx context.Context) {
	pub, tracks := s.p.stream.Publisher(), s.p.stream.Tracks()
	if pub == nil {
		return
	}
	if pub != s.pub {
		s.failed = nil
		if s.pub = pub; s.acting != nil {
			s.acting.run.Present(true)
		}
	}
	if s.failed != nil || s.resting != nil {
		return
	}
	if s.acting != nil && !s.acting.fits(tracks) {
		s.p.log.Info("the tracks are others now; the script is started anew")
		s.dismiss(s.acting)
	}
	if s.acting == nil {
		if _, err := s.engage(ctx, tracks, false); err != nil {
			s.fell(err)
			return
		}
	}
	s.p.enter(status.Live, nil)
}

// absent tells the script that the publisher has left.
func (s *scripted) absent() {
	if s.pub != nil {
		s.pub = nil
		if s.acting != nil {
			s.acting.run.Present(false)
		}
	}
	s.p.enter(status.Lost, s.p.stream.Reason())
}

// finish lets the script put out the rest: its source has ended.
func (s *scripted) finish(ctx context.Context) {
	if s.acting == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.p.graph.drainTime)
	defer cancel()
	if err := s.acting.finish(ctx); err != nil {
		s.p.log.Warn("the script's last packets are lost", "err", err)
	}
}

// leave ends what there is.
func (s *scripted) leave() {
	s.endChange()
	if s.acting != nil {
		s.dismiss(s.acting)
	}
}

// endChange gives an understudy up, if there is one.
func (s *scripted) endChange() {
	s.mu.Lock()
	c := s.change
	s.mu.Unlock()
	if c != nil {
		s.drop(c.new)
	}
}

// dismiss ends an actor; what it has not put out is lost.
func (s *scripted) dismiss(a *actor) {
	s.endChange()
	a.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acting == a {
		s.acting = nil
		s.suspend()
	}
}

// suspend closes what is open: viewers get all there is, and what comes later
// is another discontinuity.
func (s *scripted) suspend() {
	pres, _ := s.p.presented()
	pres.Suspend()
}

// died deals with an actor's death.
func (s *scripted) died(a *actor, err error) {
	s.mu.Lock()
	understudy := s.change != nil && s.change.new == a
	s.mu.Unlock()
	if understudy {
		s.refuse(a, err)
		return
	}
	if s.acting != a {
		return
	}
	s.dismiss(a)
	if s.turnedAway(err) {
		return
	}
	s.p.deps.Bus.Send("worker:died", s.p.path, map[string]string{"reason": err.Error()})
	s.fell(err)
}

// fell decides how to go on after an error: a worker that died through no
// fault of the script is replaced, everything else is the script's.
func (s *scripted) fell(err error) {
	if blameless(err) {
		if pause, again := s.budget.Spend(media.Now()); again {
			s.mu.Lock()
			s.restart++
			s.mu.Unlock()
			s.resting = time.After(pause)
			return
		}
		err = fmt.Errorf("gave up after %d deaths in %s: %w", child.Deaths+1, child.Window, err)
	}
	err = fmt.Errorf("pipeline script %s: %w", s.p.set.Pipeline, err)
	s.p.log.Error("the script failed", "err", err, "onScriptError", s.p.set.OnScriptError)
	s.p.deps.Bus.Send("script:failed", s.p.path, map[string]string{"reason": err.Error(), "onScriptError": s.p.set.OnScriptError})
	if s.p.set.OnScriptError == "passthrough" {
		s.given = true
		s.p.fallBack(err, s.after, s.cut.Wall)
		return
	}
	s.failed = err
	s.p.enter(status.Failed, err)
}

// turnedAway does for a publisher whose script makes more than the machine can
// carry what acceptable does for one whose media tells so late.
func (s *scripted) turnedAway(err error) bool {
	var death *transcode.Death
	if !errors.As(err, &death) || death.Outcome != transcode.Overloaded {
		return false
	}
	s.failed = fmt.Errorf("%w: pipeline script %s: %s", ingest.ErrOverloaded, s.p.set.Pipeline, death.Reason)
	if s.pub != nil {
		s.p.refuse(s.pub, s.failed)
	}
	return true
}

// blameless reports whether a worker's death was none of the script's doing.
func blameless(err error) bool {
	var death *transcode.Death
	if !errors.As(err, &death) {
		return false
	}
	switch death.Outcome {
	case transcode.Crashed, transcode.Killed, transcode.NeverReady, transcode.Finished:
		return true
	}
	return false
}

// fallBack goes on without the script.
func (p *Pipeline) fallBack(why error, after time.Duration, wall time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warning = why
	p.graph.begin(*p.graph.newest.Load())
	p.graph.seen = seen{until: after}
	p.graph.cutter.wall.last = wall
}
