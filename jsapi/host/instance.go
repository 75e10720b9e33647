package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/jsapi/host/wire"
	worker "github.com/millrace/millrace/transcode/wire"
)

// instance is one process of the app.
type instance struct {
	h     *Host
	p     *child.Process
	in    *wire.Reader
	out   *outbox
	conns *net.UnixConn // gives it connections

	hooks  atomic.Pointer[wire.Hooks]
	ready  chan struct{} // closed when the script has run
	gone   chan struct{} // closed when nothing of it is left
	inputs []string      // valid once ready is closed
	ponged atomic.Uint64

	mu     sync.Mutex
	calls  map[uint64]chan *wire.Answer
	nextID uint64
	failed *wire.Failed
	death  error // valid once gone is closed
}

// failure is why a process of the app ended.
type failure struct {
	death *child.Death
	said  *wire.Failed // nil where it did not say
}

func (f *failure) Error() string {
	if f.said == nil {
		return f.death.Error()
	}
	if f.said.Position != "" {
		return f.said.Message + " (" + f.said.Position + ")"
	}
	return f.said.Message
}

func (f *failure) Unwrap() error { return f.death }

// hopeless reports that the same script would fail again in the same way.
func (f *failure) hopeless() bool { return f.said != nil && f.said.Code == codeCompile }

// Codes of wire.Failed.
const (
	codeCompile = "COMPILE"
	codeMemory  = "MEMORY"
)

// launch starts a process and tells it what to run. Its goroutines end with
// it, and close gone.
func (h *Host) launch(ctx context.Context) (*instance, error) {
	ours, theirs, err := child.SocketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	conn, err := net.FileConn(ours)
	_ = ours.Close() // conn has a descriptor of its own
	if err != nil {
		return nil, fmt.Errorf("use socket pair: %w", err)
	}
	conns, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("use socket pair: it is a %T", conn)
	}
	launch := child.Launch{
		Command: h.opts.Command, Logger: h.logger(), Files: nil, Status: ofExit,
		Configure: func(lifeline io.Writer) error {
			level := int(child.Level(ctx, h.logger()))
			return worker.NewWriter(lifeline).Write(&worker.Config{Role: worker.RoleApp, Name: "app", LogLevel: level})
		},
	}
	launch.Files = append(launch.Files, theirs)
	p, err := launch.Spawn(ctx)
	if err != nil {
		_ = conns.Close()
		return nil, fmt.Errorf("start the app: %w", err)
	}
	i := &instance{
		h: h, p: p, in: wire.NewServerReader(p.Conn), out: newOutbox(p.Conn), conns: conns,
		ready: make(chan struct{}), gone: make(chan struct{}), calls: make(map[uint64]chan *wire.Answer),
	}
	script, env := h.given()
	i.out.put(&wire.Start{
		Script: script, Env: env, Version: h.opts.Version, LogLevel: int(child.Level(ctx, h.logger())),
	})
	h.work.Go(i.live)
	return i, nil
}

func ofExit(code int) (child.Outcome, string) {
	switch code {
	case worker.ExitDone:
		return child.Finished, ""
	case worker.ExitMemory:
		return child.OutOfMemory, "the script took too much memory"
	case worker.ExitOrphan:
		return child.Killed, "it lost its parent"
	}
	return child.Crashed, fmt.Sprintf("exit status %d", code)
}

// live carries the process from its start to its end.
func (i *instance) live() {
	var both sync.WaitGroup
	both.Go(i.out.run)
	both.Go(i.read)
	i.watch()
	i.out.close()
	// What it said before it died is still in the socket.
	_ = i.p.Conn.SetReadDeadline(time.Now().Add(child.LastWords))
	both.Wait()
	i.p.Stop(i.h.opts.Grace)
	_ = i.conns.Close()

	i.mu.Lock()
	i.death = &failure{death: i.p.Death(), said: i.failed}
	for id, answer := range i.calls {
		delete(i.calls, id)
		close(answer)
	}
	i.mu.Unlock()
	close(i.gone)
}

// watch returns when the process is gone, which it sees to where it must.
func (i *instance) watch() {
	o := &i.h.opts
	ticker := time.NewTicker(min(o.Silence/8, time.Second))
	defer ticker.Stop()
	started := time.Now()
	var pinged uint64
	var since time.Time // of the ping that is not answered
	ready := false
	for {
		select {
		case <-i.p.Exited():
			return
		case <-ticker.C:
		}
		if u, ok := i.p.Usage(); ok && i.p.Overweight(u, o.MaxRSS) {
			continue
		}
		if !ready {
			select {
			case <-i.ready:
				ready = true
			default:
				if time.Since(started) > o.Ready {
					i.p.Kill(child.NeverReady, fmt.Sprintf("the script was not through its first run within %s", o.Ready))
				}
				continue
			}
		}
		switch {
		case i.ponged.Load() == pinged:
			pinged, since = pinged+1, time.Now()
			i.out.put(&wire.Ping{N: pinged})
		case time.Since(since) > o.Silence:
			i.p.Kill(child.Silent, fmt.Sprintf("its event loop has not answered for %s", o.Silence))
		}
	}
}

// read takes what the process says until it ends, or talks nonsense.
func (i *instance) read() {
	lines := relay{log: i.h.logger(), pid: i.p.PID}
	for {
		f, err := i.in.Read()
		if err == nil {
			err = i.take(f, &lines)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !i.p.Exits(child.LastWords) {
				i.p.Kill(child.Broke, err.Error())
			}
			if errors.Is(err, io.EOF) && !i.p.Exits(child.LastWords) {
				i.p.Kill(child.Broke, "it hung up and did not leave")
			}
			return
		}
	}
}

func (i *instance) take(f wire.Frame, lines *relay) error {
	switch f := f.(type) {
	case *wire.Hello:
		i.h.logger().Debug("app process", "pid", f.PID)
	case *wire.Ready:
		i.hooks.Store(&f.Hooks)
		select {
		case <-i.ready:
			return errors.New("it was ready before")
		default:
			i.inputs = f.Inputs
			close(i.ready)
		}
	case *wire.Hooks:
		i.hooks.Store(f)
		i.h.learn(i, f)
	case *wire.Answer:
		i.mu.Lock()
		answer := i.calls[f.ID]
		delete(i.calls, f.ID)
		i.mu.Unlock()
		if answer != nil { // else it came too late
			answer <- f
		}
	case *wire.Request:
		return i.request(f)
	case *wire.Message:
		i.send(f)
	case *wire.Pong:
		i.ponged.Store(f.N)
	case *wire.Log:
		lines.write(f)
	case *wire.Failed:
		i.mu.Lock()
		i.failed = f
		i.mu.Unlock()
		if !i.p.Exits(child.LastWords) {
			i.p.Kill(child.Crashed, f.Message)
		}
	default:
		return fmt.Errorf("it sent a frame of type %d", f.Type())
	}
	return nil
}

// leave asks the process to go and waits until it is gone.
func (i *instance) leave() {
	i.out.put(&wire.Bye{})
	_ = i.conns.Close()
	if !i.p.Exits(i.h.opts.Grace) {
		i.p.Stop(i.h.opts.Grace)
	}
	<-i.gone
}

// relay writes what the app says into the log, a bounded number of lines a
// second. One goroutine uses it.
type relay struct {
	log     *slog.Logger
	pid     int
	second  time.Time
	lines   int
	skipped int
}

const (
	maxLines = 200
	maxText  = 2000
)

func (r *relay) write(l *wire.Log) {
	if now := time.Now(); now.Sub(r.second) >= time.Second {
		if r.skipped > 0 {
			r.log.Warn("the app says too much", "lines", r.skipped)
		}
		r.second, r.lines, r.skipped = now, 0, 0
	}
	if r.lines++; r.lines > maxLines {
		r.skipped++
		return
	}
	attrs := make([]slog.Attr, 0, len(l.Attrs))
	for k, v := range l.Attrs {
		attrs = append(attrs, slog.String(child.Clip(k, 100), child.Clip(v, maxText)))
	}
	r.log.LogAttrs(context.Background(), slog.Level(l.Level), child.Clip(l.Message, maxText), attrs...)
}
