package worker

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/libav"
)

// taken is an Output that keeps everything.
type taken struct {
	mu      sync.Mutex
	packets map[string][]media.Placed
	failed  error
}

func (o *taken) Packet(rendition string, p media.Placed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.packets == nil {
		o.packets = make(map[string][]media.Placed)
	}
	o.packets[rendition] = append(o.packets[rendition], p)
}

func (o *taken) WorkerLost(error) {}

func (o *taken) Failed(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = err
}

// ladderOf starts a ladder of 320x180, 160x90 and sound of a clip.
func ladderOf(t testing.TB, tracks []*media.Track, live bool) (transcode.LadderRun, *taken) {
	t.Helper()
	plan, err := transcode.NewPlan(tracks, transcode.Policy{
		Mode: transcode.Explicit, Rungs: []transcode.Rung{{Height: 180}, {Height: 90}}, Live: live, LowLatency: live,
		Encoder: transcode.Encoder{Threads: 1, Preset: "ultrafast"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := &taken{}
	run, err := NewEngine(nil).Ladder(plan, 7, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return run, out
}

// cuts calls cut at the first picture of every second of video.
func cuts(t testing.TB, run transcode.LadderRun, pts int64, clock int, next *int64) {
	t.Helper()
	if pts < *next {
		return
	}
	segment := uint64(100)
	if *next > 0 {
		segment += uint64(pts / int64(clock))
	}
	*next = pts + int64(clock)
	if err := run.Cut(media.Cut{Segment: segment, Discontinuity: 7, PTS: pts, ClockRate: clock}); err != nil {
		t.Fatal(err)
	}
}

func TestLadderTakesPacketsAndFramesAlike(t *testing.T) {
	path := clip(t, "a.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", "-f", "lavfi", "-i", "sine=1000:d=3",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "libopus")
	tracks, packets := demux(t, path)
	for _, live := range []bool{false, true} {
		byPackets, got := ladderOf(t, tracks, live)
		var next int64
		for _, p := range packets {
			if p.Track.Kind == media.Video {
				cuts(t, byPackets, p.PTS, p.Track.ClockRate, &next)
			}
			if err := byPackets.Write(media.Placed{Packet: p, Discontinuity: 7}); err != nil {
				t.Fatal(err)
			}
		}
		if err := byPackets.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"180p": 75, "90p": 75} {
			keys, last := 0, uint64(0)
			for _, p := range got.packets[name] {
				if p.Key {
					keys++
				}
				if p.Key != (p.Segment != last) || p.Discontinuity != 7 || len(p.Track.Config) == 0 {
					t.Errorf("live %v: %s at %d: key %v in segment %d after %d", live, name, p.PTS, p.Key, p.Segment, last)
				}
				last = p.Segment
			}
			if len(got.packets[name]) != want || keys != 3 {
				t.Errorf("live %v: %d packets of %s with %d keys", live, len(got.packets[name]), name, keys)
			}
		}
		if n := len(got.packets["audio"]); n < 135 || n > 145 {
			t.Errorf("live %v: %d packets of sound", live, n)
		}

		byFrames, other := ladderOf(t, tracks, live)
		next = 0
		writeFrames(t, byFrames, tracks, packets, &next)
		if err := byFrames.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, want := range got.packets {
			have := other.packets[name]
			if len(have) != len(want) {
				t.Errorf("live %v: %d packets of %s by frames, %d by packets", live, len(have), name, len(want))
				continue
			}
			for i := range have {
				if have[i].PTS != want[i].PTS || have[i].Segment != want[i].Segment || !bytes.Equal(have[i].Payload, want[i].Payload) {
					t.Errorf("live %v: packet %d of %s differs", live, i, name)
					break
				}
			}
		}
	}
}

// writeFrames decodes packets as a script would and writes frames.
func writeFrames(t testing.TB, run transcode.LadderRun, tracks []*media.Track, packets []*media.Packet, next *int64) {
	t.Helper()
	decoders := make(map[int]transcode.FrameDecoder)
	for _, track := range tracks {
		d, err := NewEngine(nil).Decoder(track, transcode.CoderOptions{LowLatency: true})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		decoders[track.ID] = d
	}
	decode := func(track *media.Track, p *media.Packet) {
		err := decoders[track.ID].Decode(p, func(f transcode.Frame) error {
			if pts, _ := f.PTS(); track.Kind == media.Video {
				cuts(t, run, pts, track.ClockRate, next)
			}
			return run.WriteFrame(track, f, 0)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range packets {
		decode(p.Track, p)
	}
	for _, track := range tracks {
		decode(track, nil)
	}
}

func TestLadderSaysWhyItEnded(t *testing.T) {
	path := clip(t, "a.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", "-c:v", "libx264", "-preset", "ultrafast")
	tracks, packets := demux(t, path)
	plan, err := transcode.NewPlan(tracks, transcode.Policy{Mode: transcode.Explicit, Rungs: []transcode.Rung{{Height: 90}}})
	if err != nil {
		t.Fatal(err)
	}
	bad := *packets[0].Track
	bad.Codec = "nonsense"
	out := &taken{}
	run, err := NewEngine(nil).Ladder(plan, 0, out)
	if err != nil {
		t.Fatal(err)
	}
	p := *packets[0]
	p.Track = &bad
	_ = run.Write(media.Placed{Packet: &p})
	if err := run.Drain(t.Context()); !errors.Is(err, libav.ErrUnsupported) && err == nil {
		t.Errorf("drained: %v", err)
	}
	if err := run.Close(); err == nil {
		t.Error("closed without a word")
	}
	if out.failed == nil || errors.Is(out.failed, context.Canceled) {
		t.Errorf("failed: %v", out.failed)
	}
	if err := run.Write(media.Placed{Packet: &p}); err == nil {
		t.Error("it still takes packets")
	}
}
