package transcode

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

func TestSession(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("good")}, Job{})
	for range 60 {
		src.frame()
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	for _, name := range []string{"720p", "480p", "360p", "audio"} {
		got := out.packets[name]
		if len(got) != 60 {
			t.Fatalf("%d packets of %s", len(got), name)
		}
		for i, p := range got {
			if want := uint64(1 + i/20); p.Segment != want || p.Discontinuity != 1 {
				t.Errorf("%s %d is in segment %d, %d", name, i, p.Segment, p.Discontinuity)
			}
			if name != "audio" && (p.PTS != int64(i)*3000 || p.Key != (i%20 == 0)) {
				t.Errorf("%s %d: PTS %d, key %t", name, i, p.PTS, p.Key)
			}
			if p.Track == nil || len(p.Track.Config) == 0 {
				t.Fatalf("%s has no track", name)
			}
		}
	}
	st := session.Stats()
	if st.State != Running || st.PID == 0 || st.PacketsOut != 240 || st.Dropped != 0 || st.Restarts != 0 || st.Lag != 0 {
		t.Errorf("%+v", st)
	}
	// It goes on after a drain.
	out.mu.Unlock()
	src.frame()
	err := session.Drain(t.Context())
	out.mu.Lock()
	if err != nil || len(out.packets["720p"]) != 61 {
		t.Errorf("after a second drain: %v, %d packets", err, len(out.packets["720p"]))
	}
}

func TestSessionIgnoresTracksItDoesNotNeed(t *testing.T) {
	plan := planOf(t, Policy{Live: true}, h264(640, 360), aac(codec(media.PCMA), rate(8000)))
	session, out, src := begin(t, Options{Command: worker("good")}, Job{Plan: plan})
	for range 40 {
		src.frame()
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if len(out.packets) != 1 || len(out.packets["audio"]) != 40 {
		t.Errorf("%d renditions, %d audio packets", len(out.packets), len(out.packets["audio"]))
	}
}

func TestFileBlocksAndLosesNothing(t *testing.T) {
	plan := planOf(t, Policy{GOPTooLong: true}, h264(640, 360))
	session, out, src := begin(t, Options{Command: worker("slow"), MaxQueue: 50_000}, Job{Plan: plan})
	src.payload = func(int) []byte { return make([]byte, 20_000) } // the socket holds some 200 KB
	start := time.Now()
	for range 50 {
		src.frame()
	}
	if d := time.Since(start); d < 500*time.Millisecond {
		t.Errorf("50 frames for a worker that takes 20 ms each went in within %s", d)
	}
	if st := session.Stats(); st.QueueBytes > 51_000 {
		t.Errorf("%d bytes wait, 50000 may", st.QueueBytes)
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(out.packets["360p"]); n != 50 || session.Stats().Dropped != 0 {
		t.Errorf("%d packets, %d dropped", n, session.Stats().Dropped)
	}
}

func TestLiveNeverBlocks(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("slow"), MaxQueue: 50_000}, Job{Plan: livePlan(t, h264(640, 360))})
	src.payload = func(int) []byte { return make([]byte, 5000) }
	start := time.Now()
	for range 500 {
		src.frame()
	}
	if d := time.Since(start); d > 5*time.Second { // it takes the worker ten
		t.Errorf("500 frames took %s", d)
	}
	if st := session.Stats(); st.QueueBytes > 55_000 || st.Dropped < 300 {
		t.Errorf("%+v", st)
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, dropped := len(out.packets["360p"]), int(session.Stats().Dropped); n+dropped != 500 {
		t.Errorf("%d of 500 came out, %d were dropped", n, dropped)
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	session, _, src := begin(t, Options{Command: worker("undrained")}, Job{})
	src.frame()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := session.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestWorkerLogsThroughParent(t *testing.T) {
	var text lockedBuffer
	logger := slog.New(slog.NewTextHandler(&text, nil))
	session, _, src := begin(t, Options{Command: worker("good"), Logger: logger}, Job{})
	src.frame()
	session.queue.put(item{message: &wire.Tune{Preset: "ultrafast"}})
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.Contains(got, "tuned ultrafast") || !strings.Contains(got, "stream=test") {
		t.Errorf("log: %s", got)
	}
}

func TestOverloadIsToldToWorkerAndOutput(t *testing.T) {
	var text lockedBuffer
	var told []Degradation
	session, _, src := begin(t, Options{
		Command: worker("mute"), Silence: time.Hour, Logger: slog.New(slog.NewTextHandler(&text, nil)),
	}, Job{
		Plan:     livePlan(t, h264(1280, 720)),
		Degraded: func(d Degradation) { told = append(told, d) },
	})
	for range 150 { // five seconds of which nothing comes back
		src.frame()
	}
	g := session.governor()
	now := g.last
	for range 40 {
		now += time.Second
		session.govern(g, now)
	}
	var words []string
	for _, d := range told {
		words = append(words, d.String())
	}
	want := "preset superfast|preset ultrafast|preset ultrafast; without 720p|preset ultrafast; without 720p, 480p|" +
		"preset ultrafast; without 720p, 480p; one frame of 2|preset ultrafast; without 720p, 480p; one frame of 4"
	if got := strings.Join(words, "|"); got != want {
		t.Errorf("told %s", got)
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := session.Stats().Degradation; got.Level != 6 || len(got.Off) != 2 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(text.String(), "tuned ultrafast [720p 480p] 4") {
		t.Errorf("the worker was not told: %s", text.String())
	}
}
