package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// actor is one worker that runs a stream's script, and what it needs: a
// subscription of its own to the source, and the place of its own numbers
// among those that viewers see.
type actor struct {
	s      *scripted
	tracks []*media.Track
	run    *transcode.Script
	sub    media.Subscription
	fed    chan struct{}      // closed when nothing is fed any more
	stop   context.CancelFunc // ends the feeding

	base Numbers // what its numbers are counted above; under s.mu
}

// engage starts a worker for the script.
func (s *scripted) engage(ctx context.Context, tracks []*media.Track) (*actor, error) {
	set := s.p.inForce()
	s.mu.Lock()
	a := &actor{s: s, tracks: tracks, fed: make(chan struct{}), base: *s.p.graph.newest.Load()}
	job := transcode.ScriptJob{
		Name: s.p.path, Script: s.file, Tracks: tracks, Policy: LivePolicy(set), HLS: shapeOf(set.HLS),
		Fixed: s.fixed, Env: s.env, After: s.after, Output: a,
	}
	s.mu.Unlock()
	run, err := s.p.deps.Transcoder.StartScript(ctx, job)
	if err != nil {
		return nil, err
	}
	a.run = run
	return a, nil
}

// begin feeds the script, from the newest keyframe on.
func (a *actor) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	a.sub = a.s.p.stream.Subscribe(media.SubscribeOptions{Name: "script", Backlog: true, Batch: true})
	go func() {
		defer close(a.fed)
		defer a.sub.Close()
		a.feed(ctx)
	}()
}

// feed passes packets on until the source has ended, the worker takes no more,
// or ctx ends.
func (a *actor) feed(ctx context.Context) {
	for {
		p, err := a.sub.Next(ctx)
		if err != nil {
			return
		}
		if err := a.run.Write(p); err != nil {
			a.s.p.log.Debug("feed script", "err", err) // its death tells why
			return
		}
	}
}

// fits reports whether the script can go on with these tracks: the same ones
// in other revisions.
func (a *actor) fits(tracks []*media.Track) bool {
	return slices.EqualFunc(a.tracks, tracks, func(x, y *media.Track) bool {
		return x.ID == y.ID && x.Kind == y.Kind && x.Codec == y.Codec && x.ClockRate == y.ClockRate
	})
}

// finish waits until the script has put out what comes of all that was sent.
func (a *actor) finish(ctx context.Context) error {
	select {
	case <-a.fed:
	case <-ctx.Done():
		return errors.New("it takes its packets too slowly")
	}
	return a.run.Finish(ctx)
}

// close ends the worker. No method of the actor as an Output runs afterwards.
func (a *actor) close() {
	a.stop()
	a.run.Close()
	<-a.fed
}

// Files implements transcode.ScriptOutput.
func (a *actor) Files([]string) {}

// Renditions implements transcode.ScriptOutput.
func (a *actor) Renditions(m *wire.Renditions) error {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.s.show(m)
}

// Cut implements transcode.ScriptOutput.
func (a *actor) Cut(c media.Cut) error {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Segment += a.base.Segment
	c.Discontinuity += a.base.Discontinuity
	pres, _ := s.p.presented()
	s.p.graph.newest.Store(&Numbers{c.Segment, c.Discontinuity})
	s.fixed = true
	if err := pres.Cut(c); err != nil {
		(*live)(s.p).trouble(fmt.Errorf("cut segment %d: %w", c.Segment, err))
	}
	return nil
}

// Packet implements transcode.ScriptOutput.
func (a *actor) Packet(rendition string, p media.Placed) error {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Segment += a.base.Segment
	p.Discontinuity += a.base.Discontinuity
	s.after = max(s.after, media.Duration(p.PTS+p.Duration, p.Track.ClockRate))
	pres, _ := s.p.presented()
	if err := pres.Write(rendition, p); err != nil {
		(*live)(s.p).trouble(err)
	}
	return nil
}

// Suspended implements transcode.ScriptOutput.
func (a *actor) Suspended() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.suspend()
}

// Handed implements transcode.ScriptOutput.
func (a *actor) Handed() {}

// Message implements transcode.ScriptOutput.
func (a *actor) Message(m *wire.Script) { a.s.p.deps.sayings.said(a.s.p.path, m) }

// Died implements transcode.ScriptOutput.
func (a *actor) Died(err error) { a.s.call(func() { a.s.died(a, err) }) }
