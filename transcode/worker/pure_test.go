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

func TestGrid(t *testing.T) {
	const rate, frame = 48000, 960
	// feed places frames whose timestamps are n·frame+late(n) and returns what
	// was done and where the row ended up beside the last timestamp.
	feed := func(frames int, late func(n int) int64) (silence, skipped, stretched, off int64) {
		g := grid{rate: rate}
		for n := range frames {
			pts := int64(n)*frame + late(n)
			s := g.place(pts, 0)
			silence, skipped, stretched = silence+s.silence, skipped+s.skip, stretched+s.stretch
			g.count += s.silence + s.stretch + max(frame-s.skip, 0)
			off = g.next() - pts - frame
		}
		return silence, skipped, stretched, off
	}
	abs := func(n int64) int64 { return max(n, -n) }
	const ms = rate / 1000
	for _, c := range []struct {
		name             string
		late             func(n int) int64
		silence, skipped [2]int64 // least and most
		most             int64    // error at the end
	}{
		{"steady", func(int) int64 { return 0 }, [2]int64{}, [2]int64{}, 0},
		{"jitter of 20 ms", func(n int) int64 { return int64(n%3-1) * 20 * ms }, [2]int64{}, [2]int64{}, 40 * ms},
		{"one lost frame", func(n int) int64 { return int64(n/500) * frame }, [2]int64{}, [2]int64{}, 20 * ms},
		{"two seconds lost", func(n int) int64 { return int64(n/500) * 2 * rate }, [2]int64{2 * rate, 2 * rate}, [2]int64{}, 0},
		{"overlap of half a second", func(n int) int64 { return -int64(n/500) * rate / 2 }, [2]int64{}, [2]int64{rate / 2, 10 * rate}, 20 * ms}, // each frame counts what it overlaps
		{"clock 0.1 % fast", func(n int) int64 { return int64(n) * frame / 1000 }, [2]int64{}, [2]int64{}, 20 * ms},
		{"clock 0.1 % slow", func(n int) int64 { return -int64(n) * frame / 1000 }, [2]int64{}, [2]int64{}, 20 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			silence, skipped, stretched, off := feed(999, c.late)
			if silence < c.silence[0] || silence > c.silence[1] || skipped < c.skipped[0] || skipped > c.skipped[1] || abs(off) > c.most {
				t.Errorf("silence %d, skipped %d, stretched %d, off %d", silence, skipped, stretched, off)
			}
		})
	}
	g := grid{rate: rate}
	g.place(0, 0)
	if s := g.place(100*rate, 0); !s.restart {
		t.Errorf("a jump of 100 s gives %+v", s)
	}
}
