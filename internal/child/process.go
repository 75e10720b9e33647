package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a child. Its methods may be called from any goroutine.
type Process struct {
	PID    int
	Conn   net.Conn // the parent's end of the socket
	Logger *slog.Logger

	cmd      *exec.Cmd
	lifeline *os.File // the end of it ends the child
	printed  *printed
	status   func(code int) (Outcome, string)

	life   context.Context // ends when the child is to be killed; the cause is why
	kill   context.CancelCauseFunc
	exited chan struct{} // closed when the process is gone and reaped

	mu   sync.Mutex
	said *Sentence // its last words
}

// LastWords is how long a child may take to exit once it said that it will,
// or hung up.
const LastWords = 2 * time.Second

// Greet waits until hello, which reads from Conn, has seen the child's
// greeting; the child is dead, the limit is over, or ctx is. Where it fails
// the process is gone and Conn closed. A *Sentence that hello returns is the
// child's own word on why it leaves.
func (p *Process) Greet(ctx context.Context, limit time.Duration, hello func() error) error {
	err := p.greet(ctx, limit, hello)
	if err != nil {
		_ = p.Conn.Close()
	}
	return err
}

func (p *Process) greet(ctx context.Context, limit time.Duration, hello func() error) error {
	if err := p.Conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return p.Broken(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Conn.SetReadDeadline(time.Unix(1, 0)) })
	err := hello()
	var said *Sentence
	switch {
	case !stop():
		p.Kill(Closed, "nobody waits for it any more")
		<-p.exited
		return fmt.Errorf("wait for worker: %w", context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.Kill(NeverReady, fmt.Sprintf("it was not ready within %s", limit))
		return p.Death()
	case errors.As(err, &said):
		return p.Condemned(said.Outcome, said.Reason)
	case err != nil:
		return p.Broken(err)
	}
	if err := p.Conn.SetReadDeadline(time.Time{}); err != nil {
		return p.Broken(err)
	}
	return nil
}

// wait reaps the process; it is the goroutine behind exited.
func (p *Process) wait() {
	_ = p.cmd.Wait() // ProcessState has it all
	p.kill(nil)      // frees life; a cause that was there stays
	_ = p.lifeline.Close()
	close(p.exited)
}

// Kill kills the process. The first one to kill it says why.
func (p *Process) Kill(outcome Outcome, reason string) { p.kill(&Sentence{outcome, reason}) }

// EndWith kills the process when ctx ends, until stop is called.
func (p *Process) EndWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { p.Kill(Closed, context.Cause(ctx).Error()) })
}

// Condemned makes a Death of what a child said about its own.
func (p *Process) Condemned(outcome Outcome, reason string) *Death {
	p.mu.Lock()
	p.said = &Sentence{outcome, reason}
	p.mu.Unlock()
	if !p.Exits(LastWords) {
		p.Kill(outcome, reason)
	}
	return p.Death()
}

// Broken makes a Death of a conversation that cannot go on: the child hung up,
// which its exit status explains, or it talks nonsense, for which it is
// killed.
func (p *Process) Broken(err error) *Death {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, net.ErrClosed) {
		p.Kill(Broke, err.Error())
	}
	if !p.Exits(LastWords) {
		p.Kill(Broke, "it hung up and did not leave")
	}
	return p.Death()
}

// Death waits for the end of the process and tells how it came.
func (p *Process) Death() *Death {
	<-p.exited
	p.mu.Lock()
	said := p.said
	p.mu.Unlock()
	return classify(p.PID, context.Cause(p.life), said, p.cmd.ProcessState, p.status, p.printed.String())
}

// Exited is closed when the process is gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Exits reports whether the process is gone within d.
func (p *Process) Exits(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// Stop ends a process that was asked to leave: after grace it is terminated,
// after as much again killed. It returns when the process is gone.
func (p *Process) Stop(grace time.Duration) {
	if !p.Exits(grace) {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if !p.Exits(grace) {
			p.Kill(Closed, "it did not leave when asked")
			<-p.exited
		}
	}
	_ = p.Conn.Close()
}

// CPU is what the process has used; after its end, exactly.
func (p *Process) CPU() time.Duration {
	select {
	case <-p.exited:
		if s := p.cmd.ProcessState; s != nil {
			return s.UserTime() + s.SystemTime()
		}
		return 0
	default:
	}
	u, _ := p.Usage()
	return u.CPU
}

// Usage is what a process holds and has used so far.
type Usage struct {
	RSS int64 // bytes
	CPU time.Duration
}

// Usage reads what the process uses. It reports false where that cannot be
// known: it is gone, or the system does not tell.
func (p *Process) Usage() (Usage, bool) { return usageOf(p.PID) }

// Overweight kills a process that holds more than most bytes.
func (p *Process) Overweight(u Usage, most int64) bool {
	if u.RSS <= most {
		return false
	}
	p.Kill(OutOfMemory, fmt.Sprintf("it holds %d MiB, its ceiling is %d MiB", u.RSS>>20, most>>20))
	return true
}
