// Package rehearse runs a pipeline script against a file, as
// millrace run --source does: what the script finds around it is what it finds
// in a stream's worker, as far as a file can give it.
package rehearse

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/program"
)

// The module in JavaScript that calls a pipeline script, and what it finds of
// its host.
const (
	glue    = "internal:pipeline"
	binding = "internal:script"
)

// Stage is where a script is rehearsed.
type Stage struct {
	Path string            // what ctx.stream.path says
	Env  map[string]string // ctx.env
	Log  io.Writer         // ctx.log: a line each

	failed error
}

// Provide makes the natives of a pipeline script known to a loop, before it
// runs. ctx.send() goes nowhere: there is no app.
func (s *Stage) Provide(l *loop.Loop) {
	l.Provide(binding, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		o.Func("info", func(native.Args) (any, error) { return s.info(l.Runtime()), nil })
		o.Func("log", func(a native.Args) (any, error) {
			s.log(l, a)
			return nil, nil
		})
		o.Func("send", func(native.Args) (any, error) { return nil, nil })
		o.Func("now", func(native.Args) (any, error) { return l.Now().Seconds(), nil })
		o.Func("wall", func(native.Args) (any, error) { return float64(l.Now()) / float64(time.Millisecond), nil })
		o.Func("fail", func(a native.Args) (any, error) {
			s.failed = &Rejected{Value: a.At(0)}
			l.Stop(s.failed)
			return nil, nil
		})
		return o.Object
	})
}

// Rejected is what the script's function failed with.
type Rejected struct{ Value goja.Value }

// Error shows it with its stack.
func (r *Rejected) Error() string { return loop.Describe(r.Value) }

// Start calls the script's function, on the loop.
func (s *Stage) Start(p *program.Program) error {
	v, err := p.Loop.Require(glue)
	if err != nil {
		return err
	}
	start, ok := goja.AssertFunction(v.ToObject(p.Loop.Runtime()).Get("start"))
	if !ok {
		return fmt.Errorf("%s does not start scripts", glue)
	}
	_, err = start(goja.Undefined(), p.Exports)
	return err
}

func (s *Stage) info(rt *goja.Runtime) goja.Value {
	env := rt.NewObject()
	for k, v := range s.Env {
		_ = env.Set(k, v)
	}
	info := rt.NewObject()
	_ = info.Set("path", s.Path)
	_ = info.Set("live", false)
	_ = info.Set("env", env)
	_ = info.Set("hls", rt.NewObject())
	return info
}

var levels = map[int64]string{-4: "debug", 0: "info", 4: "warn", 8: "error"}

// log writes "12.480 info message key=value".
func (s *Stage) log(l *loop.Loop, a native.Args) {
	var attrs []string
	if a.Given(2) {
		given := a.At(2).ToObject(l.Runtime())
		for _, key := range given.Keys() {
			attrs = append(attrs, " "+key+"="+given.Get(key).String())
		}
	}
	slices.Sort(attrs)
	fmt.Fprintf(s.Log, "%.3f %s %s%s\n", l.Now().Seconds(), levels[a.Int(0)], a.String(1), strings.Join(attrs, ""))
}
