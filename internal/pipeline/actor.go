package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// actor is one worker that runs a stream's script, and what it needs: a
// subscription of its own to the source, and the place of its own numbers
// among those that viewers see.
type actor struct {
	s       *scripted
	tracks  []*media.Track
	engaged time.Time
	run     *transcode.Script // nil until it is started
	sub     media.Subscription
	fed     chan struct{}      // closed when nothing is fed any more
	stop    context.CancelFunc // ends the feeding

	// Under s.mu.
	base      Numbers                 // what its numbers are counted above
	makes     *wire.Renditions        // as it said last
	firsts    map[string]media.Placed // first packet of each rendition
	held      []func() error          // what it put out before its time
	heldBytes int
	written   time.Duration // newest media time of the leading track that it was given
	told      bool          // of the change under way
	off       []string      // renditions that its ladder gave up
	offCuts   int           // cuts since it said so
	goesOn    bool          // it goes on where another one ended, as if it were that
	dated     bool          // shift is known
	shift     time.Duration // of its dates, so that they go on
}

// engage starts a worker for the script: as the one whose output viewers get,
// or as the understudy of the one there is. What it puts out has its place
// before it is started.
func (s *scripted) engage(ctx context.Context, tracks []*media.Track, understudy bool) (*actor, error) {
	set := s.p.inForce()
	s.mu.Lock()
	a := &actor{s: s, tracks: tracks, engaged: time.Now(), fed: make(chan struct{}), base: *s.p.graph.newest.Load(), firsts: map[string]media.Placed{}}
	job := transcode.ScriptJob{
		Name: s.p.path, Script: s.file, Tracks: tracks, Policy: LivePolicy(set), HLS: shapeOf(set.HLS),
		Fixed: s.fixed, Env: s.env, After: s.after, Standby: understudy, Output: a,
	}
	if understudy {
		s.acting.told = false
		s.change = &change{old: s.acting, new: a, begun: media.Now()}
	} else {
		s.acting = a
	}
	s.mu.Unlock()
	run, err := s.p.deps.Transcoder.StartScript(ctx, job)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		a.run = run
		a.begin() //nolint:contextcheck // it is fed until it is closed
		return a, nil
	case understudy:
		s.change = nil
	default:
		s.acting = nil
	}
	return nil, err
}

// begin feeds the script, from the newest keyframe on.
func (a *actor) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	a.sub = a.s.p.stream.Subscribe(media.SubscribeOptions{Name: "script", Beginning: true, Batch: true})
	go func() {
		defer close(a.fed)
		defer a.sub.Close()
		a.feed(ctx)
	}()
}

// feed passes packets on until the source has ended, the worker takes no more,
// or ctx ends.
func (a *actor) feed(ctx context.Context) {
	clock := clockFeed{p: a.s.p, run: a.run, lead: lead(a.tracks), wall: a.s.p.senderClock()}
	for {
		p, err := a.sub.Next(ctx)
		if err != nil {
			return
		}
		clock.before(ctx, p)
		a.s.turn(a, p)
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

// pass does what comes of an actor: at once where it is in force, later where
// its time has not come, and never where it has passed. s.mu is held.
func (a *actor) pass(bytes int, f func() error) error {
	switch {
	case a.s.acting == a:
		return f()
	case a.s.change != nil && a.s.change.new == a:
		a.held = append(a.held, f)
		if a.heldBytes += bytes; a.heldBytes > maxHeld {
			return errors.New("it puts out more than can be held before it takes over")
		}
	}
	return nil
}

// Files implements transcode.ScriptOutput.
func (a *actor) Files(paths []string) {
	a.s.call(func() { a.s.files.watch(paths, a.engaged) })
}

// Renditions implements transcode.ScriptOutput.
func (a *actor) Renditions(m *wire.Renditions) error {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.makes = m
	return a.pass(0, func() error { return a.s.show(m) })
}

// Cut implements transcode.ScriptOutput.
func (a *actor) Cut(c media.Cut) error {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.pass(0, func() error {
		c.Segment += a.base.Segment
		c.Discontinuity += a.base.Discontinuity
		c.Wall = s.date(a, c)
		pres, _ := s.p.presented()
		s.p.graph.newest.Store(&Numbers{c.Segment, c.Discontinuity})
		s.fixed = true
		if a.offCuts++; a.offCuts > 1 && len(a.off) > 0 { // as graph.dropRungs
			pres.Lost(a.off...)
		}
		if err := pres.Cut(c); err != nil {
			(*live)(s.p).trouble(fmt.Errorf("cut segment %d: %w", c.Segment, err))
		}
		return nil
	})
}

// Packet implements transcode.ScriptOutput.
func (a *actor) Packet(rendition string, p media.Placed) error {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.firsts[rendition].Packet == nil {
		a.firsts[rendition] = p
		if s.change != nil && s.change.new == a {
			s.call(func() { s.takeOver(false) })
		}
	}
	return a.pass(len(p.Payload), func() error {
		p.Segment += a.base.Segment
		p.Discontinuity += a.base.Discontinuity
		s.after = max(s.after, media.Duration(p.PTS+p.Duration, p.Track.ClockRate))
		s.lasts[rendition] = p.Packet
		pres, _ := s.p.presented()
		if err := pres.Write(rendition, p); err != nil {
			(*live)(s.p).trouble(err)
		}
		return nil
	})
}

// GivenUp implements transcode.ScriptOutput.
func (a *actor) GivenUp(d transcode.Degradation) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	_ = a.pass(0, func() error {
		a.s.gaveUp(a, d)
		return nil
	})
}

// Suspended implements transcode.ScriptOutput.
func (a *actor) Suspended() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.s.acting == a {
		a.s.suspend()
	}
}

// Handed implements transcode.ScriptOutput.
func (a *actor) Handed() {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.change != nil && s.change.old == a {
		s.change.handed = true
		s.call(func() { s.takeOver(false) })
	}
}

// Message implements transcode.ScriptOutput.
func (a *actor) Message(m *wire.Script) {
	switch m.Topic {
	case markTopic:
		a.s.p.scriptMark(m)
		return
	case captionTopic:
		a.s.p.scriptCaption(m)
		return
	}
	a.s.p.deps.sayings.said(a.s.p.path, m)
}

// Died implements transcode.ScriptOutput.
func (a *actor) Died(err error) { a.s.call(func() { a.s.died(a, err) }) }
