package pipeline

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// A changed script takes over from the one that runs: another actor is engaged
// as understudy, which is fed the same packets and puts nothing out. When it
// says what it makes, the next keyframe that neither was given yet is the time
// of the change: each is told before it gets that keyframe. The old one puts
// out all that comes before it; what the understudy makes is held until then.

const (
	lookAtFiles = 500 * time.Millisecond
	// The old script may take so long to put out its rest, and the new one to
	// show what it makes; then the change is made regardless of that.
	handTime = 3 * time.Second
	// An understudy that is not ready by then is given up.
	understudyTime = 30 * time.Second
	// maxHeld bounds what an understudy may put out before its time.
	maxHeld = 64 << 20
)

// change is the way from one actor to the next; under scripted.mu.
type change struct {
	old, new *actor
	begun    time.Duration

	at     *point // nil until it is chosen
	asked  time.Duration
	handed bool
}

// stamp tells two versions of a file apart.
type stamp struct {
	size     int64
	modified time.Time
}

// files are what a script was made of, as they were when last looked at.
type files struct {
	stamps map[string]stamp
	moved  bool // they are not as they were; they may still be being written
}

// watch remembers the files that make a script. One that was written to after
// the script was begun to be read is another one already.
func (f *files) watch(paths []string, read time.Time) {
	f.stamps, f.moved = make(map[string]stamp, len(paths)), false
	for _, path := range paths {
		f.stamps[path] = look(path)
		if f.stamps[path].modified.After(read) {
			f.stamps[path] = stamp{}
		}
	}
}

func look(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{size: -1}
	}
	return stamp{info.Size(), info.ModTime()}
}

// changed reports whether the files became others and have stayed so since the
// last look.
func (f *files) changed() bool {
	same := true
	for path, before := range f.stamps {
		if now := look(path); now != before {
			same, f.stamps[path] = false, now
		}
	}
	moved := f.moved
	f.moved = !same
	return same && moved
}

// inspect looks at the script's files, and at the change under way.
func (s *scripted) inspect(ctx context.Context) {
	if s.files.changed() {
		s.p.log.Info("the script has changed", "script", s.file)
		s.renew(ctx)
	}
	if env := s.p.deps.scriptEnv(); !maps.Equal(env, s.env) {
		s.p.log.Info("the script sees other variables now", "script", s.file)
		s.env = env
		s.renew(ctx)
	}
	s.mu.Lock()
	c := s.change
	s.mu.Unlock()
	if c == nil {
		return
	}
	now := media.Now()
	switch {
	case c.asked > 0 && now-c.asked > handTime:
		s.takeOver(true)
	case c.asked == 0 && now-c.begun > understudyTime:
		s.refuse(c.new, errors.New("it has not made anything in time"))
	}
}

// renew puts the script as it is now in the place of the one that runs.
func (s *scripted) renew(ctx context.Context) {
	s.mu.Lock()
	c := s.change
	s.mu.Unlock()
	if c != nil {
		s.drop(c.new) // an older version still
	}
	if s.acting == nil {
		s.failed = nil // present tries again
		return
	}
	a, err := s.engage(ctx, s.acting.tracks, true)
	if err != nil {
		s.told("script:refused", err)
		return
	}
	if s.pub == nil {
		a.run.Present(false)
	}
}

// refuse gives an understudy up; the old script goes on.
func (s *scripted) refuse(a *actor, err error) {
	s.drop(a)
	s.told("script:refused", err)
}

func (s *scripted) told(event string, err error) {
	data := map[string]string{"script": s.p.set.Pipeline}
	if err != nil {
		data["reason"] = err.Error()
		s.p.log.Error("the changed script is not used, the one before it goes on", "err", err)
	}
	s.p.deps.Bus.Send(event, s.p.path, data)
}

// drop ends an understudy.
func (s *scripted) drop(a *actor) {
	s.mu.Lock()
	s.change = nil
	a.held = nil
	s.mu.Unlock()
	a.close()
}

// turn is called before an actor is given a packet. It chooses the time of a
// change and tells the actor of it.
func (s *scripted) turn(a *actor, p *media.Packet) {
	if p.Track.ID != lead(a.tracks).ID {
		return
	}
	at, rate := media.Duration(p.PTS, p.Track.ClockRate), p.Track.ClockRate
	s.mu.Lock()
	c := s.change
	if c == nil || a != c.old && a != c.new {
		a.written = max(a.written, at)
		s.mu.Unlock()
		return
	}
	if c.at == nil && c.new.makes != nil && p.Key && at > c.old.written && at > c.new.written {
		c.at, c.asked = &point{p.PTS, rate}, media.Now()
	}
	a.written = max(a.written, at)
	tell := c.at != nil && !a.told && !c.at.before(p.PTS, rate)
	if tell {
		a.told = true
	}
	s.mu.Unlock()
	if tell {
		_ = a.run.Handover(c.at.pts, c.at.rate, a == c.old) // its death tells why
	}
}

// takeOver puts the understudy into force when all is ready for it, or
// regardless of that.
func (s *scripted) takeOver(regardless bool) {
	s.mu.Lock()
	c := s.change
	if c == nil || c.old != s.acting || !regardless && (!c.handed || !c.new.shows()) {
		s.mu.Unlock()
		return
	}
	old, a := c.old, c.new
	goesOn := c.handed && s.continues(a)
	a.base = *s.p.graph.newest.Load()
	a.goesOn = goesOn
	if goesOn {
		a.base.Discontinuity-- // its first one is the one that viewers have
	} else {
		s.suspend()
	}
	s.acting, s.change = a, nil
	held := a.held
	a.held, a.heldBytes = nil, 0
	var err error
	for _, f := range held {
		if err = f(); err != nil {
			break
		}
	}
	s.mu.Unlock()
	old.close()
	s.p.log.Info("the changed script has taken over", "discontinuity", !goesOn)
	s.told("script:reloaded", nil)
	if err != nil {
		s.died(a, err)
	}
}

// shows reports whether an understudy has put out something of everything that
// it makes.
func (a *actor) shows() bool {
	if a.makes == nil {
		return false
	}
	for _, r := range a.makes.Renditions {
		if a.firsts[r.Name].Packet == nil {
			return false
		}
	}
	return true
}

// continues reports whether an understudy's media can follow on that of the
// old script as if it were the same.
func (s *scripted) continues(a *actor) bool {
	if s.shown == nil || a.makes == nil || !slices.Equal(s.shown.Renditions, a.makes.Renditions) {
		return false
	}
	for _, r := range a.makes.Renditions {
		first, last := a.firsts[r.Name], s.lasts[r.Name]
		if first.Packet == nil || last == nil || !first.Track.SameParameters(last.Track) || first.DTS < last.DTS {
			return false
		}
	}
	return true
}
