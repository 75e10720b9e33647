package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

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
	if _, err := start(); !errors.Is(err, ErrOverloaded) || !errors.Is(s.Affords(plan), ErrOverloaded) {
		t.Fatalf("a third: %v", err)
	}
	if err := s.Affords(planOf(t, Policy{Live: true}, h264(640, 360))); err != nil {
		t.Errorf("copies cost nothing: %v", err)
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

func TestCloseOfADeafWorker(t *testing.T) {
	session, out, src := begin(t, Options{Command: worker("deaf"), Grace: 100 * time.Millisecond}, Job{})
	src.frame()
	pid := session.Stats().PID
	start := time.Now()
	session.Close()
	session.Close()
	if d := time.Since(start); d > 10*time.Second {
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

func TestWorkersDieWithTheirParent(t *testing.T) {
	for _, mode := range []string{"good", "hang", "deaf"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			parent := exec.CommandContext(t.Context(), os.Args[0], "parent", mode)
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			if _, err := fmt.Fscan(out, &pid); err != nil {
				t.Fatal(err)
			}
			if !alive(pid) {
				t.Fatalf("process %d does not live", pid)
			}
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait()
			for limit := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(limit) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
					t.Fatal("the worker outlives its parent")
				}
			}
		})
	}
}

// alive reports whether there is a process that is not only waiting to be
// reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
