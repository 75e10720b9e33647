package media

import (
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// exports is the native module behind media.js. Stages are named by number.
func (m *Module) exports() goja.Value {
	o := native.New(m.l)
	m.types.native = goja.NewSymbol("millrace")
	m.types.video, m.types.audio = m.rt.ToValue("video"), m.rt.ToValue("audio")
	_ = o.Set("setUp", m.setUp)
	_ = o.Set("newPacket", m.constructor(m.newPacket))
	_ = o.Set("newFrame", m.constructor(m.newFrame))
	m.objectNatives(o)
	m.stageNatives(o)
	m.makerNatives(o)
	return o.Object
}

func (m *Module) constructor(f func(*goja.Object) (*goja.Object, error)) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		init, ok := call.Argument(0).(*goja.Object)
		if !ok {
			m.l.Throw(&loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "a new Packet or Frame is described by an object"})
		}
		o, err := f(init)
		if err != nil {
			m.l.Throw(reason(err))
		}
		return o
	}
}

// stageNatives are what the stream classes do with a stage.
func (m *Module) stageNatives(o native.Object) {
	o.Func("listen", func(a native.Args) (any, error) {
		s, f := m.stage(a, 0), a.Callback(1)
		s.listener = func(event string, value goja.Value) { f.Call(event, value) }
		return nil, nil
	})
	o.Func("handles", func(a native.Args) (any, error) {
		m.stage(a, 0).handles.Store(a.Bool(1))
		return nil, nil
	})
	o.Func("read", func(a native.Args) (any, error) { return m.read(m.stage(a, 0), int(a.Int(1))) })
	o.Func("whenReadable", func(a native.Args) (any, error) {
		s, f := m.stage(a, 0), a.Callback(1)
		m.stayAliveWhileBusy()
		s.js.whenReadable(func() { m.post(func() { f.Call() }) })
		return nil, nil
	})
	o.Func("write", func(a native.Args) (any, error) {
		s := m.stage(a, 0)
		room, err := m.write(s, s.scripted(a.String(4), nil), a.At(1), a.Bool(2))
		if err != nil {
			return nil, reason(err)
		}
		if room {
			return true, nil
		}
		f := a.Callback(3)
		s.in.whenWritable(func() { m.post(func() { f.Call() }) })
		return false, nil
	})
	// expect(id, name): a stream of the script's will write to the stage.
	o.Func("expect", func(a native.Args) (any, error) {
		m.stage(a, 0).scripted(a.String(1), nil)
		return nil, nil
	})
	o.Func("end", func(a native.Args) (any, error) {
		s := m.stage(a, 0)
		s.in.end()
		s.begin()
		m.stayAlive()
		return nil, nil
	})
	o.Func("destroy", func(a native.Args) (any, error) {
		s, f := m.stage(a, 0), a.Callback(1)
		delete(m.stages, s.id)
		s.destroy(func() { f.Call() })
		return nil, nil
	})
	o.Func("link", func(a native.Args) (any, error) {
		f := a.Callback(2)
		if err := m.stage(a, 0).begunJoined(m.stage(a, 1)); err != nil {
			return nil, reason(m.named(err))
		}
		m.ids++
		m.links[m.ids] = join(m.stage(a, 0), m.stage(a, 1), func() { f.Call() })
		return m.ids, nil
	})
	o.Func("unlink", func(a native.Args) (any, error) {
		id := int(a.Int(0))
		if l := m.links[id]; l != nil {
			delete(m.links, id)
			l.stop()
		}
		return nil, nil
	})
	o.Func("dropped", func(a native.Args) (any, error) {
		if s := m.stage(a, 0); s.out != nil {
			return s.out.dropped(), nil
		}
		return 0, nil
	})
	o.Func("edge", func(a native.Args) (any, error) {
		m.graph.link(a.String(0), a.String(1), a.String(2), a.String(3))
		return nil, nil
	})
	o.Func("fuse", m.fuse)
}

// stage is the stage that a script's stream stands for.
func (m *Module) stage(a native.Args, i int) *stage {
	s := m.stages[int(a.Int(i))]
	if s == nil {
		m.l.Throw(&loop.Error{Code: "ERR_STREAM_DESTROYED", Message: "the stream was destroyed"})
	}
	return s
}

// scripted is the number of the input that a stream of the script's feeds,
// which has a name where it is known. The same one has the same number whether
// it is on the fast path or not.
func (s *stage) scripted(name string, from *stage) int {
	s.mu.Lock()
	n, known := s.named[name]
	if known && from != nil {
		s.before[n] = from
	}
	s.mu.Unlock()
	if known {
		return n
	}
	n = s.input(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named == nil {
		s.named = map[string]int{}
	}
	s.named[name] = n
	return n
}

// read gives JavaScript what there is: an array, undefined where it has to
// wait, null at the end.
func (m *Module) read(s *stage, most int) (any, error) {
	if s.js == nil {
		if err := s.begunJoined(nil); err != nil {
			return nil, reason(m.named(err))
		}
		s.js = s.out.attach()
		s.start()
	}
	got := make([]object, max(most, 1))
	n, over := s.js.take(got)
	if n == 0 {
		if over {
			return goja.Null(), nil
		}
		return nil, nil
	}
	m.stayAliveWhileBusy()
	values := make([]any, 0, n)
	for i := range n {
		v, err := m.value(got[i])
		if err != nil {
			for ; i < n; i++ {
				got[i].close()
			}
			return nil, reason(err)
		}
		values = append(values, v)
	}
	return m.rt.NewArray(values...), nil
}

// stayAliveWhileBusy keeps the loop alive where something was woken.
func (m *Module) stayAliveWhileBusy() {
	if m.busy.any() {
		m.stayAlive()
	}
}

// write gives a stage what a script wrote or put out, and reports whether
// there is room for more.
func (m *Module) write(s *stage, input int, v goja.Value, keep bool) (room bool, err error) {
	var o object
	if h := handleOf(v); h != nil {
		o, err = h.give(keep)
	} else {
		err = &Error{
			Stage: s.kind, Stream: m.opts.Stream, Code: codeLink,
			Message: "it was given " + describe(v) + ", and takes " + string(s.takes) + " of the module millrace",
		}
	}
	if err != nil {
		return false, err
	}
	if err := s.fits(&o); err != nil {
		o.close()
		return false, err
	}
	o.input = input
	room, err = s.in.force(o)
	s.start()
	m.stayAliveWhileBusy()
	return room, err
}

// fits says what is wrong with an object for a stage.
func (s *stage) fits(o *object) error {
	if s.takes == either || s.takes == frames && o.frame != nil || s.takes == packets && o.packet != nil {
		return nil
	}
	hint := ""
	switch {
	case s.takes == frames && o.packet != nil:
		hint = "; decode() makes frames of packets"
	case s.takes == packets && o.frame != nil:
		hint = "; encode() makes packets of frames"
	}
	return s.misfit(o, string(s.takes)+hint)
}

func describe(v goja.Value) string {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return "nothing"
	}
	if o, ok := v.(*goja.Object); ok {
		if c, ok := o.Get("constructor").(*goja.Object); ok {
			if name := c.Get("name"); name != nil {
				return "a value of type " + name.String()
			}
		}
		return "an object"
	}
	return "a " + v.ExportType().String()
}

// fuse begins the fast path: (from, to, [{ self, transform }], over, fail,
// the last one's name; without to the last one is a Writable) gives { push(i, v), whenIdle(i, f), stop() }.
func (m *Module) fuse(a native.Args) (any, error) {
	from := m.stage(a, 0)
	if err := from.begunJoined(nil); err != nil {
		return nil, reason(m.named(err))
	}
	f := &fused{m: m, from: from, encoding: m.rt.ToValue("buffer")}
	if a.Given(1) {
		f.to = m.stage(a, 1)
	}
	list := a.At(2).ToObject(m.rt)
	for i := range int(list.Get("length").ToInteger()) {
		o := list.Get(m.rt.ToValue(i).String()).ToObject(m.rt)
		transform, _ := goja.AssertFunction(o.Get("transform"))
		f.steps = append(f.steps, &step{self: o.Get("self"), transform: transform})
	}
	over, fail := a.Callback(3), a.Callback(4)
	f.over = func() { over.Call() }
	f.fail = func(i int, err goja.Value) { fail.Call(i, err) }
	f.q = from.out.attach()
	from.start()
	if f.to != nil {
		f.input = f.to.scripted(a.String(5), from)
		f.to.start()
	}
	m.l.NextTick(f.pump)
	o := native.New(m.l)
	o.Func("push", func(a native.Args) (any, error) { return f.deliver(int(a.Int(0)), a.At(1)), nil })
	o.Func("whenIdle", func(a native.Args) (any, error) {
		g := a.Callback(1)
		f.whenIdle(int(a.Int(0)), func() { g.Call() })
		return nil, nil
	})
	o.Func("stop", func(native.Args) (any, error) {
		f.stop()
		return nil, nil
	})
	return o, nil
}
