package pipeline

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

var (
	videoTrack = &media.Track{ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, FrameRate: media.Rational{Num: 25, Den: 1}}
	audioTrack = &media.Track{ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, SampleRate: 48000}
)

// ledger is a Placer that checks the Placer contract and remembers.
type ledger struct {
	t       testing.TB
	cutter  *Cutter
	onLong  func()
	cuts    []media.Cut
	packets map[int][]media.Placed
	long    int
}

func newLedger(t testing.TB, cfg CutterConfig) *ledger {
	l := &ledger{t: t, packets: map[int][]media.Placed{}}
	l.cutter = NewCutter(Numbers{1000, 10}, l)
	l.cutter.Configure(cfg)
	return l
}

func (l *ledger) Cut(c media.Cut) {
	if n := len(l.cuts); n > 0 {
		before := l.cuts[n-1]
		if c.Segment != before.Segment+1 {
			l.t.Fatalf("segment %d follows %d", c.Segment, before.Segment)
		}
		if c.Discontinuity < before.Discontinuity {
			l.t.Fatalf("discontinuity goes back from %d to %d", before.Discontinuity, c.Discontinuity)
		}
		if c.Wall.Before(before.Wall) {
			l.t.Fatalf("date of segment %d goes back from %v to %v", c.Segment, before.Wall, c.Wall)
		}
		if c.Discontinuity == before.Discontinuity && c.PTS <= media.Rescale(before.PTS, before.ClockRate, c.ClockRate) {
			l.t.Fatalf("segment %d starts at %d, not after %d", c.Segment, c.PTS, before.PTS)
		}
	}
	l.cuts = append(l.cuts, c)
}

func (l *ledger) Place(p media.Placed) {
	cut := l.cuts[len(l.cuts)-1]
	if p.Segment > cut.Segment {
		l.t.Fatalf("packet placed in segment %d before its cut", p.Segment)
	}
	if old := l.packets[p.Track.ID]; len(old) > 0 && p.Segment < old[len(old)-1].Segment {
		l.t.Fatalf("track %d goes back from segment %d to %d", p.Track.ID, old[len(old)-1].Segment, p.Segment)
	}
	l.packets[p.Track.ID] = append(l.packets[p.Track.ID], p)
}

func (l *ledger) Drop(*media.Packet) {}

func (l *ledger) LongGOP() {
	l.long++
	if l.onLong != nil {
		l.onLong()
	}
}

// starts returns the media times of all cuts.
func (l *ledger) starts() []time.Duration {
	var out []time.Duration
	for _, c := range l.cuts {
		out = append(out, media.Duration(c.PTS, c.ClockRate))
	}
	return out
}

func at(d time.Duration, tr *media.Track, key bool) *media.Packet {
	ticks := media.Ticks(d, tr.ClockRate)
	return &media.Packet{Track: tr, PTS: ticks, DTS: ticks, Key: key, Arrival: d}
}

// feed sends video at 25 fps with a keyframe each gop frames, and audio, both
// in order of time, over [from, to).
func (l *ledger) feed(from, to time.Duration, gop int, audio bool, epoch uint32) {
	frames, audioNext := 0, from
	for v := from; v < to; v += 40 * time.Millisecond {
		for audio && audioNext <= v {
			p := at(audioNext, audioTrack, true)
			p.Epoch = epoch
			l.cutter.Push(p)
			audioNext += 1024 * time.Second / 48000
		}
		p := at(v, videoTrack, frames%gop == 0)
		p.Epoch = epoch
		l.cutter.Push(p)
		frames++
	}
}

func expect[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

const s = time.Second

var onKey = CutterConfig{Lead: 1, LeadKind: media.Video, OnKey: true, Segment: 2 * s}

func TestCutsAtKeyframes(t *testing.T) {
	for _, c := range []struct {
		gop  int
		want []time.Duration
	}{
		{50, []time.Duration{0, 2 * s, 4 * s}},
		{25, []time.Duration{0, 2 * s, 4 * s}}, // a GOP of 1 s is less than 3/4 of a segment
		{38, []time.Duration{0, 1520 * s / 1000, 3040 * s / 1000, 4560 * s / 1000}},
		{75, []time.Duration{0, 3 * s}}, // up to 3/2 is cut where the keyframe is
	} {
		l := newLedger(t, onKey)
		l.feed(0, 6*s, c.gop, true, 0)
		expect(t, fmt.Sprintf("GOP of %d frames", c.gop), l.starts(), c.want)
		if l.long != 0 {
			t.Errorf("GOP of %d frames was called long", c.gop)
		}
	}
}

func TestFirstNumbers(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, s, 50, false, 0)
	if c := l.cuts[0]; c.Segment != 1001 || c.Discontinuity != 11 {
		t.Fatalf("first cut is %+v", c)
	}
}

func TestCutsAnywhere(t *testing.T) {
	l := newLedger(t, CutterConfig{Lead: 1, LeadKind: media.Video, Segment: 2 * s})
	l.feed(0, 7*s, 250, true, 0)
	expect(t, "starts", l.starts(), []time.Duration{0, 2 * s, 4 * s, 6 * s})
}

func TestStartsAtKeyframe(t *testing.T) {
	l := newLedger(t, onKey)
	for v := time.Duration(0); v < s; v += 40 * time.Millisecond {
		l.cutter.Push(at(v, audioTrack, true))
		l.cutter.Push(at(v, videoTrack, false))
	}
	l.feed(s, 2*s, 50, true, 0)
	expect(t, "starts", l.starts(), []time.Duration{s})
	if first := l.packets[2][0]; first.PTS != 48000 {
		t.Errorf("audio starts at %d", first.PTS)
	}
}

func TestAudioFollowsTheCuts(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, 8*s, 50, true, 0)
	for _, p := range l.packets[2] {
		var want uint64
		for _, c := range l.cuts {
			if media.Rescale(c.PTS, c.ClockRate, 48000) <= p.PTS {
				want = c.Segment
			}
		}
		if p.Segment != want {
			t.Fatalf("audio at %d is in segment %d, want %d", p.PTS, p.Segment, want)
		}
	}
}

func TestLateAudioGoesWhereItBelongs(t *testing.T) {
	l := newLedger(t, onKey)
	l.cutter.Push(at(0, audioTrack, true))
	l.feed(0, 2100*time.Millisecond, 50, false, 0)
	l.cutter.Push(at(s, audioTrack, true)) // 1.1 s late
	l.cutter.Push(at(2040*time.Millisecond, audioTrack, true))
	var got []uint64
	for _, p := range l.packets[2] {
		got = append(got, p.Segment)
	}
	expect(t, "segments", got, []uint64{1001, 1001, 1002})
}

func TestLongGOPGivesUpOnKeyframes(t *testing.T) {
	l := newLedger(t, onKey)
	l.onLong = func() {
		l.cutter.Configure(CutterConfig{Lead: 1, LeadKind: media.Video, Segment: 2 * s})
		l.cutter.Break()
	}
	l.feed(0, 9*s, 250, true, 0)
	expect(t, "starts", l.starts(), []time.Duration{0, 3 * s, 5 * s, 7 * s})
	if l.long != 1 || l.cuts[1].Discontinuity != l.cuts[0].Discontinuity+1 {
		t.Errorf("said %d times, cuts %+v", l.long, l.cuts)
	}
}

// Where a cut falls between two keyframes of a source with B-frames, whatever
// is shown before it lies before it, and the reverse: what a copy had and what
// an encoder goes on with meet without a frame lost or doubled.
func TestCutsBetweenKeyframesInOrderOfDisplay(t *testing.T) {
	for _, onKey := range []bool{true, false} {
		l := newLedger(t, CutterConfig{Lead: 1, LeadKind: media.Video, OnKey: onKey, Segment: 2 * s})
		l.onLong = func() { l.cutter.Configure(CutterConfig{Lead: 1, LeadKind: media.Video, Segment: 2 * s}) }
		const frame, delay = 3600, 2 * 3600
		for n := range int64(250) {
			// a picture, the one four further on, and the three between
			shown := n
			switch {
			case n == 0:
			case n%4 == 1:
				shown = n + 3
			case n%4 == 2:
				shown = n
			case n%4 == 3:
				shown = n - 2
			default:
				shown = n - 1
			}
			l.cutter.Push(&media.Packet{
				Track: videoTrack, PTS: shown*frame + delay, DTS: n * frame, Key: n == 0, Arrival: media.Duration(n*frame, 90000),
			})
		}
		if len(l.cuts) < 5 {
			t.Fatalf("cuts at %v", l.starts())
		}
		for _, p := range l.packets[1] {
			for _, cut := range l.cuts {
				if p.PTS >= cut.PTS && p.Segment < cut.Segment || p.PTS < cut.PTS && p.Segment >= cut.Segment {
					t.Errorf("a frame at %d is in segment %d, which %d starts at %d", p.PTS, p.Segment, cut.Segment, cut.PTS)
				}
			}
		}
	}
}

func TestReturningPublisherBreaks(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, 3*s, 50, true, 0)
	l.feed(10*s, 13*s, 50, true, 1)
	expect(t, "starts", l.starts(), []time.Duration{0, 2 * s, 10 * s, 12 * s})
	var disc []uint64
	for _, c := range l.cuts {
		disc = append(disc, c.Discontinuity)
	}
	expect(t, "discontinuities", disc, []uint64{11, 11, 12, 12})
}

func TestBreakWaitsForTheNextCut(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, s, 50, true, 0)
	l.cutter.Break()
	if seg, disc := l.cutter.Next(); seg != 1002 || disc != 12 {
		t.Fatal(seg, disc)
	}
	l.feed(s, 3*s, 25, true, 0)
	if c := l.cuts[1]; c.Discontinuity != 12 {
		t.Fatalf("%+v", c)
	}
}

func TestNewParametersBreak(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, s, 50, false, 0)
	bigger := *videoTrack
	bigger.Revision, bigger.Width, bigger.Height = 1, 1920, 1080
	l.cutter.Push(at(s, &bigger, true))
	if n := len(l.cuts); n != 2 || l.cuts[1].Discontinuity != l.cuts[0].Discontinuity+1 {
		t.Fatalf("%+v", l.cuts)
	}
}

func TestHoleIsCutIntoGaps(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, s, 50, true, 0)
	l.feed(8*s, 11*s, 50, true, 0)
	expect(t, "starts", l.starts(), []time.Duration{0, s, 3 * s, 5 * s, 8 * s, 10 * s})
	counts := map[uint64]int{}
	for _, p := range l.packets[1] {
		counts[p.Segment]++
	}
	for _, gap := range []uint64{1002, 1003, 1004} {
		if counts[gap] != 0 {
			t.Errorf("segment %d has %d packets", gap, counts[gap])
		}
	}
}

func TestAudioGoesOnWithoutVideo(t *testing.T) {
	l := newLedger(t, onKey)
	l.feed(0, 2*s, 50, true, 0)
	for a := 2 * s; a < 10*s; a += 20 * time.Millisecond {
		l.cutter.Push(at(a, audioTrack, true))
	}
	last := l.packets[2][len(l.packets[2])-1]
	if behind := 10*s - media.Duration(last.PTS, 48000); behind > maxAudioLead+s/10 {
		t.Fatalf("audio stands still %v behind", behind)
	}
	if len(l.cuts) < 4 {
		t.Fatalf("no cuts while video is away: %v", l.starts())
	}
	// Video comes back, first without, then with a keyframe.
	l.cutter.Push(at(10*s, videoTrack, false))
	n := len(l.packets[1])
	l.cutter.Push(at(10040*time.Millisecond, videoTrack, true))
	if len(l.packets[1]) != n+1 || l.cuts[len(l.cuts)-1].PTS != media.Ticks(10040*time.Millisecond, 90000) {
		t.Fatalf("video did not come back at its keyframe: %v", l.starts())
	}
}

func TestAudioLeadsAlone(t *testing.T) {
	l := newLedger(t, CutterConfig{Lead: 2, LeadKind: media.Audio, Segment: 2 * s})
	for a := time.Duration(0); a < 7*s; a += 20 * time.Millisecond {
		l.cutter.Push(at(a, audioTrack, true))
	}
	expect(t, "starts", l.starts(), []time.Duration{0, 2 * s, 4 * s, 6 * s})
}

func TestWallFollowsDriftWithoutSteps(t *testing.T) {
	l := newLedger(t, onKey)
	rng := rand.New(rand.NewPCG(1, 2))
	// The sender's clock is 100 ppm slow, the network jitters by 50 ms.
	for i := range 45_000 {
		v := time.Duration(i) * 40 * time.Millisecond
		p := at(v, videoTrack, i%50 == 0)
		p.Arrival = v + v/10_000 + time.Duration(rng.Int64N(int64(50*time.Millisecond)))
		l.cutter.Push(p)
	}
	for i := 1; i < len(l.cuts); i++ {
		step := l.cuts[i].Wall.Sub(l.cuts[i-1].Wall) - 2*s
		if step.Abs() > 2*s/wallSlew {
			t.Fatalf("the date steps by %v at cut %d", step, i)
		}
	}
	last := l.cuts[len(l.cuts)-1]
	media := media.Duration(last.PTS, last.ClockRate)
	arrived := media + media/10_000
	if off := last.Wall.Sub(l.cuts[0].Wall) - arrived; off.Abs() > 60*time.Millisecond {
		t.Fatalf("after %v the date is off by %v", media, off)
	}
}

// A publisher that sends faster than the clock and returns at once would be dated
// before what it sent at first.
func TestWallOfTheNextEpochBeginsWhereTheLastOneEnded(t *testing.T) {
	l := newLedger(t, onKey)
	push := func(v, arrival time.Duration, epoch uint32) {
		p := at(v, videoTrack, v%s == 0)
		p.Arrival, p.Epoch = arrival, epoch
		l.cutter.Push(p)
	}
	for v := time.Duration(0); v < 2500*time.Millisecond; v += 40 * time.Millisecond {
		push(v, v/2, 0)
	}
	push(4*s, 1500*time.Millisecond, 1)
	first, last := l.cuts[0], l.cuts[len(l.cuts)-1]
	if last.Discontinuity == first.Discontinuity {
		t.Fatal("no discontinuity")
	}
	if began := last.Wall.Sub(first.Wall); began < 2480*time.Millisecond {
		t.Errorf("the next epoch begins %v after the first, whose media is 2.5 s long", began)
	}
}

// FuzzCutter throws packets without any order or sense at the Cutter; the
// ledger checks that what comes out is still a presentation.
func FuzzCutter(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLedger(t, onKey)
		l.onLong = func() { l.cutter.Configure(CutterConfig{Lead: 1, LeadKind: media.Video, Segment: 2 * s}) }
		var now [2]time.Duration
		epoch := uint32(0)
		for len(data) >= 2 {
			op, arg := data[0], time.Duration(data[1])
			data = data[2:]
			k := int(op & 1)
			now[k] += arg * time.Duration(op>>3) * time.Millisecond
			if op&4 != 0 && arg == 7 {
				epoch++
				now[0] = max(now[0], now[1])
				now[1] = now[0]
			}
			p := at(now[k], []*media.Track{videoTrack, audioTrack}[k], op&2 != 0 || k == 1)
			p.Epoch = epoch
			l.cutter.Push(p)
			if op&6 == 6 {
				l.cutter.Break()
			}
		}
		l.cutter.Flush()
	})
}

// New parameters of copied sound are a discontinuity at the next cut, and what
// comes before that has no place; where the sound is coded they are nothing.
func TestSoundChanges(t *testing.T) {
	mono := *audioTrack
	mono.Channels = 1
	for _, copied := range []bool{true, false} {
		cfg := onKey
		cfg.Copied = map[int]bool{2: copied}
		l := newLedger(t, cfg)
		l.feed(0, 3*s, 50, true, 0)
		changed := 0
		for v := 3 * s; v < 9*s; v += 40 * time.Millisecond {
			for a := v; a < v+40*time.Millisecond; a += 20 * time.Millisecond {
				l.cutter.Push(at(a, &mono, true))
				changed++
			}
			l.cutter.Push(at(v, videoTrack, v%(2*s) == 0))
		}
		l.cutter.Flush()
		expect(t, "cuts", l.starts(), []time.Duration{0, 2 * s, 4 * s, 6 * s, 8 * s})
		var breaks []uint64
		for _, c := range l.cuts {
			breaks = append(breaks, c.Discontinuity)
		}
		want, lost := []uint64{11, 11, 11, 11, 11}, 0
		if copied {
			want, lost = []uint64{11, 11, 12, 12, 12}, 50
		}
		expect(t, "discontinuities", breaks, want)
		placed := 0
		for _, p := range l.packets[2] {
			if p.Track == &mono {
				placed++
				if copied && p.Discontinuity != 12 {
					t.Fatalf("changed sound is in segment %d, discontinuity %d", p.Segment, p.Discontinuity)
				}
			}
		}
		if placed != changed-lost {
			t.Errorf("%d packets of %d have a place, copied %t", placed, changed, copied)
		}
	}
}

// Copied sound that leads is cut where it changes.
func TestLeadingSoundChanges(t *testing.T) {
	mono := *audioTrack
	mono.Channels = 1
	l := newLedger(t, CutterConfig{Lead: 2, LeadKind: media.Audio, Copied: map[int]bool{2: true}, Segment: 2 * s})
	for a := time.Duration(0); a < 5*s; a += 20 * time.Millisecond {
		track := audioTrack
		if a >= 3*s {
			track = &mono
		}
		l.cutter.Push(at(a, track, true))
	}
	expect(t, "cuts", l.starts(), []time.Duration{0, 2 * s, 3 * s})
	if last := l.cuts[len(l.cuts)-1]; last.Discontinuity != 12 {
		t.Errorf("discontinuity %d", last.Discontinuity)
	}
}
