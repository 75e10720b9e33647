package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// sink is an Output that keeps everything.
type sink struct {
	mu      sync.Mutex
	packets map[string][]media.Placed
	lost    []error
	failed  error
	change  chan struct{} // closed at the next call
}

func newSink() *sink {
	return &sink{packets: make(map[string][]media.Placed), change: make(chan struct{})}
}

func (s *sink) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

func (s *sink) Packet(rendition string, p media.Placed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packets[rendition] = append(s.packets[rendition], p)
	s.changed()
}

func (s *sink) WorkerLost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, err)
	s.changed()
}

func (s *sink) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	s.changed()
}

// wait until cond holds of the sink.
func (s *sink) wait(t *testing.T, what string, cond func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		ok, change := cond(), s.change
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-limit:
			t.Fatalf("waited in vain: %s (lost %v, failed %v)", what, s.lost, s.failed)
		}
	}
}

func (s *sink) death(i int) *Death {
	var d *Death
	if i < len(s.lost) {
		errors.As(s.lost[i], &d)
	}
	return d
}

// source makes packets of a video track of 30 frames a second with a GOP of
// ten, cut at every second keyframe, and of an audio track beside it.
type source struct {
	t       *testing.T
	session *Session
	video   *media.Track
	audio   *media.Track
	n       int
	cut     media.Cut
	breaks  bool // the next cut starts a discontinuity
	payload func(n int) []byte
}

func (s *source) frame() {
	s.t.Helper()
	pts := int64(s.n) * 3000
	key := s.n%10 == 0
	if s.n%20 == 0 {
		s.cut.Segment++
		if s.breaks || s.n == 0 {
			s.cut.Discontinuity++
			s.breaks = false
		}
		s.cut.PTS, s.cut.ClockRate = pts, 90000
		s.session.Cut(s.cut)
	}
	payload := []byte(fmt.Sprintf("frame %d", s.n))
	if s.payload != nil {
		payload = s.payload(s.n)
	}
	s.write(&media.Packet{Track: s.video, PTS: pts, DTS: pts, Duration: 3000, Key: key, Payload: payload})
	if s.audio != nil {
		at := media.Rescale(pts, 90000, s.audio.ClockRate)
		s.write(&media.Packet{Track: s.audio, PTS: at, DTS: at, Key: true, Payload: []byte("sound")})
	}
	s.n++
}

func (s *source) write(p *media.Packet) {
	s.t.Helper()
	err := s.session.Write(media.Placed{Packet: p, Segment: s.cut.Segment, Discontinuity: s.cut.Discontinuity})
	if err != nil && s.session.live {
		s.t.Errorf("write: %v", err)
	}
}

func livePlan(t *testing.T, tracks ...*media.Track) *Plan {
	t.Helper()
	return planOf(t, Policy{Live: true, LowLatency: true, GOPTooLong: true}, tracks...)
}

func planOf(t *testing.T, p Policy, tracks ...*media.Track) *Plan {
	t.Helper()
	plan, err := NewPlan(tracks, p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func supervise(t *testing.T, o Options) *Supervisor {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	s, err := NewSupervisor(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a session with a fake worker and a source for it.
func begin(t *testing.T, o Options, job Job) (*Session, *sink, *source) {
	t.Helper()
	out := newSink()
	job.Name, job.Output = "test", out
	if job.Plan == nil {
		job.Plan = livePlan(t, h264(1280, 720), aac(codec(media.PCMA), rate(8000)))
	}
	session, err := supervise(t, o).Start(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	src := &source{t: t, session: session, video: job.Plan.tracks[0]}
	if len(job.Plan.tracks) > 1 {
		src.audio = job.Plan.tracks[1]
	}
	return session, out, src
}

// children are the live processes that this one started.
func children(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		t.Skip(err)
	}
	return strings.Fields(string(b))
}

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

func TestStartFailsWhole(t *testing.T) {
	plan := livePlan(t, h264(1280, 720))
	for _, c := range []struct {
		mode    string
		outcome Outcome
		want    string
	}{
		{"never", NeverReady, "not ready within"},
		{"exit=0", Finished, ""},
		{"exit=1", Crashed, "exit status 1"},
		{"exit=2", Crashed, "exit status 2"},
		{"exit=3", Crashed, "exit status 3"},
		{"exit=5", Refused, ""},
		{"exit=6", Unsupported, ""},
		{"exit=7", OutOfMemory, ""},
		{"exit=77", Crashed, "exit status 77"},
		{"nonsense", Broke, "not this protocol"},
		{"version", Broke, "version 99"},
		{"rude", Broke, "first message"},
		{"unable", Unsupported, "no x264 here"},
		{"stuck", OutOfMemory, "no memory"},
		{"hangup", Broke, "hung up"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			o := Options{Command: worker(c.mode)}
			if c.outcome == NeverReady {
				o.Ready = 300 * time.Millisecond
			}
			s := supervise(t, o)
			out := newSink()
			session, err := s.Start(t.Context(), Job{Name: "test", Plan: plan, Output: out})
			var d *Death
			if session != nil || !errors.As(err, &d) || d.Outcome != c.outcome || !strings.Contains(d.Error(), c.want) {
				t.Fatalf("session %v, error %v", session, err)
			}
			if used, _ := s.Load(); used != 0 {
				t.Errorf("%g cores stay taken", used)
			}
			if len(out.lost) > 0 || out.failed != nil {
				t.Error("the output was told")
			}
			if err := syscall.Kill(d.PID, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is left: %v", d.PID, err)
			}
		})
	}
	t.Run("no such program", func(t *testing.T) {
		s := supervise(t, Options{Command: []string{"/does/not/exist", "worker"}})
		if _, err := s.Start(t.Context(), Job{Name: "test", Plan: plan, Output: newSink()}); !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		s := supervise(t, Options{Command: worker("never")})
		if _, err := s.Start(ctx, Job{Name: "test", Plan: plan, Output: newSink()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
	t.Run("nothing to do", func(t *testing.T) {
		s := supervise(t, Options{Command: worker("good")})
		if _, err := s.Start(t.Context(), Job{Plan: planOf(t, Policy{}, h264(640, 360)), Output: newSink()}); err == nil {
			t.Fatal("no error")
		}
	})
}

func TestAdmission(t *testing.T) {
	plan := livePlan(t, h264(1280, 720))
	s := supervise(t, Options{Command: worker("good"), Cores: plan.Cost() * 2.5})
	start := func() (*Session, error) {
		return s.Start(t.Context(), Job{Name: "test", Plan: plan, Output: newSink()})
	}
	one, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := start()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := start(); !errors.Is(err, ErrOverloaded) {
		t.Fatalf("a third: %v", err)
	}
	two.Close()
	three, err := start()
	if err != nil {
		t.Fatalf("after one left: %v", err)
	}
	three.Close()
	one.Close()
	if used, _ := s.Load(); used != 0 {
		t.Errorf("%g cores stay taken", used)
	}
	// A machine that is too small for one may try.
	s = supervise(t, Options{Command: worker("good"), Cores: 0.01})
	alone, err := start()
	if err != nil {
		t.Fatal(err)
	}
	alone.Close()
}

func TestKilledWorkerIsReplaced(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		early int // frames that come before the second worker
	}{
		{"in the middle of a segment", time.Millisecond, 0},
		{"after the discontinuity began", 300 * time.Millisecond, 13},
	} {
		t.Run(c.name, func(t *testing.T) {
			session, out, src := begin(t, Options{Command: worker("good"), Pause: c.pause}, Job{})
			for range 35 { // in the middle of a GOP and of a segment
				src.frame()
			}
			out.wait(t, "first packets", func() bool { return len(out.packets["audio"]) == 35 })
			first := session.Stats().PID
			if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			out.wait(t, "the loss", func() bool { return len(out.lost) == 1 })
			if d := out.death(0); d == nil || d.Outcome != Killed || d.PID != first {
				t.Fatalf("death %+v", d)
			}
			src.breaks = true
			for range c.early {
				src.frame()
			}
			for session.Stats().State != Running {
				time.Sleep(time.Millisecond)
			}
			for range 45 - c.early {
				src.frame()
			}
			if err := session.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			st := session.Stats()
			if st.PID == first || st.Restarts != 1 || st.LastErr == nil {
				t.Errorf("%+v", st)
			}
			out.mu.Lock()
			defer out.mu.Unlock()
			for _, name := range []string{"720p", "480p", "360p", "audio"} {
				after := out.packets[name][35:]
				// The cut at frame 40 begins the discontinuity that output waits for.
				if len(after) != 40 || after[0].Discontinuity != 2 || after[0].Segment != 3 ||
					media.Rescale(after[0].PTS, after[0].Track.ClockRate, 30) != 40 {
					t.Errorf("%s after the loss: %d packets", name, len(after))
				}
			}
		})
	}
}

func TestDeathsOfManyKinds(t *testing.T) {
	for _, c := range []struct {
		mode    string
		options Options
		outcome Outcome
		want    string
	}{
		{"after=15", Options{}, Crashed, "panic: after all"},
		{"late", Options{}, Crashed, "SIGSEGV: segmentation violation"},
		{"refuse", Options{}, Refused, "decode-0: no picture in it"},
		{"garbage", Options{}, Broke, ""},
		{"hang", Options{Silence: 500 * time.Millisecond, MaxAge: time.Hour}, Silent, "nothing has come out"},
		{"mute", Options{Silence: 500 * time.Millisecond}, Silent, "nothing has come out"},
		{"fat", Options{MaxRSS: 120 << 20}, OutOfMemory, "its ceiling is 120 MiB"},
		{"loglines", Options{}, Broke, "messages in a second"},
		{"noise", Options{}, Crashed, "exit status 2"},
		{"stranger", Options{}, Broke, "4320p"},
		{"prophet", Options{}, Broke, "the source is at"},
		{"backwards", Options{}, Broke, "after one at"},
		{"uncut", Options{}, Broke, "in segment 1001"},
		{"flood", Options{}, Broke, "bytes of"},
		{"unannounced", Options{}, Broke, "not announced"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			o := c.options
			o.Command = worker(c.mode)
			o.Pause = time.Hour // one death is enough
			session, out, src := begin(t, o, Job{})
			dead := func() bool { return len(out.lost) > 0 }
			for range 400 {
				src.frame()
				out.mu.Lock()
				over := dead()
				out.mu.Unlock()
				if over {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			out.wait(t, "the death", dead)
			d := out.death(0)
			if d == nil || d.Outcome != c.outcome || !strings.Contains(d.Error(), c.want) {
				t.Fatalf("death %v", out.lost[0])
			}
			if len(d.Printed) > printedHead+printedTail+100 {
				t.Errorf("%d bytes of what it printed were kept", len(d.Printed))
			}
			if st := session.Stats(); st.State != Pausing || st.PID != 0 {
				t.Errorf("%+v", st)
			}
			session.Close() // in the middle of a pause
			if err := syscall.Kill(d.PID, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is left: %v", d.PID, err)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("after=3"), Pause: time.Microsecond}, Job{})
	failed := func() bool { return out.failed != nil }
	for i := 0; i < 5000; i++ {
		out.mu.Lock()
		over := failed()
		out.mu.Unlock()
		if over {
			break
		}
		src.session = session
		if session.usable() == nil {
			src.frame()
		}
		time.Sleep(time.Millisecond)
	}
	out.wait(t, "giving up", failed)
	if len(out.lost) != budgetDeaths || !strings.Contains(out.failed.Error(), "gave up") {
		t.Errorf("%d losses, then %v", len(out.lost), out.failed)
	}
	if err := session.Write(media.Placed{Packet: &media.Packet{Track: src.video}}); err == nil {
		t.Error("a failed session takes packets")
	}
	if err := session.Drain(t.Context()); err == nil {
		t.Error("a failed session can be drained")
	}
	if st := session.Stats(); st.State != Failing || st.LastErr == nil || st.PID != 0 {
		t.Errorf("%+v", st)
	}
	if used, _ := (&Supervisor{opts: session.opts}).Load(); used != 0 {
		t.Error("cores stay taken")
	}
}

func TestPoisonIsNotFedTwice(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("good")}, Job{})
	src.payload = func(n int) []byte {
		if n == 5 {
			return []byte("poison")
		}
		return []byte("food")
	}
	src.audio = nil
	for range 8 {
		src.frame()
	}
	// It dies of frame 5; the next one is primed with the same GOP, puts
	// nothing out and dies; the third begins at the next keyframe.
	out.wait(t, "two deaths", func() bool { return len(out.lost) == 2 })
	src.breaks = true
	for session.Stats().PID == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 60 {
		src.frame()
	}
	out.wait(t, "health", func() bool { return len(out.packets["720p"]) >= 5+40 })
	if len(out.lost) != 2 {
		t.Errorf("%d deaths", len(out.lost))
	}
}

func TestFileFailsAtOnce(t *testing.T) {
	plan := planOf(t, Policy{GOPTooLong: true}, h264(1280, 720))
	session, out, src := begin(t, Options{Command: worker("after=5")}, Job{Plan: plan})
	for range 100 {
		src.frame()
	}
	out.wait(t, "failure", func() bool { return out.failed != nil })
	if len(out.lost) != 0 || !strings.Contains(out.failed.Error(), "after all") {
		t.Errorf("lost %v, failed %v", out.lost, out.failed)
	}
	var d *Death
	if err := session.Write(media.Placed{Packet: &media.Packet{Track: src.video}}); !errors.As(err, &d) {
		t.Errorf("write: %v", err)
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
	if d := time.Since(start); d > time.Second {
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

func TestDrainOfADyingWorker(t *testing.T) {
	session, _, src := begin(t, Options{Command: worker("undrained"), Pause: time.Hour}, Job{})
	src.frame()
	go func() {
		for session.Stats().PacketsOut == 0 {
			time.Sleep(time.Millisecond)
		}
		_ = syscall.Kill(session.Stats().PID, syscall.SIGKILL)
	}()
	var d *Death
	if err := session.Drain(t.Context()); !errors.As(err, &d) || d.Outcome != Killed {
		t.Fatal(err)
	}
	if err := session.Drain(t.Context()); err == nil {
		t.Error("drained without a worker")
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

func TestUndrainedFileIsSilent(t *testing.T) {
	plan := planOf(t, Policy{GOPTooLong: true}, h264(640, 360))
	session, _, src := begin(t, Options{Command: worker("undrained"), Silence: 300 * time.Millisecond}, Job{Plan: plan})
	src.frame()
	var d *Death
	if err := session.Drain(t.Context()); !errors.As(err, &d) || d.Outcome != Silent {
		t.Fatal(err)
	}
}

func TestCloseOfADeafWorker(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("deaf"), Grace: 100 * time.Millisecond}, Job{})
	src.frame()
	pid := session.Stats().PID
	start := time.Now()
	session.Close()
	session.Close()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("close took %s", d)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is left: %v", pid, err)
	}
	if len(out.lost) > 0 || out.failed != nil {
		t.Error("a closed session tells its output")
	}
	if err := session.Write(media.Placed{Packet: &media.Packet{Track: src.video}}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if session.Stats().State != Ended {
		t.Error(session.Stats().State)
	}
}

func TestSilenceOfTheSourceIsNoSilenceOfTheWorker(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("good"), Silence: 150 * time.Millisecond}, Job{})
	for range 3 {
		for range 5 {
			src.frame()
		}
		time.Sleep(400 * time.Millisecond) // the publisher pauses
		src.n += 300                       // and its timeline goes on
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(out.lost) > 0 {
		t.Errorf("lost %v", out.lost)
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

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestOverloadIsToldToWorkerAndOutput(t *testing.T) {
	var text lockedBuffer
	var told []Degradation
	session, _, src := begin(t, Options{
		Command: worker("slow"), MaxAge: time.Hour, Logger: slog.New(slog.NewTextHandler(&text, nil)),
	}, Job{
		Plan:     livePlan(t, h264(1280, 720)),
		Degraded: func(d Degradation) { told = append(told, d) },
	})
	for range 150 { // five seconds of media, three of work
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

// TestDeathInEveryState kills the worker wherever a session may be.
func TestDeathInEveryState(t *testing.T) {
	kill := func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
	t.Run("running, nothing written", func(t *testing.T) {
		session, out, _ := begin(t, Options{Command: worker("good")}, Job{})
		kill(session.Stats().PID)
		out.wait(t, "the loss", func() bool { return len(out.lost) == 1 })
	})
	t.Run("queue full", func(t *testing.T) {
		session, out, src := begin(t, Options{Command: worker("hang"), MaxQueue: 10_000}, Job{})
		src.payload = func(int) []byte { return make([]byte, 20_000) }
		for range 100 {
			src.frame()
		}
		kill(session.Stats().PID)
		out.wait(t, "the loss", func() bool { return len(out.lost) == 1 })
	})
	t.Run("file, writer waits", func(t *testing.T) {
		session, out, src := begin(t, Options{Command: worker("hang"), MaxQueue: 10_000},
			Job{Plan: planOf(t, Policy{GOPTooLong: true}, h264(1280, 720))})
		src.payload = func(int) []byte { return make([]byte, 20_000) }
		go func() {
			for session.Stats().QueueBytes == 0 {
				time.Sleep(time.Millisecond)
			}
			kill(session.Stats().PID)
		}()
		for range 100 { // blocks until the worker is dead
			src.frame()
		}
		out.wait(t, "failure", func() bool { return out.failed != nil })
	})
	t.Run("file, writer waits, closed", func(t *testing.T) {
		session, _, src := begin(t, Options{Command: worker("hang"), MaxQueue: 10_000},
			Job{Plan: planOf(t, Policy{GOPTooLong: true}, h264(1280, 720))})
		src.payload = func(int) []byte { return make([]byte, 20_000) }
		go func() {
			for session.Stats().QueueBytes == 0 {
				time.Sleep(time.Millisecond)
			}
			session.Close()
		}()
		for range 100 {
			src.frame()
		}
	})
	t.Run("again and again", func(t *testing.T) {
		session, out, src := begin(t, Options{Command: worker("good")}, Job{})
		for n := 1; n <= budgetDeaths; n++ {
			src.frame()
			for session.Stats().PID == 0 {
				time.Sleep(time.Millisecond)
			}
			kill(session.Stats().PID)
			out.wait(t, "the loss", func() bool { return len(out.lost) == n })
			src.breaks = true
		}
	})
}

func TestNothingIsLeft(t *testing.T) {
	before := len(children(t))
	s := supervise(t, Options{Command: worker("good")})
	fds := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	plan := livePlan(t, h264(640, 360))
	open := 0
	for i := range 20 {
		session, err := s.Start(t.Context(), Job{Name: "test", Plan: plan, Output: newSink()})
		if err != nil {
			t.Fatal(err)
		}
		src := &source{t: t, session: session, video: plan.tracks[0]}
		src.frame()
		session.Close()
		if i == 0 {
			open = fds()
		}
	}
	if now := fds(); now > open {
		t.Errorf("%d descriptors after the first, %d after the last", open, now)
	}
	if now := len(children(t)); now != before {
		t.Errorf("%d children before, %d after", before, now)
	}
}
