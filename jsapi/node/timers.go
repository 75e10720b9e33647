package node

import (
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// timerTable gives the script's timers numbers: a number crosses to JavaScript
// for less than an object. A timer is in it while it is set.
type timerTable struct {
	last       int64
	timers     map[int64]*loop.Timer
	immediates map[int64]*loop.Immediate
}

func timersModule(l *loop.Loop) goja.Value {
	t := &timerTable{timers: make(map[int64]*loop.Timer), immediates: make(map[int64]*loop.Immediate)}
	o := native.New(l)
	o.Func("set", func(a native.Args) (any, error) { return t.set(l, a), nil })
	o.Func("clear", func(a native.Args) (any, error) {
		if timer := t.timers[a.Int(0)]; timer != nil {
			timer.Clear()
			delete(t.timers, a.Int(0))
		}
		return nil, nil
	})
	o.Func("ref", func(a native.Args) (any, error) {
		if timer := t.timers[a.Int(0)]; timer != nil {
			timer.Ref(a.Bool(1))
		}
		return nil, nil
	})
	o.Func("hasRef", func(a native.Args) (any, error) {
		timer := t.timers[a.Int(0)]
		return timer != nil && timer.HasRef(), nil
	})
	o.Func("refresh", func(a native.Args) (any, error) {
		timer := t.timers[a.Int(0)]
		if timer == nil {
			return false, nil
		}
		timer.Refresh(time.Duration(a.Int(1)) * time.Millisecond)
		return true, nil
	})
	o.Func("immediate", func(a native.Args) (any, error) {
		t.last++
		id, callback := t.last, a.Callback(0)
		t.immediates[id] = l.SetImmediate(func() {
			delete(t.immediates, id)
			callback.Call()
		})
		return id, nil
	})
	o.Func("clearImmediate", func(a native.Args) (any, error) {
		if i := t.immediates[a.Int(0)]; i != nil {
			i.Clear()
			delete(t.immediates, a.Int(0))
		}
		return nil, nil
	})
	o.Func("refImmediate", func(a native.Args) (any, error) {
		if i := t.immediates[a.Int(0)]; i != nil {
			i.Ref(a.Bool(1))
		}
		return nil, nil
	})
	o.Func("hasRefImmediate", func(a native.Args) (any, error) {
		i := t.immediates[a.Int(0)]
		return i != nil && i.HasRef(), nil
	})
	o.Func("invoke", func(a native.Args) (any, error) {
		a.Callback(0).Call()
		return nil, nil
	})
	return o.Object
}

// set makes a timer. One that fired stays in the table while its callback
// runs, so that the callback may refresh it.
func (t *timerTable) set(l *loop.Loop, a native.Args) int64 {
	t.last++
	id, callback, repeat := t.last, a.Callback(0), a.Bool(2)
	var timer *loop.Timer
	timer = l.SetTimer(time.Duration(a.Float(1)*float64(time.Millisecond)), repeat, func() {
		callback.Call()
		if !repeat && !timer.Active() {
			delete(t.timers, id)
		}
	})
	t.timers[id] = timer
	return id
}

func clockModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	_ = o.Set("origin", float64(time.Now().Add(-l.Now()).UnixNano())/1e6)
	o.Func("now", func(native.Args) (any, error) { return float64(l.Now()) / 1e6, nil })
	return o.Object
}

func contextModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	o.Func("get", func(native.Args) (any, error) {
		if v := l.Scope(); v != nil {
			return v, nil
		}
		return nil, nil
	})
	o.Func("set", func(a native.Args) (any, error) {
		l.SetScope(nil)
		if a.Given(0) {
			l.SetScope(a.At(0))
		}
		return nil, nil
	})
	return o.Object
}
