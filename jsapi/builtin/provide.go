package builtin

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
)

const (
	internal = "internal:"
	node     = "node:"
)

func isInternal(name string) bool { return strings.HasPrefix(name, internal) }

// Resolve is the module that a script means by a name: fs is node:fs. It is
// empty where no built-in module has the name.
func Resolve(name string) string {
	if isInternal(name) {
		return ""
	}
	modules := listed().Modules
	if _, ok := modules[name]; ok {
		return name
	}
	if _, ok := modules[node+name]; ok {
		return node + name
	}
	return ""
}

// Provide makes the modules and globals known to a loop. The natives behind
// them must be provided before a script runs, in any order. It is called
// before the loop runs.
func Provide(l *loop.Loop) error {
	p, err := program()
	if err != nil {
		return err
	}
	rt := l.Runtime()
	v, err := rt.RunProgram(p)
	if err != nil {
		return fmt.Errorf("start the built-in modules: %w", err)
	}
	start, ok := goja.AssertFunction(v)
	if !ok {
		return fmt.Errorf("start the built-in modules: %s is not a function", v)
	}
	binding := rt.ToValue(func(call goja.FunctionCall) goja.Value {
		return require(l, internal+call.Argument(0).String())
	})
	// What the bundle leaves to require are names that it does not have.
	byName := rt.ToValue(func(call goja.FunctionCall) goja.Value {
		return require(l, call.Argument(0).String())
	})
	exports, module := rt.NewObject(), rt.NewObject()
	if err := module.Set("exports", exports); err != nil {
		return err
	}
	if _, err := start(goja.Undefined(), binding, byName, exports, module); err != nil {
		return fmt.Errorf("start the built-in modules: %w", err)
	}
	exports = module.Get("exports").ToObject(rt)

	factories := exports.Get("modules").ToObject(rt)
	for name := range listed().Modules {
		make, ok := goja.AssertFunction(factories.Get(name))
		if !ok {
			return fmt.Errorf("start the built-in modules: %s is in the table and not in the bundle; run `make builtins`", name)
		}
		l.Provide(name, func(*loop.Loop) goja.Value { return called(make) })
	}
	for name, from := range listed().Globals {
		if err := global(l, name, from); err != nil {
			return err
		}
	}
	prepare, _ := goja.AssertFunction(exports.Get("prepare"))
	if _, err := prepare(goja.Undefined()); err != nil {
		return fmt.Errorf("start the built-in modules: %w", err)
	}
	return nil
}

func require(l *loop.Loop, name string) goja.Value {
	v, err := l.Require(name)
	if err != nil {
		l.Throw(err)
	}
	return v
}

// called passes on what a function throws.
func called(f goja.Callable) goja.Value {
	v, err := f(goja.Undefined())
	if err != nil {
		panic(err)
	}
	return v
}

// global defines a property of the global object that requires its module when
// it is first looked at, and that a script may replace.
func global(l *loop.Loop, name string, from []string) error {
	rt := l.Runtime()
	object := rt.GlobalObject()
	set := func(v goja.Value) {
		_ = object.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
	get := rt.ToValue(func(goja.FunctionCall) goja.Value {
		v := require(l, from[0])
		if len(from) > 1 {
			v = v.ToObject(rt).Get(from[1])
		}
		set(v)
		return v
	})
	replace := rt.ToValue(func(call goja.FunctionCall) goja.Value {
		set(call.Argument(0))
		return goja.Undefined()
	})
	return object.DefineAccessorProperty(name, get, replace, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// RequireFrom is the function require of the file at a path, for what is
// asked for while it runs.
func RequireFrom(l *loop.Loop, from string) goja.Value {
	rt := l.Runtime()
	from = strings.TrimPrefix(from, "file://")
	f := rt.ToValue(func(call goja.FunctionCall) goja.Value {
		name := call.Argument(0).String()
		if known, ok := known(l, name); ok {
			return require(l, known)
		}
		if l.Load == nil {
			l.Throw(NotFound(name, from))
		}
		v, err := l.Load(name, from)
		if err != nil {
			l.Throw(err)
		}
		return v
	}).ToObject(rt)
	resolve := func(call goja.FunctionCall) goja.Value {
		name := call.Argument(0).String()
		if known, ok := known(l, name); ok {
			return rt.ToValue(known)
		}
		if !strings.HasPrefix(name, ".") && !filepath.IsAbs(name) {
			l.Throw(NotFound(name, from))
		}
		return rt.ToValue(filepath.Join(filepath.Dir(from), name))
	}
	_ = f.Set("resolve", resolve)
	_ = f.Set("cache", rt.NewObject())
	_ = f.Set("extensions", rt.NewObject())
	return f
}

// known is the full name of a module of the runtime's.
func known(l *loop.Loop, name string) (string, bool) {
	if to := Resolve(name); to != "" {
		return to, true
	}
	return name, !isInternal(name) && l.Provides(name)
}

// NotFound is Node's error for a module that is not there.
func NotFound(name, from string) error {
	return &loop.Error{
		Code:    "MODULE_NOT_FOUND",
		Message: fmt.Sprintf("Cannot find module '%s'\nRequire stack:\n- %s", name, from),
		Fields:  map[string]any{"requireStack": []string{from}},
	}
}
