package child

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Descriptors that a child finds open; see the package comment.
const (
	SocketFD   = 3
	LifelineFD = 4
	FilesFD    = 5
)

// Launch is what it takes to start a child.
type Launch struct {
	Command []string // program and arguments
	Nice    int
	Logger  *slog.Logger

	// Files are further descriptors that the child finds open, from FilesFD
	// on. They are the caller's to close.
	Files []*os.File

	// Configure writes what the child is to know before all else to its
	// lifeline; nil writes nothing. An error is logged: a child that takes no
	// configuration says nothing, and its death tells why.
	Configure func(lifeline io.Writer) error

	// Status says what an exit status means; nil knows 0 (finished) and takes
	// all others for crashes.
	Status func(code int) (Outcome, string)
}

// Spawn starts a process. ctx does not bound its life.
func (l Launch) Spawn(ctx context.Context) (*Process, error) {
	ours, theirs, err := SocketPair()
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

	p := &Process{
		Conn: conn, Logger: l.Logger,
		lifeline: lifeline, printed: new(printed), exited: make(chan struct{}), status: l.Status,
	}
	life, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	p.life, p.kill = life, kill
	p.cmd = exec.CommandContext(life, current(l.Command[0]), l.Command[1:]...)
	p.cmd.Args[0] = filepath.Base(l.Command[0])
	p.cmd.Env = []string{} // nothing of the server's, secrets least of all
	p.cmd.Stdout, p.cmd.Stderr = p.printed, p.printed
	p.cmd.ExtraFiles = append([]*os.File{theirs, pipe}, l.Files...)
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		p.kill(nil)
		_ = conn.Close()
		_ = lifeline.Close()
		return nil, err
	}
	p.PID = p.cmd.Process.Pid
	p.renice(l.Nice)
	go p.wait()
	if l.Configure != nil {
		if err := l.Configure(lifeline); err != nil {
			l.Logger.Debug("worker took no configuration", "err", err)
		}
	}
	return p, nil
}

// renice is for the whole group: a Go process has threads before it runs a
// line of its own.
func (p *Process) renice(nice int) {
	if nice == 0 {
		return
	}
	if err := syscall.Setpriority(syscall.PRIO_PGRP, p.PID, nice); err != nil {
		p.Logger.Debug("renice worker", "pid", p.PID, "err", err)
	}
}

// SocketPair returns the two ends of a stream socket; neither is inherited
// unless asked for.
func SocketPair() (ours, theirs *os.File, err error) {
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

// Level is the lowest level that logger takes.
func Level(ctx context.Context, logger *slog.Logger) slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if logger.Enabled(ctx, l) {
			return l
		}
	}
	return slog.LevelError
}
