package transcode

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// Degradation is what a live stream gives up so that its encoders keep up. Its
// zero value is full quality.
type Degradation struct {
	Level        int      // 0 is full quality
	Preset       string   // of all video encoders; empty is each one's own
	Off          []string // renditions that are not made, top first
	FrameDivisor int      // one frame of so many is kept; 0 and 1 are all
}

// String says it in words; empty at full quality.
func (d Degradation) String() string {
	var parts []string
	if d.Preset != "" {
		parts = append(parts, "preset "+d.Preset)
	}
	if len(d.Off) > 0 {
		parts = append(parts, "without "+strings.Join(d.Off, ", "))
	}
	if d.FrameDivisor > 1 {
		parts = append(parts, fmt.Sprintf("one frame of %d", d.FrameDivisor))
	}
	return strings.Join(parts, "; ")
}

func (d Degradation) tune() *wire.Tune {
	return &wire.Tune{Preset: d.Preset, Off: d.Off, FrameDivisor: d.FrameDivisor}
}

// degradations are the steps of giving up, in the order of DESIGN §3.5: cheaper
// presets, then the top coded rungs until one is left, then frames. Each step
// keeps what the ones before it gave up; step 0 is full quality. A plan that
// encodes no video has no other step.
func degradations(p *Plan) []Degradation {
	steps := []Degradation{{}}
	var coded []string
	for _, r := range p.Renditions {
		if !r.Copy && r.Kind == media.Video {
			coded = append(coded, r.Name)
		}
	}
	if len(coded) == 0 {
		return steps
	}
	now := Degradation{}
	step := func() {
		now.Level++
		d := now
		d.Off = slices.Clone(now.Off)
		steps = append(steps, d)
	}
	for _, preset := range []string{"veryfast", "superfast", "ultrafast"} {
		if presetIndex(preset) < presetIndex(p.policy.preset()) {
			now.Preset = preset
			step()
		}
	}
	for _, name := range coded[:len(coded)-1] {
		now.Off = append(now.Off, name)
		step()
	}
	for _, divisor := range []int{2, 4} {
		now.FrameDivisor = divisor
		step()
	}
	return steps
}

// governor decides how much a live stream gives up. It is fed once a second
// with how far the encoders are behind, and is pure.
//
//	over   for patience: the lag is over high, or packets were dropped → a level up
//	after a change      : settle, while the lag falls nothing more is given up
//	under  for hold     : the lag is under low, nothing dropped         → a level down
//	up again soon after a level down: hold doubles, up to longestHold, so
//	that a stream does not swing between two levels; a long calm resets it
type governor struct {
	top       int
	high, low time.Duration
	settle    time.Duration

	level   int
	over    time.Duration // how long it has been over
	under   time.Duration
	changed time.Duration // when the level changed last
	atStep  time.Duration // the lag then
	lowered time.Duration // when it went down last
	hold    time.Duration
	last    time.Duration // the newest observation
}

const (
	patience     = 2 * time.Second
	shortestHold = 30 * time.Second
	longestHold  = 10 * time.Minute
)

func newGovernor(p *Plan, levels int) *governor {
	// Encoders with look-ahead and sources with B-frames are behind by nature.
	high := 1500 * time.Millisecond
	if !p.policy.LowLatency {
		high += time.Second
	}
	return &governor{
		top: levels - 1, high: high, low: high / 2, hold: shortestHold,
		settle: 3 * p.policy.segment(), // a change takes effect at the next cut
	}
}

// observe takes in one observation and reports whether the level changed.
func (g *governor) observe(now, lag time.Duration, dropped bool) bool {
	passed := min(max(now-g.last, 0), 2*time.Second)
	g.last = now
	switch {
	case lag > g.high || dropped:
		g.over, g.under = g.over+passed, 0
	case lag < g.low:
		g.over, g.under = 0, g.under+passed
	default:
		g.over, g.under = 0, 0
	}
	if g.level > 0 && now-g.changed < g.settle {
		return false
	}
	falling := g.level > 0 && !dropped && lag < g.atStep*9/10
	switch {
	case g.over >= patience && !falling && g.level < g.top:
		if g.lowered > 0 && now-g.lowered < 2*shortestHold {
			g.hold = min(2*g.hold, longestHold)
		}
		g.step(now, lag, +1)
		return true
	case g.over >= patience && falling:
		g.atStep = lag // it has to go on falling
		g.changed = now
	case g.under >= g.hold && g.level > 0:
		g.step(now, lag, -1)
		g.lowered = now
		return true
	case g.level == 0 && g.under >= longestHold:
		g.hold = shortestHold
	}
	return false
}

func (g *governor) step(now, lag time.Duration, by int) {
	g.level += by
	g.changed, g.atStep = now, lag
	g.over, g.under = 0, 0
}
