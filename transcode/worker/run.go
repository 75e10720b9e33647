package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// Run is the life of a worker process, started by a parent that left the
// descriptors of transcode/wire open. It returns the exit code, which is one
// of wire's and never 2. When the lifeline ends it ends the process at once:
// nothing in Go can stop a call into C that does not return.
//
// others do the work of the roles that this package knows nothing of; like
// Serve they return an exit code.
func Run(ctx context.Context, others map[wire.Role]Role) int {
	lifeline := os.NewFile(wire.LifelineFD, "lifeline")
	file := os.NewFile(wire.SocketFD, "socket")
	if lifeline == nil || file == nil {
		return usage(errors.New("a worker is started by the server, not by hand"))
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return usage(fmt.Errorf("a worker is started by the server, not by hand: %w", err))
	}
	_ = file.Close() // conn has a descriptor of its own
	defer func() { _ = conn.Close() }()
	first := wire.NewReader(lifeline, wire.FromLifeline)
	m, err := first.Read()
	if err != nil {
		return usage(fmt.Errorf("read configuration: %w", err))
	}
	go func() {
		// Owned by the process: it ends with it.
		_, _ = first.Read()
		os.Exit(wire.ExitOrphan)
	}()
	config, ok := m.(*wire.Config)
	if !ok {
		return usage(fmt.Errorf("message %d on the lifeline", m.Type()))
	}
	if other := others[config.Role]; other != nil {
		return other(ctx, config, conn)
	}
	return Serve(ctx, config, conn)
}

// Role does a worker's work over conn, which ends when ctx does, and returns
// the exit code.
type Role func(ctx context.Context, config *wire.Config, conn net.Conn) int

func usage(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, "millrace worker:", err)
	return wire.ExitUsage
}

// Serve does a worker's work over conn, which ends when ctx does, and returns
// the exit code. It is Run without the process, for tests; FFmpeg's log is the
// process's all the same.
func Serve(ctx context.Context, config *wire.Config, conn net.Conn) int {
	s := newSender(conn, slog.Level(config.LogLevel))
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	l := startLogs(s)
	defer l.stop()
	err := serve(ctx, config, conn, s)
	if err == nil || parted(err) {
		return wire.ExitDone
	}
	f := classify("", err)
	// If it cannot be sent, the exit code says it.
	_ = s.send(f)
	return f.Class.ExitCode()
}

func serve(ctx context.Context, config *wire.Config, conn net.Conn, s *sender) error {
	if err := s.send(&wire.Hello{PID: os.Getpid(), FFmpeg: libav.Version()}); err != nil {
		return err
	}
	r := wire.NewReader(conn, wire.FromParent)
	switch config.Role {
	case wire.RoleStream:
		return serveStream(ctx, conn, r, s)
	case wire.RoleInput:
		return serveInput(ctx, r, s)
	case wire.RoleThumbnail:
		return serveThumbnails(r, s)
	}
	return protocol(fmt.Errorf("unknown role %q", config.Role))
}
