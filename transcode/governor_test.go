package transcode

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

func TestDegradations(t *testing.T) {
	words := func(p *Plan) string {
		var s []string
		for i, d := range degradations(p) {
			if d.Level != i {
				t.Errorf("step %d calls itself %d", i, d.Level)
			}
			s = append(s, d.String())
		}
		return strings.Join(s, "|")
	}
	live := Policy{Live: true, LowLatency: true}
	for _, c := range []struct {
		name   string
		source *media.Track
		change func(*Policy)
		want   string
	}{
		{"copied top", h264(1280, 720), nil, "|preset superfast|preset ultrafast|preset ultrafast; without 480p|preset ultrafast; without 480p; one frame of 2|preset ultrafast; without 480p; one frame of 4"},
		{"one rung", h264(640, 360, codec(media.H265)), nil, "|preset superfast|preset ultrafast|preset ultrafast; one frame of 2|preset ultrafast; one frame of 4"},
		{"dear preset", h264(640, 360, codec(media.H265)), func(p *Policy) { p.Encoder.Preset = "slow" }, "|preset veryfast|preset superfast|preset ultrafast|preset ultrafast; one frame of 2|preset ultrafast; one frame of 4"},
		{"cheapest preset", h264(640, 360, codec(media.H265)), func(p *Policy) { p.Encoder.Preset = "ultrafast" }, "|one frame of 2|one frame of 4"},
		{"nothing coded", h264(640, 360), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := live
			if c.change != nil {
				c.change(&p)
			}
			if got := words(planOf(t, p, c.source)); got != c.want {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

// levels feeds a governor one lag a second and returns the level after each.
func levels(g *governor, start time.Duration, lags ...time.Duration) []int {
	var out []int
	for i, lag := range lags {
		g.observe(start+time.Duration(i+1)*time.Second, lag, false)
		out = append(out, g.level)
	}
	return out
}

func repeat(lag time.Duration, n int) []time.Duration { return slices.Repeat([]time.Duration{lag}, n) }

func fresh() *governor {
	return &governor{top: 3, high: 1500 * time.Millisecond, low: 750 * time.Millisecond, settle: 6 * time.Second, hold: shortestHold}
}

const (
	calm = 100 * time.Millisecond
	deep = 3 * time.Second
)

func TestGovernorGivesUpInSteps(t *testing.T) {
	g := fresh()
	got := levels(g, 0, repeat(deep, 30)...)
	// Two seconds of patience, then each step is given time to take effect.
	want := []int{0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}
	if !slices.Equal(got, want) {
		t.Errorf("levels %v", got)
	}
}

func TestGovernorForgivesAPeak(t *testing.T) {
	if got := levels(fresh(), 0, calm, deep, calm, calm, deep, calm); slices.Max(got) != 0 {
		t.Errorf("levels %v", got)
	}
}

func TestGovernorWaitsWhileTheLagFalls(t *testing.T) {
	g := fresh()
	lags := []time.Duration{deep, 6 * time.Second}
	for lag := 5900 * time.Millisecond; lag > g.low; lag -= 250 * time.Millisecond {
		lags = append(lags, lag)
	}
	if got := levels(g, 0, lags...); slices.Max(got) != 1 {
		t.Errorf("levels %v", got)
	}
}

func TestGovernorTakesBack(t *testing.T) {
	g := fresh()
	levels(g, 0, repeat(deep, 8)...)
	if g.level != 2 {
		t.Fatalf("level %d", g.level)
	}
	got := levels(g, 8*time.Second, repeat(calm, 70)...)
	if got[28] != 2 || got[29] != 1 || got[59] != 0 {
		t.Errorf("levels %v", got)
	}
}

func TestGovernorDoesNotSwing(t *testing.T) {
	// A machine that can do level 1 and not level 0.
	g := fresh()
	changes, last := 0, 0
	for s := range 3600 {
		lag := calm
		if g.level == 0 {
			lag = deep
		}
		g.observe(time.Duration(s)*time.Second, lag, false)
		if g.level != last {
			changes, last = changes+1, g.level
		}
	}
	// 30 s, 60 s, 2 min, 4 min, 8 min, 10 min, 10 min, …
	if changes > 20 {
		t.Errorf("%d changes within an hour", changes)
	}
}

func TestGovernorMindsDrops(t *testing.T) {
	g := fresh()
	for s := range 8 {
		g.observe(time.Duration(s+1)*time.Second, calm, true)
	}
	if g.level != 2 {
		t.Errorf("level %d", g.level)
	}
}
