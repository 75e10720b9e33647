package worker

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func TestTimeline(t *testing.T) {
	tl := timeline{clock: 48000}
	if _, _, ok := tl.at(0); ok {
		t.Error("a segment before the first cut")
	}
	for i, pts := range []int64{90000, 270001, 450000, 450000} {
		tl.add(cut{segment: uint64(i + 1), pts: pts, clock: 90000})
	}
	for _, c := range []struct {
		pts     int64
		segment uint64
		first   bool
	}{
		{48000, 1, true},
		{48001, 1, false},
		{144000, 1, false}, // 270001 is 144000.5
		{144001, 2, true},
		{200000, 2, false},
		{239999, 2, false},
		{300000, 4, true}, // two cuts at once: the frame is the newest's
		{1000, 4, false},  // decode order may go back, segments do not
	} {
		got, first, ok := tl.at(c.pts)
		if !ok || got.segment != c.segment || first != c.first {
			t.Errorf("%d: segment %d (first %v, ok %v), want %d (first %v)", c.pts, got.segment, first, ok, c.segment, c.first)
		}
	}
	tl.reset()
	if _, _, ok := tl.at(1 << 40); ok {
		t.Error("a segment after reset")
	}
}

func TestCutMovesExactly(t *testing.T) {
	for range 10000 {
		c := cut{pts: rand.Int64N(1 << 40), clock: 1 + rand.IntN(100000)}
		to := 1 + rand.IntN(100000)
		got := c.in(to).pts
		// got/to >= pts/clock > (got-1)/to
		if got*int64(c.clock) < c.pts*int64(to) || (got-1)*int64(c.clock) >= c.pts*int64(to) {
			if c.pts < 1<<40 && to < 1<<20 { // else the check itself overflows
				t.Fatalf("%d in %d is %d in %d", c.pts, c.clock, got, to)
			}
		}
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to media.Rational
		jitter   int64
		divisor  int
		want     int // of 10 seconds
	}{
		{"unlimited", media.Rational{Num: 60, Den: 1}, media.Rational{}, 0, 0, 600},
		{"half", media.Rational{Num: 60, Den: 1}, media.Rational{Num: 30, Den: 1}, 0, 0, 300},
		{"half with jitter", media.Rational{Num: 60, Den: 1}, media.Rational{Num: 30, Den: 1}, 300, 0, 300},
		{"the same", media.Rational{Num: 30, Den: 1}, media.Rational{Num: 30, Den: 1}, 300, 0, 300},
		{"more", media.Rational{Num: 25, Den: 1}, media.Rational{Num: 30, Den: 1}, 0, 0, 250},
		{"five of six", media.Rational{Num: 30, Den: 1}, media.Rational{Num: 25, Den: 1}, 0, 0, 250},
		{"ntsc", media.Rational{Num: 60000, Den: 1001}, media.Rational{Num: 30, Den: 1}, 0, 0, 300},
		{"divided", media.Rational{Num: 30, Den: 1}, media.Rational{}, 0, 3, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pace{rate: c.to, clock: 90000, divisor: c.divisor}
			kept, frames := 0, int64(c.from.Num*10/c.from.Den)
			for n := range frames {
				pts := 1000 + n*90000*int64(c.from.Den)/int64(c.from.Num)
				if n > 0 && c.jitter > 0 {
					pts += rand.Int64N(2*c.jitter) - c.jitter
				}
				if n == 0 {
					p.start(pts)
					kept++
				} else if p.keep(pts) {
					kept++
				}
			}
			if kept < c.want-2 || kept > c.want+2 {
				t.Errorf("%d of %d frames, want %d", kept, frames, c.want)
			}
		})
	}
}
