package media

import (
	"math"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// objectNatives are the methods of Packet and Frame.
func (m *Module) objectNatives(o native.Object) {
	type object interface {
		close()
		writable()
	}
	both := func(name string, f func(object, goja.Value) goja.Value) {
		_ = o.Set(name, func(call goja.FunctionCall) goja.Value {
			held, ok := handleOf(call.Argument(0)).(object)
			if !ok {
				m.l.Throw(illegal)
			}
			return f(held, call.Argument(0))
		})
	}
	both("close", func(h object, _ goja.Value) goja.Value {
		h.close()
		return goja.Undefined()
	})
	both("writable", func(h object, self goja.Value) goja.Value {
		h.writable()
		return self
	})
	both("retain", func(h object, self goja.Value) goja.Value {
		switch h := h.(type) {
		case *packetRef:
			h.retain()
		case *frameRef:
			h.frame()
			h.retained = true
		}
		return self
	})
	both("clone", func(h object, _ goja.Value) goja.Value {
		switch h := h.(type) {
		case *packetRef:
			return h.clone()
		case *frameRef:
			return h.clone()
		}
		return goja.Undefined()
	})
	m.frameNatives(o)
}

var illegal = &loop.Error{Name: "TypeError", Code: "ERR_INVALID_THIS", Message: "this is no Packet or Frame of the module millrace"}

// frameNatives are what frames can do that scripts need no pixel loops for.
func (m *Module) frameNatives(o native.Object) {
	frame := func(name string, f func(*frameRef, native.Args) goja.Value) {
		o.Func(name, func(a native.Args) (any, error) {
			r, ok := handleOf(a.At(0)).(*frameRef)
			if !ok {
				return nil, illegal
			}
			return f(r, a), nil
		})
	}
	frame("toJPEG", func(r *frameRef, a native.Args) goja.Value {
		quality := 85
		if a.Given(1) {
			quality = int(a.Int(1))
		}
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			b, err := f.JPEG(quality)
			return func() goja.Value { return m.buffer(b) }, err
		})
	})
	frame("toPNG", func(r *frameRef, _ native.Args) goja.Value {
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			b, err := f.PNG()
			return func() goja.Value { return m.buffer(b) }, err
		})
	})
	frame("scale", func(r *frameRef, a native.Args) goja.Value {
		width, height, format := int(a.Int(1)), int(a.Int(2)), a.String(3)
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			scaled, err := f.Scale(width, height, format)
			return func() goja.Value { return r.another(scaled) }, err
		})
	})
	frame("diff", func(r *frameRef, a native.Args) goja.Value {
		second, ok := handleOf(a.At(1)).(*frameRef)
		if !ok {
			m.l.Throw(&loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "diff() compares with another Frame"})
		}
		other, err := second.frame().Clone()
		if err != nil {
			m.l.Throw(err)
		}
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			d, err := f.Diff(other)
			other.Close()
			return func() goja.Value { return m.rt.ToValue(d) }, err
		})
	})
	frame("histogram", func(r *frameRef, _ native.Args) goja.Value {
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			counts, err := f.Histogram()
			return func() goja.Value {
				all := make([]any, len(counts))
				for i, n := range counts {
					all[i] = n
				}
				return m.rt.NewArray(all...)
			}, err
		})
	})
	frame("levels", func(r *frameRef, _ native.Args) goja.Value {
		return r.work(func(f transcode.Frame) (func() goja.Value, error) {
			rms, peak, err := f.Levels()
			return func() goja.Value {
				levels := m.rt.NewObject()
				_ = levels.Set("rms", numbers(m.rt, rms))
				_ = levels.Set("peak", numbers(m.rt, peak))
				_ = levels.Set("loudest", loudest(rms))
				return levels
			}, err
		})
	})
}

func numbers(rt *goja.Runtime, of []float64) goja.Value {
	all := make([]any, len(of))
	for i, f := range of {
		all[i] = f
	}
	return rt.NewArray(all...)
}

func loudest(of []float64) float64 {
	most := math.Inf(-1)
	for _, f := range of {
		most = max(most, f)
	}
	return most
}
