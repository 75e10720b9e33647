package loop

import "github.com/dop251/goja"

// Buffer is a Buffer of Node's over the bytes, which it takes over: neither
// side copies.
func (l *Loop) Buffer(b []byte) (goja.Value, error) {
	if l.buffer == nil {
		v, err := l.Require("internal:buffer")
		if err != nil {
			return nil, err
		}
		f, ok := goja.AssertFunction(v)
		if !ok {
			return nil, &Error{Message: "the built-in modules have no Buffer"}
		}
		l.buffer = f
	}
	return l.buffer(goja.Undefined(), l.rt.ToValue(l.rt.NewArrayBuffer(b)))
}
