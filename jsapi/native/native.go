// Package native is how Go functions become the natives of the built-in
// modules: what a script's call brings, and how work that must not hold up the
// loop comes back to a callback.
//
// Its types belong to the loop's goroutine; only the work given to Args.Later
// runs elsewhere.
package native

import (
	"context"
	"fmt"
	"math"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
)

// Object is an object of native functions.
type Object struct {
	*goja.Object
	Loop *loop.Loop
}

// New makes an empty object.
func New(l *loop.Loop) Object { return Object{Object: l.Runtime().NewObject(), Loop: l} }

// Func adds a function. What it returns becomes a value as Value says; an
// error is thrown.
func (o Object) Func(name string, f func(Args) (any, error)) {
	_ = o.Set(name, func(call goja.FunctionCall) goja.Value {
		v, err := f(Args{Loop: o.Loop, call: call})
		if err != nil {
			o.Loop.Throw(err)
		}
		return Value(o.Loop.Runtime(), v)
	})
}

// Value is a Go value as a script's: bytes as an ArrayBuffer that takes them
// over, nil as undefined, a func(*goja.Runtime) goja.Value by calling it.
func Value(rt *goja.Runtime, v any) goja.Value {
	switch v := v.(type) {
	case nil:
		return goja.Undefined()
	case Object: // is a goja.Value too, of a kind that goja does not know
		return v.Object
	case goja.Value:
		return v
	case []byte:
		return rt.ToValue(rt.NewArrayBuffer(v))
	case func(*goja.Runtime) goja.Value:
		return v(rt)
	case []string:
		all := make([]any, len(v))
		for i, s := range v {
			all[i] = s
		}
		return rt.NewArray(all...)
	case []any:
		all := make([]any, len(v))
		for i, item := range v {
			all[i] = Value(rt, item)
		}
		return rt.NewArray(all...)
	default:
		return rt.ToValue(v)
	}
}

// Args is what a script called a native with.
type Args struct {
	Loop *loop.Loop
	call goja.FunctionCall
}

// At is an argument, undefined where it was not given.
func (a Args) At(i int) goja.Value { return a.call.Argument(i) }

// Len is the number of arguments.
func (a Args) Len() int { return len(a.call.Arguments) }

// Given tells whether an argument is neither undefined nor null.
func (a Args) Given(i int) bool {
	v := a.At(i)
	return !goja.IsUndefined(v) && !goja.IsNull(v)
}

// String is an argument as text, empty where it was not given.
func (a Args) String(i int) string {
	if !a.Given(i) {
		return ""
	}
	return a.At(i).String()
}

// Int is an argument as a whole number, 0 where it is none.
func (a Args) Int(i int) int64 { return a.At(i).ToInteger() }

// Float is an argument as a number.
func (a Args) Float(i int) float64 {
	f := a.At(i).ToFloat()
	if math.IsNaN(f) {
		return 0
	}
	return f
}

// Bool is an argument's truth.
func (a Args) Bool(i int) bool { return a.At(i).ToBoolean() }

// Strings is an argument that is an array of strings.
func (a Args) Strings(i int) []string {
	if !a.Given(i) {
		return nil
	}
	o := a.At(i).ToObject(a.Loop.Runtime())
	n := int(o.Get("length").ToInteger())
	all := make([]string, 0, n)
	for k := range n {
		all = append(all, o.Get(fmt.Sprint(k)).String())
	}
	return all
}

// Get is a property of an argument that is an object; undefined where it is
// none.
func (a Args) Get(i int, name string) goja.Value {
	if !a.Given(i) {
		return goja.Undefined()
	}
	if v := a.At(i).ToObject(a.Loop.Runtime()).Get(name); v != nil {
		return v
	}
	return goja.Undefined()
}

// Bytes is the memory of an argument that is an ArrayBuffer or a view of one,
// or a string's UTF-8. Work that runs elsewhere takes Copy instead: a script
// may write to the memory, or let go of it, meanwhile.
func (a Args) Bytes(i int) []byte { return Bytes(a.At(i)) }

// Copy is the bytes of an argument, in memory of their own.
func (a Args) Copy(i int) []byte {
	if s, ok := a.At(i).(goja.String); ok {
		return []byte(s.String())
	}
	return append([]byte(nil), a.Bytes(i)...)
}

// Bytes is the memory of an ArrayBuffer or a view of one, or a string's UTF-8.
func Bytes(v goja.Value) []byte {
	if s, ok := v.(goja.String); ok {
		return []byte(s.String())
	}
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	switch exported := Held(o).(type) {
	case []byte:
		return exported
	case goja.ArrayBuffer:
		return exported.Bytes()
	}
	// A view of another element type, or a DataView.
	buffer, ok := o.Get("buffer").(*goja.Object)
	if !ok {
		return nil
	}
	whole, ok := Held(buffer).(goja.ArrayBuffer)
	if !ok || whole.Detached() {
		return nil
	}
	from := o.Get("byteOffset").ToInteger()
	return whole.Bytes()[from : from+o.Get("byteLength").ToInteger()]
}

// Callback is a function of the script that is called later.
type Callback struct {
	loop *loop.Loop
	f    goja.Callable
}

// Callback is an argument that is a function; what it throws is uncaught.
func (a Args) Callback(i int) Callback {
	f, _ := goja.AssertFunction(a.At(i))
	return Callback{loop: a.Loop, f: f}
}

// Call calls the function, on the loop.
func (c Callback) Call(args ...any) {
	if c.f == nil {
		return
	}
	values := make([]goja.Value, len(args))
	for i, v := range args {
		values[i] = Value(c.loop.Runtime(), v)
	}
	c.loop.Invoke(c.f, goja.Undefined(), values...)
}

// Return calls the function as Node's callbacks are: error or null first.
func (c Callback) Return(v any, err error) {
	if err != nil {
		c.Call(c.loop.Reason(err))
		return
	}
	c.Call(goja.Null(), v)
}

// Later runs work on a goroutine of its own, which keeps the loop alive, and
// gives what it returned to the callback at place i.
func (a Args) Later(i int, work func(context.Context) (any, error)) {
	callback, pending, ctx := a.Callback(i), a.Loop.Pending(), a.Loop.Context()
	go func() {
		v, err := work(ctx)
		pending.Settle(func() { callback.Return(v, err) })
	}()
}
