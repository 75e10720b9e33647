package worker

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// TestMain is a worker process when the supervisor starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(Run(context.Background(), nil))
	}
	goleak.VerifyTestMain(m)
}

// sink is an Output that keeps everything.
type sink struct {
	mu      sync.Mutex
	packets map[string][]media.Placed
	lost    chan error
	failed  chan error
}

func newSink() *sink {
	return &sink{packets: make(map[string][]media.Placed), lost: make(chan error, 8), failed: make(chan error, 8)}
}

func (s *sink) Packet(rendition string, p media.Placed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packets[rendition] = append(s.packets[rendition], p)
}
func (s *sink) WorkerLost(err error) { s.lost <- err }
func (s *sink) Failed(err error)     { s.failed <- err }

func (s *sink) count(rendition string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.packets[rendition])
}

func supervisor(t testing.TB) *transcode.Supervisor {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := transcode.NewSupervisor(transcode.Options{Command: []string{self, "worker"}, Cores: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRealProcess runs planner, supervisor and a worker process together, and
// kills the worker.
func TestRealProcess(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=320x180:r=25:d=6", "sine=1000:d=6", "-c:a", "libopus")
	plan, err := transcode.NewPlan(tracks, transcode.Policy{
		Mode: transcode.Explicit, Rungs: []transcode.Rung{{Height: 180}, {Height: 90}}, Live: true, LowLatency: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := newSink()
	s, err := supervisor(t).Start(t.Context(), transcode.Job{Name: "test", Plan: plan, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	segment, discontinuity, next := uint64(10), uint64(10), int64(0)
	killed, broken := false, false
	pace := time.NewTicker(4 * time.Millisecond) // some three times as fast as real
	defer pace.Stop()
	for _, p := range packets {
		if p.Track.Kind == media.Video && p.PTS >= next {
			segment++
			if broken || next == 0 {
				discontinuity++
				broken = false
			}
			next = p.PTS + int64(p.Track.ClockRate)
			s.Cut(media.Cut{Segment: segment, Discontinuity: discontinuity, PTS: p.PTS, ClockRate: p.Track.ClockRate})
		}
		if err := s.Write(media.Placed{Packet: p, Segment: segment, Discontinuity: discontinuity}); err != nil {
			t.Fatal(err)
		}
		if !killed && out.count("180p") > 60 {
			killed, broken = true, true
			if err := syscall.Kill(s.Stats().PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-out.lost:
				t.Log(err)
			case <-time.After(10 * time.Second):
				t.Fatal("nobody noticed")
			}
		}
		<-pace.C
	}
	waitFor(t, func() bool {
		return s.Drain(t.Context()) == nil
	})
	if !killed {
		t.Fatal("nothing came out before the end")
	}
	for _, name := range []string{"180p", "90p", "audio"} {
		by := map[uint64]int{}
		for _, p := range out.packets[name] {
			by[p.Discontinuity]++
		}
		if by[11] == 0 || by[12] == 0 {
			t.Errorf("%s: packets by discontinuity %v", name, by)
		}
	}
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestOrphan closes the lifeline of a worker that is busy with nothing.
func TestOrphan(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := socketPair(t)
	defer func() { _ = ours.Close() }()
	file, err := theirs.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	read, lifeline, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "worker")
	cmd.ExtraFiles = []*os.File{file, read}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = file.Close(), read.Close()
	if err := wire.NewWriter(lifeline).Write(&wire.Config{Role: wire.RoleStream, Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if m, err := wire.NewReader(ours, wire.FromWorker).Read(); err != nil || m.Type() != wire.TypeHello {
		t.Fatalf("%v, %v", m, err)
	}
	_ = lifeline.Close()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != wire.ExitOrphan {
		t.Errorf("left with %d", code)
	}
}

// TestByHand starts a worker without a parent.
func TestByHand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "worker")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != wire.ExitUsage || len(out) == 0 || bytes.Count(out, []byte("\n")) != 1 {
		t.Errorf("left with %d and %q", code, out)
	}
}
