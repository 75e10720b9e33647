package libav

import "testing"

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
