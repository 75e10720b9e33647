package transcode

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
)

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
			if len(d.Printed) > 32<<10 {
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
	if len(out.lost) != child.Deaths || !strings.Contains(out.failed.Error(), "gave up") {
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

func TestUndrainedFileIsSilent(t *testing.T) {
	plan := planOf(t, Policy{GOPTooLong: true}, h264(640, 360))
	session, _, src := begin(t, Options{Command: worker("undrained"), Silence: 300 * time.Millisecond}, Job{Plan: plan})
	src.frame()
	var d *Death
	if err := session.Drain(t.Context()); !errors.As(err, &d) || d.Outcome != Silent {
		t.Fatal(err)
	}
}

func TestSilenceOfTheSourceIsNoSilenceOfTheWorker(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("good"), Silence: 600 * time.Millisecond}, Job{})
	for range 3 {
		for range 5 {
			src.frame()
		}
		time.Sleep(900 * time.Millisecond) // the publisher pauses
		src.n += 300                       // and its timeline goes on
	}
	if err := session.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(out.lost) > 0 {
		t.Errorf("lost %v", out.lost)
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
		for n := 1; n <= child.Deaths; n++ {
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
