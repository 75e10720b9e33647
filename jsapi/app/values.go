package app

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// deepest is how far values that go to clients may be nested.
const deepest = 64

// plain makes Go values of what a script sends: what JSON has, and bytes.
func plain(l *loop.Loop, v goja.Value, depth int) (any, error) {
	if depth > deepest {
		return nil, &loop.Error{Name: "RangeError", Code: "ERR_OUT_OF_RANGE", Message: fmt.Sprintf("a value nested more than %d deep", deepest)}
	}
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return nil, nil
	}
	rt := l.Runtime()
	o, ok := v.(*goja.Object)
	if !ok {
		return primitive(v), nil
	}
	if isBytes(o) {
		return append([]byte{}, native.Bytes(o)...), nil
	}
	if f, ok := goja.AssertFunction(o.Get("toJSON")); ok {
		w, err := f(o)
		if err != nil {
			return nil, err
		}
		return plain(l, w, depth+1)
	}
	if _, ok := goja.AssertFunction(o); ok {
		return nil, nil
	}
	switch o.ClassName() {
	case "Array":
		list := make([]any, int(o.Get("length").ToInteger()))
		for i := range list {
			w, err := plain(l, o.Get(strconv.Itoa(i)), depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = w
		}
		return list, nil
	case "String", "Number", "Boolean":
		return primitive(rt.ToValue(native.Held(o))), nil
	}
	m := make(map[string]any)
	for _, key := range o.Keys() {
		item := o.Get(key)
		if _, ok := goja.AssertFunction(item); ok || goja.IsUndefined(item) {
			continue
		}
		w, err := plain(l, item, depth+1)
		if err != nil {
			return nil, err
		}
		m[key] = w
	}
	return m, nil
}

func primitive(v goja.Value) any {
	switch x := native.Held(v).(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return x
	case int64, string, bool:
		return x
	default:
		return v.String()
	}
}

func isBytes(o *goja.Object) bool {
	switch o.ClassName() {
	case "ArrayBuffer":
		return true
	case "Object", "Array", "Function", "Date", "Error":
		if o.ClassName() != "Object" {
			return false
		}
	}
	switch native.Held(o).(type) {
	case []byte, goja.ArrayBuffer, []int8, []int16, []uint16, []int32, []uint32, []float32, []float64:
		return true
	}
	return false
}

// given makes a script's values of what a client sent; buffer makes a Buffer
// of an ArrayBuffer.
func given(l *loop.Loop, v any, buffer goja.Callable) goja.Value {
	rt := l.Runtime()
	switch v := v.(type) {
	case nil:
		return goja.Null()
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = given(l, item, buffer)
		}
		return rt.NewArray(list...)
	case map[string]any:
		o := rt.NewObject()
		for key, item := range v {
			_ = o.Set(key, given(l, item, buffer))
		}
		return o
	case []byte:
		return bufferOf(l, v, buffer)
	case io.Reader:
		b, err := io.ReadAll(v)
		if err != nil {
			return goja.Null()
		}
		return bufferOf(l, b, buffer)
	default:
		return rt.ToValue(v)
	}
}

func bufferOf(l *loop.Loop, b []byte, buffer goja.Callable) goja.Value {
	v, err := buffer(goja.Undefined(), l.Runtime().ToValue(l.Runtime().NewArrayBuffer(b)))
	if err != nil {
		l.Throw(err)
	}
	return v
}
