package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/jsapi/loop"
	worker "github.com/millrace/millrace/transcode/wire"
)

// Serve is the life of an app's process: it runs the script that the server
// names over conn, until the server wants it to leave, and returns the exit
// code, one of the worker's.
func Serve(ctx context.Context, config *worker.Config, conn net.Conn) int {
	conns, err := connections()
	if err != nil {
		fmt.Fprintln(os.Stderr, "millrace worker:", err)
		return worker.ExitUsage
	}
	defer func() { _ = conns.Close() }()
	return serve(ctx, config, conn, conns)
}

// connections is the socket that brings connections for the HTTP server.
func connections() (*net.UnixConn, error) {
	file := os.NewFile(wire.ConnsFD, "connections")
	conn, err := net.FileConn(file)
	_ = file.Close() // conn has a descriptor of its own
	if err != nil {
		return nil, fmt.Errorf("take over the socket of connections: %w", err)
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("take over the socket of connections: it is a %T", conn)
	}
	return unix, nil
}

// serve is Serve with its sockets given, for tests.
func serve(ctx context.Context, config *worker.Config, conn net.Conn, conns *net.UnixConn) int {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s := &server{out: wire.NewWriter(conn), level: slog.Level(config.LogLevel)}
	err := s.serve(ctx, conn, conns)
	if err == nil {
		return worker.ExitDone
	}
	failed := failedBy(err)
	// If it cannot be sent, the exit code says it.
	_ = s.write(failed)
	if failed.Code == codeMemory {
		return worker.ExitMemory
	}
	return worker.ExitInternal
}

// Codes of wire.Failed; see there.
const (
	codeCompile = "COMPILE"
	codeMemory  = "MEMORY"
)

// server is the other end, as the app's process sees it.
type server struct {
	level slog.Level

	mu     sync.Mutex
	out    *wire.Writer
	closed error
	nextID uint64
	asked  map[uint64]chan *wire.Reply
}

// write sends a frame.
func (s *server) write(f wire.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(f)
}

// errLeave ends the script in good order: the server said Bye, or hung up.
var errLeave = errors.New("the server is done with this app")

func (s *server) serve(ctx context.Context, conn net.Conn, conns *net.UnixConn) error {
	if err := s.write(&wire.Hello{PID: os.Getpid()}); err != nil {
		return err
	}
	in := wire.NewAppReader(conn)
	f, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	start, ok := f.(*wire.Start)
	if !ok {
		return fmt.Errorf("a frame of type %d before Start", f.Type())
	}
	code, err := compile.File(start.Script, compile.Options{})
	if err != nil {
		return &broken{err: err, script: start.Script}
	}
	a, err := newApp(s, start, code) //nolint:contextcheck // the loop has its own
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var both sync.WaitGroup
	both.Go(func() { a.accept(conns) })
	both.Go(func() {
		if err := a.read(in); err != nil {
			a.loop.Interrupt(err)
		}
	})
	err = a.run(ctx)
	_ = conns.Close()
	// What read waits for is of no interest any more.
	_ = conn.SetReadDeadline(time.Now())
	s.abandon()
	both.Wait()
	if errors.Is(err, errLeave) {
		return nil
	}
	return a.described(err)
}

// ask asks the server for something and waits for the reply.
func (s *server) ask(ctx context.Context, method string, args []byte) (*wire.Reply, error) {
	answer := make(chan *wire.Reply, 1)
	s.mu.Lock()
	if s.closed != nil {
		s.mu.Unlock()
		return nil, s.closed
	}
	if s.asked == nil {
		s.asked = make(map[uint64]chan *wire.Reply)
	}
	s.nextID++
	id := s.nextID
	s.asked[id] = answer
	err := s.out.Write(&wire.Request{ID: id, Method: method, Args: args})
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r, ok := <-answer:
		if !ok {
			return nil, errLeave
		}
		if r.Error != nil {
			return nil, &loop.Error{Code: r.Error.Code, Message: r.Error.Message}
		}
		return r, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *server) replied(r *wire.Reply) {
	s.mu.Lock()
	answer := s.asked[r.ID]
	delete(s.asked, r.ID)
	s.mu.Unlock()
	if answer != nil {
		answer <- r
	}
}

// abandon lets nobody wait for a reply any more.
func (s *server) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = errLeave
	for id, answer := range s.asked {
		delete(s.asked, id)
		close(answer)
	}
}

// log writes a line of the script's output, or of this process.
func (s *server) log(level slog.Level, message string, attrs map[string]string) {
	if level < s.level {
		return
	}
	_ = s.write(&wire.Log{Level: int(level), Message: message, Attrs: attrs}) // nobody is left to tell
}
