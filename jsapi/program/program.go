// Package program puts a runtime together for one script: the loop, the
// natives, the built-in modules, and the script itself.
package program

import (
	"context"
	"errors"
	"fmt"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
)

// Options are what a script finds around it.
type Options struct {
	Host node.Host
	// Guard keeps the script in bounds; nil sets none.
	Guard *guard.Options
	// Extra provides further natives, before the script runs.
	Extra func(*loop.Loop) error
	// Compile is how files that are required while the script runs are
	// compiled.
	Compile compile.Options
}

// Program is a runtime that is ready for a script.
type Program struct {
	Loop *loop.Loop
	// Exports are the script's, once Run has started it: an object with
	// default where the script is an ES module or sets module.exports.
	Exports *goja.Object

	awaited *goja.Promise // what an Async script gave
	compile compile.Options
	loaded  map[string]goja.Value // by file
}

// New makes a runtime with all modules. It costs a few milliseconds.
func New(o Options) (*Program, error) {
	l := loop.New()
	if o.Guard != nil {
		g, err := guard.Install(l, *o.Guard)
		if err != nil {
			return nil, err
		}
		o.Host.Stdout, o.Host.Stderr = g.Output(o.Host.Stdout), g.Output(o.Host.Stderr)
	}
	provideNode(l, o.Host)
	if o.Extra != nil {
		if err := o.Extra(l); err != nil {
			return nil, err
		}
	}
	if err := builtin.Provide(l); err != nil {
		return nil, err
	}
	p := &Program{Loop: l, compile: o.Compile, loaded: make(map[string]goja.Value)}
	l.Load = p.load
	return p, nil
}

// load runs a file that is required while the script runs, once.
func (p *Program) load(name, from string) (goja.Value, error) {
	script, err := compile.Require(name, from, p.compile)
	var bad *compile.Error
	if errors.As(err, &bad) && bad.Unresolved() {
		return nil, builtin.NotFound(name, from)
	}
	if err != nil {
		return nil, err
	}
	key := name
	if len(script.Inputs) > 0 {
		key = script.Inputs[0]
	}
	if v, ok := p.loaded[key]; ok {
		return v, nil
	}
	var exports goja.Value
	_, err = p.call(script, func(v goja.Value) { exports = v })
	p.loaded[key] = exports
	return exports, err
}

// Run runs a compiled script until nothing keeps it alive; see loop.Loop.Run.
// The error is a *node.Exit where the script chose its exit code. started, if
// not nil, is called on the loop when the script has run to its end and,
// where it awaits at its top level, that is over.
func (p *Program) Run(ctx context.Context, script *compile.Program, started func() error) error {
	err := p.Loop.Run(ctx, func() error { return p.start(script, started) })
	var exit *node.Exit
	if errors.As(err, &exit) && exit.Code == 0 {
		return nil
	}
	if err == nil && p.awaited != nil && p.awaited.State() == goja.PromiseStatePending {
		return &Unsettled{Path: script.Path}
	}
	return err
}

// Unsettled is a script that ran out of work while it still waited at its top
// level; Node leaves with exit code 13 then.
type Unsettled struct{ Path string }

// Error names the script.
func (e *Unsettled) Error() string {
	return e.Path + ": the script awaits something at its top level that nothing can bring about any more"
}

func (p *Program) start(script *compile.Program, started func() error) error {
	rt := p.Loop.Runtime()
	if !script.Module {
		return p.evaluate(script, started)
	}
	// An ES module runs as a promise job.
	job, resolve, _ := rt.NewPromise()
	then, _ := goja.AssertFunction(rt.ToValue(job).ToObject(rt).Get("then"))
	run := func(goja.FunctionCall) goja.Value {
		p.Loop.Check(p.evaluate(script, started))
		return goja.Undefined()
	}
	if _, err := then(rt.ToValue(job), rt.ToValue(run)); err != nil {
		return err
	}
	return resolve(goja.Undefined())
}

// call runs a compiled script and gives its exports to receive. The value is
// a promise where the script awaits.
func (p *Program) call(script *compile.Program, receive func(goja.Value)) (goja.Value, error) {
	rt := p.Loop.Runtime()
	v, err := rt.RunProgram(script.Code)
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return nil, fmt.Errorf("start %s: it was compiled to a %s", script.Path, v.ExportType())
	}
	take := func(call goja.FunctionCall) goja.Value {
		receive(call.Argument(0))
		return goja.Undefined()
	}
	return f(goja.Undefined(), builtin.RequireFrom(p.Loop, script.Path), rt.ToValue(take), rt.NewObject())
}

func (p *Program) evaluate(script *compile.Program, started func() error) error {
	rt := p.Loop.Runtime()
	done, err := p.call(script, func(v goja.Value) { p.Exports = v.ToObject(rt) })
	if err != nil {
		return err
	}
	if script.Async {
		p.awaited, _ = done.Export().(*goja.Promise)
	}
	if started == nil {
		return nil
	}
	if !script.Async {
		return started()
	}
	then, ok := goja.AssertFunction(done.ToObject(rt).Get("then"))
	if !ok {
		return fmt.Errorf("start %s: it gave no promise", script.Path)
	}
	// A rejection stays unhandled: it is the script's own.
	_, err = then(done, rt.ToValue(func(goja.FunctionCall) goja.Value {
		p.Loop.Check(started())
		return goja.Undefined()
	}))
	return err
}
