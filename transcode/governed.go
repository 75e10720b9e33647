package transcode

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Governor decides what a live ladder in this process gives up to keep up, as a
// Session does for its worker. Made may be called from any goroutine, all else
// from one.
type Governor struct {
	steps    []Degradation
	governor *governor
	progress *progress

	level   int
	next    time.Duration // when to look again
	waited  time.Duration // inside the ladder, since the last look
	dropped uint64
	last    time.Duration
}

// NewGovernor makes a Governor for the coded renditions of a plan, whose
// output begins with the discontinuity from; nil where there is nothing to give
// up.
func NewGovernor(plan *Plan, from uint64) *Governor {
	steps := degradations(plan)
	if !plan.policy.Live || len(steps) == 1 {
		return nil
	}
	kinds := map[string]media.Kind{}
	for _, r := range plan.Renditions {
		if !r.Copy {
			kinds[r.Name] = r.Kind
		}
	}
	now := media.Now()
	g := &Governor{steps: steps, governor: newGovernor(plan, len(steps)), progress: newProgress(kinds, time.Second), next: now, last: now}
	g.governor.last = now
	g.progress.reset(from, now)
	return g
}

// Cut takes note of a cut that the ladder is told.
func (g *Governor) Cut(c media.Cut) { g.progress.cut(cutOf(c), media.Now()) }

// Wrote takes note of what the ladder is given, and how long it let its giver
// wait for that.
func (g *Governor) Wrote(p media.Placed, waited time.Duration) {
	g.progress.wrote(p, media.Now())
	g.waited += waited
}

// Made takes note of a packet of the ladder's.
func (g *Governor) Made(rendition string, p media.Placed) { g.progress.read(rendition, p, media.Now()) }

// Look reports, about once a second, what is to be given up from now on, if
// that has changed. behind is how much media waits in front of the ladder, and
// how many packets were dropped there so far: that counts where the ladder is
// what it waits for.
func (g *Governor) Look(now time.Duration, behind func() (time.Duration, uint64)) (Degradation, bool) {
	if now < g.next {
		return Degradation{}, false
	}
	jammed := g.waited > (now-g.last)/2
	g.next, g.last, g.waited = now+time.Second, now, 0
	lag, more := g.progress.lag(g.steps[g.level].Off), false
	if behind != nil {
		wait, dropped := behind()
		if jammed {
			lag += wait
			more = dropped > g.dropped
		}
		g.dropped = dropped
	}
	if !g.governor.observe(now, lag, more) {
		return Degradation{}, false
	}
	g.level = g.governor.level
	return g.steps[g.level], true
}
