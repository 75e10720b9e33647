package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/millrace/millrace/transcode/wire"
)

// launch is what it takes to start a worker process.
type launch struct {
	command []string // program and arguments
	role    wire.Role
	name    string // for logs
	nice    int
	ready   time.Duration // how long it may take to say hello
	logger  *slog.Logger
}

// process is one worker process that said hello. One goroutine may read from
// it and another write to it; the rest may be called from any.
type process struct {
	pid      int
	conn     net.Conn
	in       *wire.Reader
	out      *wire.Writer
	cmd      *exec.Cmd
	lifeline *os.File // the end of it ends the worker
	printed  *printed
	logger   *slog.Logger

	life   context.Context // ends when the worker is to be killed; the cause is why
	kill   context.CancelCauseFunc
	exited chan struct{} // closed when the process is gone and reaped

	mu   sync.Mutex
	said *wire.Error // its last words
}

// start starts a worker process and waits until it says hello, is dead, the
// time for it is over, or ctx is. Where it fails nothing is left of it. ctx
// does not bound the life of the process.
func (l launch) start(ctx context.Context) (*process, error) {
	p, err := l.spawn(ctx)
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	if err := p.greet(ctx, l.ready); err != nil {
		_ = p.conn.Close()
		return nil, fmt.Errorf("start worker: %w", err)
	}
	return p, nil
}

func (l launch) spawn(ctx context.Context) (*process, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	conn, err := net.FileConn(ours)
	_ = ours.Close() // conn has a descriptor of its own
	if err != nil {
		return nil, fmt.Errorf("use socket pair: %w", err)
	}
	pipe, lifeline, err := os.Pipe()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("make lifeline: %w", err)
	}
	defer func() { _ = pipe.Close() }()

	p := &process{
		conn: conn, in: wire.NewReader(conn, wire.FromWorker), out: wire.NewWriter(conn),
		lifeline: lifeline, printed: new(printed), logger: l.logger, exited: make(chan struct{}),
	}
	life, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	p.life, p.kill = life, kill
	p.cmd = exec.CommandContext(life, l.command[0], l.command[1:]...)
	p.cmd.Args[0] = filepath.Base(p.cmd.Path)
	p.cmd.Env = []string{} // nothing of the server's, secrets least of all
	p.cmd.Stdout, p.cmd.Stderr = p.printed, p.printed
	p.cmd.ExtraFiles = []*os.File{theirs, pipe}
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = time.Second
	err = p.cmd.Start()
	if err == nil {
		p.pid = p.cmd.Process.Pid
		p.renice(l.nice)
		go p.wait()
		config := &wire.Config{Role: l.role, Name: l.name, LogLevel: int(level(ctx, l.logger))}
		if err := wire.NewWriter(lifeline).Write(config); err != nil {
			// It died at once; greet finds out why.
			p.logger.Debug("worker took no configuration", "err", err)
		}
		return p, nil
	}
	p.kill(nil)
	_ = conn.Close()
	_ = lifeline.Close()
	return nil, err
}

// renice is for the whole group: a Go process has threads before it runs a
// line of its own.
func (p *process) renice(nice int) {
	if nice == 0 {
		return
	}
	if err := syscall.Setpriority(syscall.PRIO_PGRP, p.pid, nice); err != nil {
		p.logger.Debug("renice worker", "pid", p.pid, "err", err)
	}
}

// wait reaps the process; it is the goroutine behind exited.
func (p *process) wait() {
	_ = p.cmd.Wait() // ProcessState has it all
	p.kill(nil)      // frees life; a cause that was there stays
	_ = p.lifeline.Close()
	close(p.exited)
}

// greet waits for Hello. Where it fails the process is gone.
func (p *process) greet(ctx context.Context, limit time.Duration) error {
	if err := p.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return p.broken(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) })
	m, err := p.in.Read()
	if !stop() {
		p.kill(&sentence{Closed, "nobody waits for it any more"})
		<-p.exited
		return fmt.Errorf("wait for worker: %w", context.Cause(ctx))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.kill(&sentence{NeverReady, fmt.Sprintf("it was not ready within %s", limit)})
		return p.death()
	}
	if err != nil {
		return p.broken(err)
	}
	switch m := m.(type) {
	case *wire.Hello:
	case *wire.Error:
		return p.condemned(m)
	default:
		return p.broken(fmt.Errorf("its first message is of type %d", m.Type()))
	}
	if err := p.conn.SetReadDeadline(time.Time{}); err != nil {
		return p.broken(err)
	}
	return nil
}

// lastWords is how long a worker may take to exit once it said that it will,
// or hung up.
const lastWords = 2 * time.Second

// condemned makes a Death of what a worker said about its own.
func (p *process) condemned(said *wire.Error) *Death {
	p.mu.Lock()
	p.said = said
	p.mu.Unlock()
	if !p.exits(lastWords) {
		p.kill(&sentence{ofClass(said.Class), said.Error()})
	}
	return p.death()
}

// broken makes a Death of a conversation that cannot go on: the worker hung
// up, which its exit status explains, or it talks nonsense, for which it is
// killed.
func (p *process) broken(err error) *Death {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, net.ErrClosed) {
		p.kill(&sentence{Broke, err.Error()})
	}
	if !p.exits(lastWords) {
		p.kill(&sentence{Broke, "it hung up and did not leave"})
	}
	return p.death()
}

// death waits for the end of the process and tells how it came.
func (p *process) death() *Death {
	<-p.exited
	p.mu.Lock()
	said := p.said
	p.mu.Unlock()
	return classify(p.pid, context.Cause(p.life), said, p.cmd.ProcessState, p.printed.String())
}

// exits reports whether the process is gone within d.
func (p *process) exits(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// stop ends a process that was asked to leave: after grace it is terminated,
// after as much again killed. It returns when the process is gone.
func (p *process) stop(grace time.Duration) {
	if !p.exits(grace) {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if !p.exits(grace) {
			p.kill(&sentence{Closed, "it did not leave when asked"})
			<-p.exited
		}
	}
	_ = p.conn.Close()
}

// cpu is what the process has used; after its end, exactly.
func (p *process) cpu() time.Duration {
	select {
	case <-p.exited:
		if s := p.cmd.ProcessState; s != nil {
			return s.UserTime() + s.SystemTime()
		}
		return 0
	default:
	}
	u, _ := usageOf(p.pid)
	return u.cpu
}

// socketPair returns the two ends of a stream socket; neither is inherited
// unless asked for.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "parent"), nil
}

// level is the lowest level that logger takes.
func level(ctx context.Context, logger *slog.Logger) slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if logger.Enabled(ctx, l) {
			return l
		}
	}
	return slog.LevelError
}
