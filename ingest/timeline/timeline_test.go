package timeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

const (
	video = 0
	audio = 1
)

// h264Wire and aacWire are the usual clocks of RTP.
func h264Wire(reorder int) Config {
	return Config{Video: true, Wire: 90000, Bits: 32, Rate: 90000, Frame: 3600, Reorder: reorder}
}

func aacWire() Config { return Config{Wire: 48000, Bits: 32, Rate: 48000} }

// gop8 is a decode order of x264's default pyramid, as presentation indexes.
var gop8 = []int{0, 4, 2, 1, 3, 8, 6, 5, 7}

// pyramid returns the presentation index of the n-th picture in decode order.
func pyramid(n int) int64 {
	if n == 0 {
		return 0
	}
	group, i := (n-1)/4, (n-1)%4
	return int64(group*4 + []int{4, 2, 1, 3}[i])
}

func place(t *testing.T, tl *Timeline, id int, s Sample) Stamp {
	t.Helper()
	st, ok := tl.Place(id, s)
	if !ok {
		t.Fatalf("sample %+v was dropped", s)
	}
	return st
}

// checker holds what must be true of every stamp.
type checker struct {
	last  map[int]int64
	epoch uint32
}

func (c *checker) check(t *testing.T, id int, st Stamp) {
	t.Helper()
	if c.last == nil {
		c.last = map[int]int64{}
	}
	last, ok := c.last[id]
	if st.DTS < 0 || st.PTS < st.DTS || ok && st.DTS <= last || st.Epoch < c.epoch {
		t.Fatalf("track %d: stamp %+v after decode time %d in epoch %d", id, st, last, c.epoch)
	}
	c.last[id], c.epoch = st.DTS, st.Epoch
}

func TestReorderIsExact(t *testing.T) {
	for depth, order := range map[int][]int{
		0: {0, 1, 2, 3, 4, 5},
		1: {0, 2, 1, 4, 3, 6, 5},
		2: gop8,
		3: {0, 8, 4, 2, 1, 3, 6, 5, 7, 16, 12, 10, 9, 11, 14, 13, 15},
	} {
		r := reorder{depth: depth}
		for i, pts := range order {
			// what an encoder writes: presentation order, delayed by depth
			want := int64(i-depth) * 3600
			if got := r.push(int64(pts)*3600, 3600); got != want {
				t.Errorf("depth %d, picture %d: decode time %d, want %d", depth, i, got, want)
			}
		}
	}
}

// Wires wrap: whatever the counter starts at, the output is the same.
func TestWraps(t *testing.T) {
	for _, bits := range []int{32, 33, 64} {
		for _, before := range []int64{0, 1, 3600, 90000 * 10} {
			start := int64(1)<<min(bits, 62) - before
			t.Run(fmt.Sprintf("%d bits, %d before the wrap", bits, before), func(t *testing.T) {
				tl := New()
				c := h264Wire(2)
				c.Bits = bits
				tl.SetTrack(video, c)
				mask := int64(1)<<min(bits, 62) - 1
				if bits == 64 {
					mask = -1
				}
				var ck checker
				var first int64
				for n := range 1000 {
					st := place(t, tl, video, Sample{
						PTS: (start + pyramid(n)*3600) & mask, Arrival: time.Duration(n) * 40 * time.Millisecond,
					})
					ck.check(t, video, st)
					if n == 0 {
						first = st.PTS
					}
					if want := first + pyramid(n)*3600; st.PTS != want || st.DTS != first+int64(n-2)*3600 {
						t.Fatalf("picture %d: %+v, want PTS %d", n, st, want)
					}
				}
				if r := tl.Repairs; r.Derived != 1000 || r != (Repairs{Derived: 1000}) {
					t.Errorf("repairs of a sound stream: %+v", r)
				}
			})
		}
	}
}

// A camera (mediamtx PR 6255) stamps a few packets hours away every now and
// then.
func TestJumpsAreRestamped(t *testing.T) {
	for _, away := range []int64{-9800, 37600, -3, 3, -1, 100_000} {
		t.Run(fmt.Sprint(away, " s"), func(t *testing.T) {
			tl := New()
			tl.SetTrack(video, h264Wire(0))
			var ck checker
			var first int64
			jumps := uint64(0)
			for n := range 500 {
				raw := int64(1e9) + int64(n)*3600
				if n%50 >= 47 {
					raw += away * 90000
					jumps++
				}
				st := place(t, tl, video, Sample{PTS: raw & 0xffffffff, Arrival: time.Duration(n) * 40 * time.Millisecond})
				ck.check(t, video, st)
				if n == 0 {
					first = st.PTS
				}
				if want := first + int64(n)*3600; st.PTS != want || st.DTS != want {
					t.Fatalf("picture %d: %+v, want %d", n, st, want)
				}
			}
			if r := tl.Repairs; r != (Repairs{Jumped: jumps}) {
				t.Errorf("repairs: %+v, want %d jumps", r, jumps)
			}
		})
	}
}

// Reordered pictures stamped away keep their order.
func TestJumpsWithReordering(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(2))
	var ck checker
	var pts []int64
	for n := range 500 {
		raw := int64(1e9) + pyramid(n)*3600
		if n >= 101 && n < 109 { // two whole groups
			raw += 7200 * 90000
		}
		st := place(t, tl, video, Sample{PTS: raw & 0xffffffff, Arrival: time.Duration(n) * 40 * time.Millisecond})
		ck.check(t, video, st)
		pts = append(pts, st.PTS)
	}
	slices.Sort(pts)
	for i := range pts[1 : len(pts)-4] { // the last group is not whole
		if d := pts[i+1] - pts[i]; d != 3600 {
			t.Errorf("distance %d at %d", d, i)
		}
	}
}

// A clock that stays away is believed: one epoch for both tracks, no visible
// jump.
func TestNewClockIsBelieved(t *testing.T) {
	for _, away := range []int64{-5000, 5000, -2} {
		t.Run(fmt.Sprint(away, " s"), func(t *testing.T) {
			tl := New()
			tl.SetTrack(video, h264Wire(0))
			tl.SetTrack(audio, aacWire())
			var ck checker
			var lastV, lastA int64
			a := 0
			for n := range 500 {
				jump := int64(0)
				if n >= 200 {
					jump = away
				}
				at := time.Duration(n) * 40 * time.Millisecond
				v := place(t, tl, video, Sample{PTS: int64(1e9) + int64(n)*3600 + jump*90000, Arrival: at})
				ck.check(t, video, v)
				if n > 0 && v.PTS-lastV != 3600 {
					t.Fatalf("picture %d: distance %d", n, v.PTS-lastV)
				}
				lastV = v.PTS
				for ; time.Duration(a)*1024*time.Second/48000 <= at; a++ {
					st := place(t, tl, audio, Sample{PTS: int64(5e8) + int64(a)*1024 + jump*48000, Duration: 1024, Arrival: at})
					ck.check(t, audio, st)
					if a > 0 && st.PTS-lastA != 1024 {
						t.Fatalf("frame %d: distance %d", a, st.PTS-lastA)
					}
					lastA = st.PTS
				}
			}
			if ck.epoch != 1 || tl.Repairs.Breaks != 1 {
				t.Errorf("epoch %d, repairs %+v", ck.epoch, tl.Repairs)
			}
			if d := media.Duration(lastV, 90000) - media.Duration(lastA, 48000); d > 40*time.Millisecond || d < -40*time.Millisecond {
				t.Errorf("tracks ended %v apart", d)
			}
		})
	}
}

// Gaps that really passed stay: an outage, and one that TCP's buffers hide at
// first.
func TestHonestGaps(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(2))
	var ck checker
	var first int64
	raw, at := int64(1000), time.Duration(0)
	expect := func(n int) {
		t.Helper()
		st := place(t, tl, video, Sample{PTS: raw, Arrival: at})
		ck.check(t, video, st)
		if first == 0 {
			first = st.PTS - 1000
		}
		if st.PTS != first+raw {
			t.Fatalf("%d: %+v, want PTS %d", n, st, first+raw)
		}
	}
	step := func(n int, media int64, wall time.Duration) {
		for i := range n {
			expect(i)
			raw += media
			at += wall
		}
	}
	step(50, 3600, 40*time.Millisecond)
	raw, at = raw+90000*30, at+30*time.Second // silence on the wire
	step(50, 3600, 40*time.Millisecond)
	at += 8 * time.Second            // the network stalls,
	step(20, 3600, time.Millisecond) // then old pictures come in a burst,
	raw += 90000 * 6                 // and the sender had dropped the rest
	step(50, 3600, 40*time.Millisecond)
	if r := tl.Repairs; r.Jumped != 0 || r.Breaks != 0 {
		t.Errorf("repairs: %+v", r)
	}
}

func TestBackwardsAndEqual(t *testing.T) {
	tl := New()
	c := h264Wire(0)
	c.Wire, c.Bits = 1000, 32
	tl.SetTrack(video, c)
	var ck checker
	for n, ms := range []int64{0, 40, 40, 80, 75, 120, 120, 120, 160} {
		st := place(t, tl, video, Sample{PTS: ms, DTS: ms, HasDTS: true, Arrival: time.Duration(n) * 20 * time.Millisecond})
		ck.check(t, video, st)
		if d := st.DTS - 90000 - ms*90; d < 0 || d > 900 {
			t.Errorf("%d ms: %+v", ms, st)
		}
	}
	if r := tl.Repairs; r.Backwards != 4 || r.Jumped != 0 {
		t.Errorf("repairs: %+v", r)
	}
}

// Units split by wrong marker bits come in pairs of equal times: no chain of
// jumps must run away from that.
func TestPairsDoNotRunAway(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(0))
	var ck checker
	var st Stamp
	for n := range 1000 {
		st = place(t, tl, video, Sample{PTS: int64(n/2) * 3600, Arrival: time.Duration(n/2) * 40 * time.Millisecond})
		ck.check(t, video, st)
	}
	if want := int64(90000 + 499*3600); st.PTS-want > 1 {
		t.Errorf("ended at %d, want %d", st.PTS, want)
	}
	if tl.Repairs.Breaks != 0 || tl.Repairs.Jumped != 0 {
		t.Errorf("repairs: %+v", tl.Repairs)
	}
}

// A depth of reordering that nobody tells is found.
func TestGuessedReordering(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(-1))
	var ck checker
	var first int64
	late := 0
	for n := range 200 {
		st := place(t, tl, video, Sample{PTS: pyramid(n) * 3600, Arrival: time.Duration(n) * 40 * time.Millisecond})
		ck.check(t, video, st)
		if n == 0 {
			first = st.PTS
		}
		if st.PTS != first+pyramid(n)*3600 {
			if late++; n > 8 {
				t.Errorf("picture %d: %+v", n, st)
			}
		}
	}
	if r := tl.Repairs; r.Reorders != 2 || r.Jumped != 0 || late > 3 {
		t.Errorf("%d pictures moved, repairs %+v", late, r)
	}
}

// What an encoder's SPS claims may be wrong; nothing breaks.
func TestDeeperThanTold(t *testing.T) {
	tl := New()
	tl.SetTrack(video, h264Wire(1))
	var ck checker
	for n := range 200 {
		ck.check(t, video, place(t, tl, video, Sample{PTS: pyramid(n) * 3600, Arrival: time.Duration(n) * 40 * time.Millisecond}))
	}
	if tl.Repairs.Breaks != 0 {
		t.Errorf("repairs: %+v", tl.Repairs)
	}
}

// lostPictures: any subset of pictures may be missing.
func TestLossKeepsOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		tl := New()
		tl.SetTrack(video, h264Wire(2))
		var ck checker
		first := int64(-1)
		for n := range 400 {
			if n > 0 && rng.IntN(4) == 0 {
				continue
			}
			st := place(t, tl, video, Sample{PTS: pyramid(n) * 3600, Arrival: time.Duration(n) * 40 * time.Millisecond})
			ck.check(t, video, st)
			if first < 0 {
				first = st.PTS
			}
			if st.PTS != first+pyramid(n)*3600 {
				t.Fatalf("picture %d moved: %+v", n, st)
			}
		}
		if r := tl.Repairs; r.Jumped+r.Backwards+r.PTSFirst != 0 {
			t.Fatalf("repairs: %+v", r)
		}
	}
}

func TestRestartContinues(t *testing.T) {
	tl := New()
	var ck checker
	run := func(from time.Duration, raw int64) (first, last Stamp) {
		tl.Restart(false)
		tl.SetTrack(video, h264Wire(2))
		tl.SetTrack(audio, aacWire())
		for n := range 50 {
			at := from + time.Duration(n)*40*time.Millisecond
			last = place(t, tl, video, Sample{PTS: raw + pyramid(n)*3600, Arrival: at})
			ck.check(t, video, last)
			if n == 0 {
				first = last
			}
			ck.check(t, audio, place(t, tl, audio, Sample{PTS: raw + int64(n)*1920, Duration: 1920, Arrival: at}))
		}
		return first, last
	}
	run(0, 1e6)
	second, _ := run(10*time.Second, 7)
	if second.Epoch != 1 || second.PTS != 10*90000 {
		t.Errorf("second publisher begins at %+v", second)
	}
	third, _ := run(12*time.Second, 1e9) // takes over while the second is delivering
	if third.Epoch != 2 || third.PTS < 12*90000 || third.PTS > 14*90000 {
		t.Errorf("third publisher begins at %+v", third)
	}
}

// Another sample rate in flight starts the track anew behind what it placed.
func TestRateChanges(t *testing.T) {
	tl := New()
	tl.SetTrack(audio, aacWire())
	var end time.Duration
	for n := range 100 {
		st := place(t, tl, audio, Sample{PTS: int64(n) * 1024, Duration: 1024, Arrival: time.Duration(n) * 21333 * time.Microsecond})
		end = media.Duration(st.PTS+1024, 48000)
	}
	tl.SetTrack(audio, Config{Wire: 44100, Bits: 32, Rate: 44100})
	for n := range 100 {
		at := time.Duration(100)*21333*time.Microsecond + time.Duration(n)*23220*time.Microsecond
		st, ok := tl.Place(audio, Sample{PTS: int64(n) * 1024, Duration: 1024, Arrival: at})
		if ok && media.Duration(st.PTS, 44100) < end {
			t.Fatalf("frame %d at %v, before %v", n, media.Duration(st.PTS, 44100), end)
		}
		if !ok && n > 1 {
			t.Fatalf("frame %d dropped", n)
		}
	}
}
