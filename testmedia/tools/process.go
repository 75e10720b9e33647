package tools

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Command says what Start runs.
type Command struct {
	Path string
	Args []string
	Env  []string // besides the test's own
	Dir  string

	Stdin  io.Reader
	Stdout io.Writer // nil: kept with what comes on standard error
	Files  []*os.File

	// Unprivileged gives up root's rights where the test has them, for
	// programs that refuse to run as root.
	Unprivileged bool
}

const nobody = 65534 // the user without rights, and its group

// Process is a running program. It ends with the test at the latest, together
// with all processes of its own. Methods may be called from any goroutine.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  tail
	done chan struct{}
	err  error // once done is closed
}

// Start runs a program until the test ends. When the test has failed by then,
// the end of what the program wrote to standard error is in the test's log.
func Start(t testing.TB, c Command) *Process {
	t.Helper()
	p := &Process{name: filepath.Base(c.Path), done: make(chan struct{})}
	p.cmd = exec.Command(c.Path, c.Args...) //nolint:noctx // ended by Kill, which ends its children too
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.Dir = c.Dir
	p.cmd.Stdin = c.Stdin
	p.cmd.Stdout = c.Stdout
	if c.Stdout == nil {
		p.cmd.Stdout = &p.log
	}
	p.cmd.Stderr = &p.log
	p.cmd.ExtraFiles = c.Files
	p.cmd.WaitDelay = 5 * time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.Unprivileged && os.Geteuid() == 0 {
		p.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() { // ends with the process, which Cleanup waits for
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s %s\n%v; it said:\n%s", p.name, strings.Join(c.Args, " "), p.err, p.Output())
		}
	})
	return p
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the process, and returns what exec.Cmd.Wait says
// together with the last lines of its standard error.
func (p *Process) Wait() error {
	<-p.done
	if p.err != nil {
		return fmt.Errorf("run %s: %w: %s", p.name, p.err, lastLines(p.Output(), 3))
	}
	return nil
}

// Ends waits for the end of the process, and kills it when it has not ended
// within the time. It reports whether it ended by itself.
func (p *Process) Ends(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		p.Kill()
		return false
	}
}

// ExitCode is that of an ended process, -1 for one that a signal ended.
func (p *Process) ExitCode() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// Output is the end of what it wrote to standard error, and to standard output
// where that was not taken.
func (p *Process) Output() string { return p.log.String() }

// Signal sends a signal to the process alone.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Kill ends the process and its children by SIGKILL, as a crash would, and
// waits for it.
func (p *Process) Kill() {
	// The group's number stays taken while Wait has not been answered.
	if p.Running() {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	<-p.done
}

// Stop asks the process to end by SIGTERM and kills it when it has not within
// the time. It reports whether it ended by itself.
func (p *Process) Stop(within time.Duration) bool {
	_ = p.Signal(syscall.SIGTERM)
	return p.Ends(within)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
	cut bool
}

const tailSize = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
		t.cut = true
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := string(t.buf)
	if t.cut {
		s = "…" + s
	}
	return s
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "; ")
}
