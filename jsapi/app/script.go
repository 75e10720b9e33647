package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
	worker "github.com/millrace/millrace/transcode/wire"
)

// app is one script and what it has registered. Fields without another word
// belong to the loop's goroutine.
type app struct {
	server  *server
	start   *wire.Start
	code    *compile.Program
	program *program.Program
	loop    *loop.Loop
	stays   *loop.Pending // keeps the loop alive until Bye

	hooks  wire.Hooks
	ready  bool
	called native.Callback // (id, hook, session)
	told   native.Callback // (event)
	said   native.Callback // (path, topic, text, blobs)

	routes   *queue // connections for the script's HTTP server
	upgraded native.Callback
	io       *realtime
	open     openSockets
}

func newApp(s *server, start *wire.Start, code *compile.Program) (*app, error) {
	a := &app{server: s, start: start, code: code, routes: newQueue()}
	p, err := program.New(program.Options{
		Host: node.Host{
			Exec: "millrace", Script: code.Path, Env: start.Env, Cwd: filepath.Dir(code.Path),
			Stdout: &lines{server: s, level: slog.LevelInfo}, Stderr: &lines{server: s, level: slog.LevelWarn},
			Listen: func(_, address string) error {
				return fmt.Errorf("listen on %s: an app opens no ports; its routes are served under /app", address)
			},
		},
		Guard: &guard.Options{Limits: limits(), Exit: func(err error) {
			_ = s.write(failedBy(err)) // the exit code says it too
			syscall.Exit(worker.ExitInternal)
		}},
		Extra: func(l *loop.Loop) error {
			a.loop = l
			l.Provide("internal:app", a.natives)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	a.program = p
	return a, nil
}

// limits are those of scripts in a server, with room for connections.
func limits() guard.Limits {
	l := guard.Strict()
	l.Heap, l.Timers = 512<<20, 100_000
	return l
}

// run runs the script until the server wants no more of it.
func (a *app) run(ctx context.Context) error {
	a.stays = a.loop.Pending()
	return a.program.Run(ctx, a.code, func() error {
		a.ready = true
		return a.server.write(&wire.Ready{Hooks: a.hooks, Inputs: a.code.Inputs})
	})
}

// read takes what the server says until it hangs up.
func (a *app) read(in *wire.Reader) error {
	for {
		f, err := in.Read()
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return errLeave
		}
		if err != nil {
			return fmt.Errorf("hear the server: %w", err)
		}
		switch f := f.(type) {
		case *wire.Call:
			a.loop.Post(func() { a.call(f) })
		case *wire.Event:
			a.loop.Post(func() { a.told.Call(eventOf(f)) })
		case *wire.Reply:
			a.server.replied(f)
		case *wire.Message:
			text, blobs := f.Parts()
			a.loop.Post(func() {
				all := make([]any, len(blobs))
				for i, b := range blobs {
					all[i] = b
				}
				a.said.Call(f.Path, f.Topic, string(text), all)
			})
		case *wire.Ping:
			a.loop.Post(func() { _ = a.server.write(&wire.Pong{N: f.N}) })
		case *wire.Bye:
			a.loop.Post(a.leave)
		default:
			return fmt.Errorf("hear the server: a frame of type %d", f.Type())
		}
	}
}

// leaveTime is how long responses and sockets under way may take to end once
// the server wants the app to leave.
const leaveTime = 2 * time.Second

// leave ends the script: WebSockets are closed, responses under way may end.
func (a *app) leave() {
	a.routes.close()
	a.open.closeAll()
	if a.io != nil {
		a.io.close()
	}
	wait := a.loop.SetTimer(50*time.Millisecond, true, func() {
		if a.open.none() && a.routes.none() {
			a.loop.Stop(errLeave)
		}
	})
	wait.Ref(false)
	a.loop.SetTimer(leaveTime, false, func() { a.loop.Stop(errLeave) }).Ref(false)
}

// call asks a deciding hook.
func (a *app) call(f *wire.Call) {
	session, err := parse(a.loop, f.Session)
	if err != nil {
		a.loop.Fail(err)
		return
	}
	a.called.Call(f.ID, f.Hook, session)
}

// parse is JSON as a value.
func parse(l *loop.Loop, text []byte) (goja.Value, error) {
	if len(text) == 0 {
		return goja.Undefined(), nil
	}
	rt := l.Runtime()
	f, ok := goja.AssertFunction(rt.Get("JSON").ToObject(rt).Get("parse"))
	if !ok {
		return nil, errors.New("the script replaced JSON.parse")
	}
	return f(goja.Undefined(), rt.ToValue(string(text)))
}

// eventOf is an event as text; the script's side parses it.
func eventOf(e *wire.Event) string {
	b, err := json.Marshal(e)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// lines makes what the script prints records of the server's log: one of what
// is printed at once, which may have several lines.
type lines struct {
	server *server
	level  slog.Level
	mu     sync.Mutex
	rest   []byte
}

// maxLine is the longest line that is waited for.
const maxLine = 8 << 10

func (w *lines) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	end := bytes.LastIndexByte(w.rest, '\n')
	if end < 0 && len(w.rest) < maxLine {
		return len(b), nil
	}
	if end < 0 {
		end = len(w.rest) - 1
	}
	if text := strings.TrimRight(ours(string(w.rest[:end+1])), "\r\n"); text != "" {
		w.server.log(w.level, text, nil)
	}
	w.rest = append(w.rest[:0], w.rest[end+1:]...)
	return len(b), nil
}

// ours takes the calls within the built-in modules out of a stack.
func ours(text string) string {
	if !strings.Contains(text, builtin.Name) {
		return text
	}
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "    at ") || !strings.Contains(line, builtin.Name+":") && !strings.Contains(line, "(native)") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// queue is a listener whose connections are put in by hand. It counts those
// that are open.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	open int
}

func newQueue() *queue { return &queue{conns: make(chan net.Conn, 256), done: make(chan struct{})} }

func (q *queue) put(c net.Conn) {
	q.mu.Lock()
	q.open++
	q.mu.Unlock()
	select {
	case q.conns <- &counted{Conn: c, q: q}:
	case <-q.done:
		_ = c.Close()
		q.left()
	}
}

func (q *queue) left() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open--
}

func (q *queue) none() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open == 0
}

func (q *queue) close() { q.once.Do(func() { close(q.done) }) }

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (q *queue) Close() error {
	q.close()
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "app"} }

// counted is a connection of a queue.
type counted struct {
	net.Conn
	q    *queue
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(c.q.left)
	return c.Conn.Close()
}
