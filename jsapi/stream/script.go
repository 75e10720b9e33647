package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/loop"
	jsmedia "github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
	"github.com/millrace/millrace/transcode/wire"
)

// glue is the module in JavaScript that calls the script, and binding what it
// finds of this package.
const (
	glue    = "internal:pipeline"
	binding = "internal:script"
)

// script is the user's script in its runtime.
type script struct {
	c        *conversation
	compiled *compile.Program
	program  *program.Program
	guard    *guard.Guard
	outbox   *outbox
	leave    func(code int)

	quiet atomic.Bool // the loop has not come to the last beat yet
}

// newScript compiles the script and makes its runtime.
func newScript(c *conversation, world World) (*script, error) {
	s := &script{c: c, outbox: newOutbox(), leave: world.Exit}
	var err error
	if s.compiled, err = compile.File(c.job.Script, compile.Options{}); err != nil {
		return nil, &wire.Error{Class: wire.ClassScript, Message: clip(err.Error())}
	}
	if err := c.w.send(&wire.Files{Paths: s.compiled.Inputs}); err != nil {
		return nil, err
	}
	stdout := &switched{}
	stderr := &switched{}
	s.program, err = program.New(program.Options{
		Host: node.Host{
			Exec: "millrace", Script: c.job.Script, Env: c.job.Env, Cwd: filepath.Dir(c.job.Script),
			Stdout: stdout, Stderr: stderr,
			Listen: func(network, address string) error {
				return fmt.Errorf("listen %s %s: a pipeline script opens no ports; the app script serves HTTP", network, address)
			},
		},
		Extra: func(l *loop.Loop) error {
			var err error
			if s.guard, err = guard.Install(l, guard.Options{Limits: guard.Strict(), Exit: s.exit}); err != nil {
				return err
			}
			stdout.to = s.guard.Output(&printer{w: c.w, level: slog.LevelInfo})
			stderr.to = s.guard.Output(&printer{w: c.w, level: slog.LevelWarn})
			jsmedia.Provide(l, jsmedia.Options{
				Engine: world.Engine, Stream: c.job.Name, Live: c.job.Live, Source: c.source, HLS: c.sinks.open,
				Ladder: c.sinks.ladder, Placed: c.sinks.placed,
			})
			l.Provide(binding, s.natives)
			return nil
		},
	})
	return s, err
}

// switched is a writer that is known later.
type switched struct {
	to interface{ Write([]byte) (int, error) }
}

func (s *switched) Write(b []byte) (int, error) { return s.to.Write(b) }

// exit ends the process of a script that nothing less stops.
func (s *script) exit(err error) {
	said := saying(err)
	_ = s.c.w.send(said)
	s.leave(said.Class.ExitCode())
}

// run runs the script until nothing keeps it alive, it fails, or ctx ends.
func (s *script) run(ctx context.Context) error {
	over := make(chan struct{})
	defer close(over)
	go s.outbox.carry(over, s.c.w.send)
	err := s.program.Run(ctx, s.compiled, func() error {
		return s.call("start", s.program.Exports)
	})
	var exit *node.Exit
	if errors.As(err, &exit) {
		return &wire.Error{Class: wire.ClassScript, Message: fmt.Sprintf("the script called process.exit(%d)", exit.Code)}
	}
	return err
}

// call calls a function of the glue, on the loop.
func (s *script) call(name string, args ...goja.Value) error {
	v, err := s.program.Loop.Require(glue)
	if err != nil {
		return err
	}
	f, ok := goja.AssertFunction(v.ToObject(s.program.Loop.Runtime()).Get(name))
	if !ok {
		return fmt.Errorf("%s has no function %s", glue, name)
	}
	_, err = f(goja.Undefined(), args...)
	return err
}

// post calls a function of the glue from elsewhere.
func (s *script) post(name string, args func(*goja.Runtime) []goja.Value) {
	l := s.program.Loop
	l.Post(func() {
		l.Check(s.call(name, args(l.Runtime())...))
	})
}

// presence tells the script whether its publisher is there.
func (s *script) presence(here bool) {
	s.post("presence", func(rt *goja.Runtime) []goja.Value { return []goja.Value{rt.ToValue(here)} })
}

// hear delivers a message of the app.
func (s *script) hear(m *wire.Script) {
	s.post("hear", func(rt *goja.Runtime) []goja.Value {
		args := []goja.Value{rt.ToValue(m.Topic)}
		body := m.Body
		for i, n := range m.Sizes {
			if i == 0 {
				args = append(args, rt.ToValue(string(body[:n])))
			} else {
				args = append(args, rt.ToValue(rt.NewArrayBuffer(body[:n:n])))
			}
			body = body[n:]
		}
		return args
	})
}

// beat has the loop send the figures: that they come says that the script
// gives way.
func (s *script) beat(stats *wire.Stats) {
	if s.quiet.Swap(true) {
		return
	}
	if at, ok := s.guard.Last(); ok {
		stats.Position = at.String()
	}
	s.program.Loop.Post(func() {
		s.quiet.Store(false)
		_ = s.c.w.send(stats) // where it cannot be sent, the parent is gone
	})
}

// now is the newest time of the source.
func (s *script) now() (at, arrival time.Duration) {
	p := s.c.source.at()
	if p == nil {
		return 0, 0
	}
	return media.Duration(p.PTS, p.Track.ClockRate), p.Arrival
}
