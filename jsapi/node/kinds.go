package node

import (
	"syscall"

	"github.com/dop251/goja"
	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

func typesModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	// The engine's own word for what an object is, which no script can change.
	o.Func("kind", func(a native.Args) (any, error) {
		object, ok := a.At(0).(*goja.Object)
		if !ok {
			return "", nil
		}
		switch native.Held(object).(type) {
		case *goja.Promise:
			return "Promise", nil
		case goja.Proxy:
			return "Proxy", nil
		case goja.ArrayBuffer:
			return "ArrayBuffer", nil
		}
		return object.ClassName(), nil
	})
	o.Func("isProxy", func(a native.Args) (any, error) {
		object, ok := a.At(0).(*goja.Object)
		if !ok {
			return false, nil
		}
		_, ok = native.Held(object).(goja.Proxy)
		return ok, nil
	})
	// The target and handler of a proxy; undefined of anything else.
	o.Func("proxy", func(a native.Args) (any, error) {
		object, ok := a.At(0).(*goja.Object)
		if !ok {
			return nil, nil
		}
		p, ok := native.Held(object).(goja.Proxy)
		if !ok {
			return nil, nil
		}
		orNull := func(o *goja.Object) any {
			if o == nil {
				return goja.Null()
			}
			return o
		}
		return []any{orNull(p.Target()), orNull(p.Handler())}, nil
	})
	o.Func("promise", func(a native.Args) (any, error) {
		p, ok := native.Held(a.At(0)).(*goja.Promise)
		if !ok {
			return nil, &loop.Error{Name: "TypeError", Message: "not a promise"}
		}
		result := p.Result()
		if result == nil {
			result = goja.Undefined()
		}
		return []any{int(p.State()), result}, nil
	})
	o.Func("errorName", func(a native.Args) (any, error) { return unix.ErrnoName(syscall.Errno(-a.Int(0))), nil })
	o.Func("errorMap", func(native.Args) (any, error) {
		rt := l.Runtime()
		all := make([]any, 0, 133)
		for n := syscall.Errno(1); n < 134; n++ {
			if name := unix.ErrnoName(n); name != "" {
				all = append(all, []any{-int(n), []any{name, n.Error()}})
			}
		}
		return rt.New(rt.Get("Map"), native.Value(rt, all))
	})
	return o.Object
}

func moduleModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	o.Func("names", func(native.Args) (any, error) { return builtin.Modules(), nil })
	o.Func("resolve", func(a native.Args) (any, error) { return builtin.Resolve(a.String(0)), nil })
	o.Func("require", func(a native.Args) (any, error) { return l.Require(a.String(0)) })
	o.Func("requireFrom", func(a native.Args) (any, error) { return builtin.RequireFrom(l, a.String(0)), nil })
	return o.Object
}
