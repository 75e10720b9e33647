package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a testing.TB that fails without failing this test.
type recorder struct {
	testing.TB
	failed   bool
	log      strings.Builder
	cleanups []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(f string, a ...any)   { fmt.Fprintf(&r.log, f+"\n", a...) }
func (r *recorder) Errorf(f string, a ...any) { r.failed = true; r.Logf(f, a...) }
func (r *recorder) Error(a ...any)            { r.failed = true; fmt.Fprintln(&r.log, a...) }
func (r *recorder) Fatal(a ...any)            { r.Error(a...); panic(r) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); panic(r) }

// try runs what may fail, then its cleanups.
func (r *recorder) try(f func(testing.TB)) {
	defer func() {
		if p := recover(); p != nil && p != r {
			panic(p)
		}
		for _, c := range slices.Backward(r.cleanups) {
			c()
		}
	}()
	f(r)
}

func TestMissingProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	r := &recorder{TB: t}
	r.try(func(t testing.TB) { Find(t, "gst-launch-1.0") })
	if !r.failed || !strings.Contains(r.log.String(), "make setup-test") || !strings.Contains(r.log.String(), "gstreamer1.0-tools") {
		t.Errorf("said %q", r.log.String())
	}
	if _, err := Lookup("no-such-program"); err == nil {
		t.Error("an unknown program was found")
	}
}

func TestPorts(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		a, pair := FreePort(t), FreePair(t)
		if pair%2 != 0 {
			t.Errorf("pair at odd port %d", pair)
		}
		for _, p := range []int{a, pair, pair + 1} {
			if seen[p] {
				t.Fatalf("port %d was given twice", p)
			}
			seen[p] = true
			l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", p))
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
	}
}

func TestEventually(t *testing.T) {
	n := 0
	Eventually(t, time.Minute, "the third look", func() bool { n++; return n == 3 })
	r := &recorder{TB: t}
	r.try(func(t testing.TB) {
		Eventually(t, 30*time.Millisecond, "what never comes", func() bool { return false })
	})
	if !r.failed || !strings.Contains(r.log.String(), "what never comes") {
		t.Errorf("said %q", r.log.String())
	}
	address := FreeAddress(t)
	r = &recorder{TB: t}
	r.try(func(t testing.TB) { Listening(t, 30*time.Millisecond, address) })
	if !r.failed {
		t.Error("nobody listened, yet it was content")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	Listening(t, time.Minute, address)
}

func TestProcess(t *testing.T) {
	t.Run("ends by itself", func(t *testing.T) {
		p := Start(t, Command{Path: "/bin/sh", Args: []string{"-c", "echo out; echo $WORD >&2; pwd; exit 3"}, Env: []string{"WORD=err"}, Dir: "/"})
		if err := p.Wait(); err == nil || p.ExitCode() != 3 || p.Running() || p.Output() != "out\nerr\n/\n" {
			t.Errorf("error %v, exit code %d, output %q", err, p.ExitCode(), p.Output())
		}
	})
	t.Run("takes files and pipes", func(t *testing.T) {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var stdout bytes.Buffer
		p := Start(t, Command{Path: "/bin/sh", Args: []string{"-c", "cat; echo three >&3"}, Stdin: strings.NewReader("in"), Stdout: &stdout, Files: []*os.File{out}})
		out.Close()
		three, err := io.ReadAll(in)
		if err != nil || p.Wait() != nil || stdout.String() != "in" || string(three) != "three\n" {
			t.Errorf("%v, %v; out %q, three %q", err, p.Wait(), stdout.String(), three)
		}
	})
	t.Run("stops", func(t *testing.T) {
		p := Start(t, Command{Path: "/bin/sh", Args: []string{"-c", `trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done`}})
		Eventually(t, time.Minute, "the trap", func() bool { return p.Output() != "" })
		if !p.Stop(time.Minute) || p.ExitCode() != 0 {
			t.Errorf("did not stop by itself: %v", p.Wait())
		}
		p = Start(t, Command{Path: "/bin/sh", Args: []string{"-c", `trap "" TERM; echo ready; while :; do sleep 0.01; done`}})
		Eventually(t, time.Minute, "the trap", func() bool { return p.Output() != "" })
		if p.Stop(50*time.Millisecond) || p.ExitCode() != -1 {
			t.Errorf("stopped by itself: %v", p.Wait())
		}
	})
	t.Run("dies with its children and its output in the log", func(t *testing.T) {
		r := &recorder{TB: t}
		var p *Process
		var child []int
		r.try(func(tb testing.TB) {
			p = Start(tb, Command{Path: "/bin/sh", Args: []string{"-c", "echo some words >&2; sleep 1000 & wait"}})
			Eventually(t, time.Minute, "the child", func() bool {
				u, err := UsageOf(p.PID())
				child = u.Children
				return err == nil && len(child) == 1
			})
			tb.Fatal("for some reason")
		})
		if !strings.Contains(r.log.String(), "some words") {
			t.Errorf("the log is %q", r.log.String())
		}
		Eventually(t, time.Minute, "the child's end", func() bool {
			state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child[0]))
			return err != nil || strings.Contains(string(state), ") Z ")
		})
	})
	t.Run("gives up rights", func(t *testing.T) {
		p := Start(t, Command{Path: "/usr/bin/id", Args: []string{"-u"}, Unprivileged: true, Dir: "/"})
		if err := p.Wait(); err != nil || os.Geteuid() == 0 && p.Output() != "65534\n" {
			t.Errorf("%v, %q", err, p.Output())
		}
	})
	t.Run("cannot be started", func(t *testing.T) {
		r := &recorder{TB: t}
		r.try(func(t testing.TB) { Start(t, Command{Path: "/no/such/program"}) })
		if !r.failed {
			t.Error("it did not fail")
		}
	})
}

func TestTail(t *testing.T) {
	var l tail
	for i := range 100000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	s := l.String()
	if len(s) > 2*tailSize+8 || !strings.HasSuffix(s, "line 99999\n") || !strings.HasPrefix(s, "…") {
		t.Errorf("%d bytes, from %.20q", len(s), s)
	}
	if got := lastLines("a\nb\nc\n", 2); got != "b; c" {
		t.Error(got)
	}
}

func TestUsage(t *testing.T) {
	u, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.Resident < 1<<20 || len(u.Files) < 3 || u.Threads < 2 {
		t.Errorf("that cannot be: %+v", u)
	}
	p := Start(t, Command{Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & wait"}})
	Eventually(t, time.Minute, "two processes below this one", func() bool {
		tree, err := Tree(os.Getpid())
		return err == nil && len(tree.Children) == len(u.Children)+2 && slices.Contains(tree.Children, p.PID()) && tree.Resident > u.Resident/2
	})
	burn := Start(t, Command{Path: "/bin/sh", Args: []string{"-c", "while :; do :; done"}})
	Eventually(t, time.Minute, "CPU time", func() bool {
		u, err := UsageOf(burn.PID())
		return err == nil && u.CPU > 50*time.Millisecond
	})
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("a process that is not there was found")
	}
}

func TestCheckLeaks(t *testing.T) {
	clean := &recorder{TB: t}
	clean.try(func(t testing.TB) {
		CheckLeaks(t)
		if err := exec.CommandContext(context.Background(), "/bin/true").Run(); err != nil {
			t.Fatal(err)
		}
	})
	if clean.failed {
		t.Errorf("a clean test leaks: %s", clean.log.String())
	}
	leaking := &recorder{TB: t}
	var file *os.File
	child := exec.CommandContext(context.Background(), "/bin/sleep", "1000")
	stop := make(chan struct{})
	leaking.try(func(t testing.TB) {
		CheckLeaks(t)
		var err error
		if file, err = os.Open(os.Args[0]); err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { <-stop }()
	})
	close(stop)
	file.Close()
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	for _, want := range []string{"TestCheckLeaks", filepath.Base(os.Args[0]), fmt.Sprint(child.Process.Pid)} {
		if !strings.Contains(leaking.log.String(), want) {
			t.Errorf("%q is missing in: %s", want, leaking.log.String())
		}
	}
}

func TestY4M(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
		err  bool
	}{
		"gray":      {in: "YUV4MPEG2 W2 H2 F25:1 Ip A0:0 Cmono\nFRAME\nabcdFRAME x\nefgh", want: []string{"abcd", "efgh"}},
		"420":       {in: "YUV4MPEG2 W2 H2\nFRAME\nabcdUV", want: []string{"abcd"}},
		"odd":       {in: "YUV4MPEG2 W1 H1 C420jpeg\nFRAME\naUV", want: []string{"a"}},
		"nothing":   {},
		"no y4m":    {in: "RIFF", err: true},
		"no size":   {in: "YUV4MPEG2 C420\n", err: true},
		"bad size":  {in: "YUV4MPEG2 Wx H2\n", err: true},
		"huge size": {in: "YUV4MPEG2 W99999999 H2\n", err: true},
		"444":       {in: "YUV4MPEG2 W1 H2 C444\nFRAME\nabUUVVFRAME\ncdUUVV", want: []string{"ab", "cd"}},
		"422":       {in: "YUV4MPEG2 W2 H2 C422\n", err: true},
		"cut short": {in: "YUV4MPEG2 W2 H2 Cmono\nFRAME\nabc", err: true},
		"no frame":  {in: "YUV4MPEG2 W2 H2 Cmono\nFRUME\nabcd", err: true},
	} {
		var got []string
		err := readY4M(strings.NewReader(c.in), func(int, int) {}, func(luma []byte) error {
			got = append(got, string(luma))
			return nil
		})
		if !slices.Equal(got, c.want) || (err != nil) != c.err {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	stop := errors.New("stop")
	if err := readY4M(strings.NewReader("YUV4MPEG2 W1 H1 Cmono\nFRAME\na"), func(int, int) {}, func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{`"1.500000"`: 1500 * time.Millisecond, `"-0.080000"`: -80 * time.Millisecond, `"12"`: 12 * time.Second, `"0.000011"`: 11 * time.Microsecond} {
		var s Seconds
		if err := s.UnmarshalJSON([]byte(in)); err != nil || time.Duration(s) != want {
			t.Errorf("%s: got %v, %v", in, time.Duration(s), err)
		}
	}
	for _, in := range []string{`"N/A"`, `""`, `"1.x"`} {
		var s Seconds
		if err := s.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("%s was read as %v", in, time.Duration(s))
		}
	}
}
