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
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
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

	mu      sync.Mutex
	acting  *actor // whose output viewers get
	shown   *wire.Renditions
	fixed   bool          // viewers have playlists
	after   time.Duration // media time that viewers have
	restart int
}

func newScripted(p *Pipeline) *scripted {
	file := p.set.Pipeline
	if !filepath.IsAbs(file) {
		if abs, err := filepath.Abs(file); err == nil {
			file = abs
		}
	}
	return &scripted{
		p: p, file: file, env: p.deps.ScriptEnv, wake: make(chan struct{}, 1),
		budget: child.Budget{Pause: child.DefaultPause},
	}
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
	for ctx.Err() == nil && !s.given {
		changed := s.p.stream.Changed()
		switch s.p.stream.State() {
		case ingest.Live:
			s.present(ctx)
		case ingest.Lost:
			s.absent()
		case ingest.Ended:
			s.finish()
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
		case <-ctx.Done():
		}
	}
	if !s.given {
		s.p.stream.Close(context.Cause(ctx))
		s.finish()
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
		a, err := s.engage(ctx, tracks)
		if err != nil {
			s.fell(err)
			return
		}
		s.mu.Lock()
		s.acting = a
		s.mu.Unlock()
		a.begin()
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
func (s *scripted) finish() {
	if s.acting == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.p.graph.drainTime)
	defer cancel()
	if err := s.acting.finish(ctx); err != nil {
		s.p.log.Warn("the script's last packets are lost", "err", err)
	}
}

// leave ends what there is.
func (s *scripted) leave() {
	if s.acting != nil {
		s.dismiss(s.acting)
	}
}

// dismiss ends an actor; what it has not put out is lost.
func (s *scripted) dismiss(a *actor) {
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
	if s.acting != a {
		return
	}
	s.dismiss(a)
	s.p.deps.Bus.Send("worker:died", s.p.path, map[string]string{"reason": err.Error()})
	s.fell(err)
}

// fell decides how to go on after an error: a worker that died through no
// fault of the script is replaced, everything else is the script's.
func (s *scripted) fell(err error) {
	if blameless(err) {
		if pause, again := s.budget.Spend(media.Now()); again {
			s.restart++
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
		s.p.fallBack(err, s.after)
		return
	}
	s.failed = err
	s.p.enter(status.Failed, err)
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
func (p *Pipeline) fallBack(why error, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warning = why
	p.graph.begin(*p.graph.newest.Load())
	p.graph.seen = seen{until: after}
}

// show puts an actor's renditions into force. s.mu is held.
func (s *scripted) show(m *wire.Renditions) error {
	if !s.fixed {
		want := overlay(s.p.set.HLS, m.HLS)
		if want != s.p.inForce().HLS {
			if err := s.p.present(want); err != nil {
				return err
			}
		}
	}
	pres, _ := s.p.presented()
	list := make([]packager.Rendition, 0, len(m.Renditions))
	for _, r := range m.Renditions {
		list = append(list, packager.Rendition{
			Name: r.Name, Kind: r.Kind, Copy: r.Copy, Language: r.Language,
			Bitrate: r.Bitrate, AverageBitrate: r.AverageBitrate, Default: r.Default,
		})
	}
	if err := pres.SetRenditions(list); err != nil {
		return fmt.Errorf("set renditions: %w", err)
	}
	if m.Dependent {
		pres.SetDependent()
	}
	s.shown = m
	return nil
}

// status is what the script makes, and its worker.
func (s *scripted) status(stats packager.Stats) ([]status.Rendition, *status.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []status.Rendition
	if s.shown != nil {
		for _, r := range s.shown.Renditions {
			st := status.Rendition{
				Name: r.Name, Kind: r.Kind.String(), Codec: string(r.Codec), Width: r.Width, Height: r.Height, FPS: r.FPS.Float(),
				SampleRate: r.SampleRate, Channels: r.Channels, Declared: r.Bitrate, Copy: r.Copy, State: "starting",
			}
			for _, packaged := range stats.Renditions {
				if packaged.Name == r.Name && packaged.Listed > 0 {
					st.Measured, st.State = packaged.Average, "live"
				}
			}
			list = append(list, st)
		}
	}
	if s.acting == nil {
		return list, nil
	}
	run := s.acting.run.Stats()
	return list, &status.Worker{Queue: int(run.QueueBytes), Dropped: run.Dropped, RSS: run.RSS, Restarts: s.restart}
}

// overlay is a shape with what a script wants of it.
func overlay(hls config.HLS, w wire.HLS) config.HLS {
	for _, d := range []struct {
		to   *time.Duration
		from int64
	}{{&hls.Segment, w.Segment}, {&hls.Part, w.Part}, {&hls.Window, w.Window}, {&hls.DVR, w.DVR}} {
		if d.from > 0 {
			*d.to = time.Duration(d.from)
		}
	}
	if w.Container != "" {
		hls.Container = w.Container
	}
	if w.LowLatency != nil {
		hls.LowLatency = *w.LowLatency
	}
	return hls
}

// shapeOf is overlay's other direction: all of a shape.
func shapeOf(hls config.HLS) wire.HLS {
	low := hls.LowLatency
	return wire.HLS{
		Segment: int64(hls.Segment), Part: int64(hls.Part), Window: int64(hls.Window), DVR: int64(hls.DVR),
		Container: hls.Container, LowLatency: &low,
	}
}
