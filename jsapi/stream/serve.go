package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// World is what a script's process has besides the script.
type World struct {
	Engine transcode.Engine
	// Exit ends the process with an exit code, where nothing less stops the
	// script.
	Exit func(code int)
}

// Serve runs a script as its parent asks over conn, which ends when ctx does,
// and returns the exit code, one of wire's.
func Serve(ctx context.Context, config *wire.Config, conn net.Conn, world World) int {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	w := &writer{w: wire.NewWriter(conn), level: slog.Level(config.LogLevel)}
	err := serve(ctx, conn, w, world)
	if err == nil || parted(err) {
		return wire.ExitDone
	}
	said := saying(err)
	// If it cannot be sent, the exit code says it.
	_ = w.send(said)
	return said.Class.ExitCode()
}

// parted reports whether the parent closed its end, which is one way to say
// Bye.
func parted(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed)
}

// protocol blames the other side for what it sent, unless it has left.
func protocol(err error) error {
	if parted(err) {
		return err
	}
	return &wire.Error{Class: wire.ClassProtocol, Message: err.Error()}
}

func serve(ctx context.Context, conn net.Conn, w *writer, world World) error {
	if err := w.send(&wire.Hello{PID: os.Getpid()}); err != nil {
		return err
	}
	r := wire.NewPaddedReader(conn, wire.FromParent)
	m, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return protocol(err)
	}
	switch m := m.(type) {
	case *wire.ScriptJob:
		c, err := newConversation(m, conn, r, w, world) //nolint:contextcheck // a loop has a context of its own
		if err != nil {
			return err
		}
		return c.run(ctx)
	case *wire.Bye:
		return w.send(&wire.Bye{})
	}
	return protocol(fmt.Errorf("message %d before the job", m.Type()))
}

// errLeft ends a conversation in good order: the parent said Bye, or hung up.
var errLeft = errors.New("the server wants no more of it")

// conversation is one script's with its parent: a goroutine reads, one runs
// the script, one looks after both.
type conversation struct {
	job    *wire.ScriptJob
	conn   net.Conn
	reader *wire.Reader
	w      *writer
	source *source
	script *script
	sinks  *sinks

	mu   sync.Mutex
	here bool // the publisher is there
}

func newConversation(job *wire.ScriptJob, conn net.Conn, r *wire.Reader, w *writer, world World) (*conversation, error) {
	c := &conversation{job: job, conn: conn, reader: r, w: w, source: newSource(job.Tracks, began(job)), here: true}
	c.sinks = newSinks(job, w, world.Engine)
	c.sinks.behind = c.source.behind
	var err error
	c.script, err = newScript(c, world)
	return c, err
}

// run lasts as long as the script, and longer: until the parent, who was told
// that nothing more comes, leaves.
func (c *conversation) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	all.Go(func() {
		if err := c.read(ctx); err != nil {
			cancel(err)
		}
	})
	all.Go(func() { c.look(ctx) })
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.SetReadDeadline(time.Now()) // ends the Read that read is in
	})
	defer stop()
	err := c.script.run(ctx)
	c.sinks.close()
	switch {
	case errors.Is(context.Cause(ctx), errLeft):
		err = nil
	case err == nil && c.source.over():
		err = c.w.send(&wire.Drained{})
		if err == nil {
			<-ctx.Done() // until Bye, or the end of the socket
			err = context.Cause(ctx)
		}
	case err == nil && ctx.Err() == nil:
		err = early()
	case err == nil:
		err = context.Cause(ctx)
	}
	cancel(err)
	all.Wait()
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
}

// read takes in messages until there are no more or ctx ends.
func (c *conversation) read(ctx context.Context) error {
	for {
		m, err := c.reader.Read()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.EOF):
			return errLeft
		case err != nil:
			return protocol(err)
		}
		if err := c.take(m); err != nil {
			return err
		}
	}
}

func (c *conversation) take(m wire.Message) error {
	switch m := m.(type) {
	case *wire.Track:
		if err := c.source.announce(m); err != nil {
			return protocol(err)
		}
	case *wire.Packet:
		if err := c.source.put(m); err != nil {
			return protocol(err)
		}
	case *wire.Presence:
		c.mu.Lock()
		c.here = m.Here
		c.mu.Unlock()
		c.script.presence(m.Here)
	case *wire.SenderClock:
		c.sinks.sender.Tell(m.Zero, m.Anew)
	case *wire.Handover:
		c.sinks.handover(m)
	case *wire.Script:
		c.script.hear(m)
	case *wire.Drain:
		c.source.end()
	case *wire.Bye:
		_ = c.w.send(&wire.Bye{})
		return errLeft
	default:
		return protocol(fmt.Errorf("message %d to a script worker", m.Type()))
	}
	return nil
}

const (
	lookEvery = 250 * time.Millisecond
	// restful is how long nothing has to come of a script whose publisher has
	// left before what it made so far is closed.
	restful = time.Second
)

// look has the script tell that it gives way, and closes what a publisher
// left open.
func (c *conversation) look(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if n%4 == 0 {
			c.script.beat(c.source.stats())
		}
		c.mu.Lock()
		here := c.here
		c.mu.Unlock()
		if !here {
			c.sinks.rest(restful)
		}
	}
}
