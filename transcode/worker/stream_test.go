package worker

import (
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

func TestLadderFollowsItsSource(t *testing.T) {
	path := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=8", "-f", "lavfi", "-i", "sine=1000:d=8",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-b_strategy", "0", "-g", "60", "-c:a", "aac")
	for _, live := range []bool{false, true} {
		t.Run(map[bool]string{false: "file", true: "live"}[live], func(t *testing.T) {
			tracks, packets := demux(t, path)
			p := startWorker(t, wire.RoleStream)
			p.send(&wire.Job{Name: "x", Live: live, Graph: ladder(live, tracks,
				wire.Picture{Width: 640, Height: 360}, wire.Picture{Width: 320, Height: 180})})
			c := &cutter{every: 2 * int64(tracks[0].ClockRate)}
			var want []int64
			for _, pk := range packets {
				c.place(p, pk)
				if pk.Track.Kind == media.Video {
					want = append(want, pk.PTS)
				}
			}
			p.drain()
			p.bye()
			for _, name := range []string{"360p", "180p"} {
				checkVideo(t, name, p.outputs[name], want, c.cuts)
			}
			checkAudio(t, p.outputs["audio"], c.cuts, 8)
		})
	}
}

// checkVideo holds a rung to its source: the same PTS, IDR pictures at the cuts
// and nowhere else, DTS that never goes back.
func checkVideo(t *testing.T, name string, got []media.Placed, source []int64, cuts []wire.Cut) {
	t.Helper()
	want := make(map[int64]bool)
	for _, pts := range source {
		if pts >= cuts[0].PTS {
			want[pts] = true
		}
	}
	starts := make(map[int64]wire.Cut)
	for _, c := range cuts {
		starts[c.PTS] = c
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d frames of %d", name, len(got), len(want))
	}
	var dts int64
	for _, p := range got {
		if !want[p.PTS] {
			t.Fatalf("%s: a frame at %d is not the source's, or comes twice", name, p.PTS)
		}
		delete(want, p.PTS)
		c, start := starts[p.PTS]
		if p.Key != start {
			t.Errorf("%s: frame at %d: key %v, cut %v", name, p.PTS, p.Key, start)
		}
		if start && (p.Segment != c.Segment || p.Discontinuity != c.Discontinuity) {
			t.Errorf("%s: frame at %d in segment %d, want %d", name, p.PTS, p.Segment, c.Segment)
		}
		if p.DTS < dts || p.DTS > p.PTS {
			t.Errorf("%s: DTS %d after %d, PTS %d", name, p.DTS, dts, p.PTS)
		}
		dts = p.DTS
		if p.Track == nil || len(p.Track.Config) < 10 || p.Track.Config[0] != 1 {
			t.Fatalf("%s: track %v without avcC", name, p.Track)
		}
		checkUnits(t, p)
	}
}

// checkUnits walks the lengths of an access unit.
func checkUnits(t *testing.T, p media.Placed) {
	t.Helper()
	b, idr := p.Payload, false
	for len(b) > 0 {
		if len(b) < 5 {
			t.Fatalf("broken lengths at %d", p.PTS)
		}
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n == 0 || n > len(b)-4 {
			t.Fatalf("NAL unit of %d bytes in %d at %d", n, len(b), p.PTS)
		}
		switch b[4] & 31 {
		case 5:
			idr = true
		case 7, 8:
			t.Fatalf("parameter sets in the payload at %d", p.PTS)
		}
		b = b[4+n:]
	}
	if idr != p.Key {
		t.Fatalf("key %v, IDR %v at %d", p.Key, idr, p.PTS)
	}
}

// checkAudio holds sound to an unbroken row of AAC frames that changes segment
// at the first frame at or after each cut.
func checkAudio(t *testing.T, got []media.Placed, cuts []wire.Cut, seconds float64) {
	t.Helper()
	if len(got) == 0 {
		t.Fatal("no sound")
	}
	rate := got[0].Track.ClockRate
	for i, p := range got {
		if i > 0 && p.PTS != got[i-1].PTS+1024 {
			t.Fatalf("audio frame %d at %d follows one at %d", i, p.PTS, got[i-1].PTS)
		}
		want := uint64(0)
		for _, c := range cuts {
			// pts/rate >= cut/clock
			if p.PTS*int64(c.ClockRate) >= c.PTS*int64(rate) {
				want = c.Segment
			}
		}
		if p.Segment != want {
			t.Fatalf("audio frame at %d in segment %d, want %d", p.PTS, p.Segment, want)
		}
	}
	have := float64(len(got)*1024) / float64(rate)
	if have < seconds-0.1 || have > seconds+0.1 {
		t.Errorf("%.3f s of sound, want %.1f", have, seconds)
	}
}
