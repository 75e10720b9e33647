package media

import (
	"fmt"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// frameRef is a Frame as a script holds it. Its memory is C's: it is freed
// when the frame has been passed on, or is closed, or collected, and the
// Buffers that look into it are detached then.
type frameRef struct {
	m       *Module
	self    *goja.Object
	hold    *holding // nil: closed
	track   *media.Track
	epoch   uint32
	arrival time.Duration
	force   bool

	planes   goja.Value
	views    []goja.ArrayBuffer
	extra    map[string]goja.Value
	retained bool
}

var pictureKeys = []string{"kind", "track", "pts", "time", "width", "height", "format", "key", "epoch", "size", "planes"}

var soundKeys = []string{"kind", "track", "pts", "time", "format", "samples", "sampleRate", "channels", "epoch", "size", "planes"}

// frameObject hands a frame to the script. What the budget does not allow is
// closed.
func (m *Module) frameObject(o object) (*goja.Object, error) {
	hold, err := m.hold(o.frame, o.frame.Bytes())
	if err != nil {
		o.close()
		return nil, err
	}
	r := &frameRef{m: m, hold: hold, track: o.track, epoch: o.epoch, arrival: o.arrival}
	r.self = m.rt.NewDynamicObject(r)
	_ = r.self.SetPrototype(m.types.frame)
	return r.self, nil
}

// frame is the frame behind; it throws where there is none any more.
func (r *frameRef) frame() transcode.Frame {
	if r.hold == nil {
		r.m.l.Throw(errReleased("frame"))
	}
	return r.hold.frame
}

// Get is what the property has.
func (r *frameRef) Get(key string) goja.Value {
	if v, ok := r.extra[key]; ok {
		return v
	}
	if !r.Has(key) {
		return nil
	}
	rt, f := r.m.rt, r.frame()
	switch key {
	case "kind":
		return r.m.kind(f.Kind())
	case "track":
		if r.track == nil {
			return goja.Undefined()
		}
		return r.m.trackObject(r.track)
	case "pts", "time":
		pts, ok := f.PTS()
		switch {
		case !ok:
			return goja.Undefined()
		case key == "pts":
			return rt.ToValue(pts)
		}
		return rt.ToValue(seconds(pts, f.ClockRate()))
	case "width":
		return rt.ToValue(f.Width())
	case "height":
		return rt.ToValue(f.Height())
	case "format":
		return rt.ToValue(f.Format())
	case "key":
		return rt.ToValue(f.Key())
	case "forceKey":
		return rt.ToValue(r.force)
	case "clockRate":
		return rt.ToValue(f.ClockRate())
	case "epoch":
		return rt.ToValue(r.epoch)
	case "samples":
		return rt.ToValue(f.Samples())
	case "sampleRate":
		return rt.ToValue(f.SampleRate())
	case "channels":
		return rt.ToValue(f.Channels())
	case "size":
		return rt.ToValue(f.Bytes())
	}
	return r.look()
}

// Set changes a property.
func (r *frameRef) Set(key string, v goja.Value) bool {
	switch key {
	case "pts":
		r.frame().SetPTS(v.ToInteger())
	case "time":
		f := r.frame()
		f.SetPTS(ticks(v.ToFloat(), f.ClockRate()))
	case "forceKey":
		r.force = v.ToBoolean()
	case "epoch":
		r.epoch = uint32(v.ToInteger())
	default:
		if r.Has(key) {
			return false
		}
		if r.extra == nil {
			r.extra = map[string]goja.Value{}
		}
		r.extra[key] = v
	}
	return true
}

// Has tells whether the object has the property itself.
func (r *frameRef) Has(key string) bool {
	switch key {
	case "kind", "track", "pts", "time", "width", "height", "format", "key", "forceKey", "clockRate", "epoch",
		"samples", "sampleRate", "channels", "size", "planes":
		return true
	}
	_, ok := r.extra[key]
	return ok
}

// Delete takes away what the script added.
func (r *frameRef) Delete(key string) bool {
	if _, ok := r.extra[key]; ok {
		delete(r.extra, key)
		return true
	}
	return !r.Has(key)
}

// Keys lists the properties.
func (r *frameRef) Keys() []string {
	if r.hold == nil {
		return nil
	}
	keys := pictureKeys
	if r.hold.frame.Kind() == media.Audio {
		keys = soundKeys
	}
	for k := range r.extra {
		keys = append(keys[:len(keys):len(keys)], k)
	}
	return keys
}

// look makes the planes' Buffers, which look into the frame's own memory.
func (r *frameRef) look() goja.Value {
	if r.planes != nil {
		return r.planes
	}
	f := r.frame()
	planes := make([]any, f.Planes())
	for i := range planes {
		data, stride := f.Plane(i)
		ab := r.m.rt.NewArrayBuffer(data)
		o := r.m.rt.ToValue(ab).ToObject(r.m.rt)
		_ = o.DefineDataPropertySymbol(r.m.types.native, r.self, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
		r.views = append(r.views, ab)
		plane := r.m.rt.NewObject()
		_ = plane.Set("data", r.m.wrap(ab))
		_ = plane.Set("stride", stride)
		planes[i] = plane
	}
	r.planes = r.m.rt.NewArray(planes...)
	return r.planes
}

// blind detaches the Buffers that look into the frame.
func (r *frameRef) blind() {
	for _, ab := range r.views {
		ab.Detach()
	}
	r.views, r.planes = nil, nil
}

func (r *frameRef) writable() {
	f := r.frame()
	before := f.Bytes()
	r.blind() // the memory may be another
	if err := f.Writable(); err != nil {
		r.m.l.Throw(err)
	}
	if err := r.m.charge(f.Bytes() - before); err != nil {
		r.m.l.Throw(err)
	}
	r.hold.size += f.Bytes() - before
}

func (r *frameRef) close() {
	if r.hold == nil {
		return
	}
	r.blind()
	r.hold.free()
	r.hold = nil
}

func (r *frameRef) release() {
	if !r.retained {
		r.close()
	}
}

// give is the frame for a stage: the script's own where it did not keep it,
// else one that shares the memory.
func (r *frameRef) give(keep bool) (object, error) {
	if r.hold == nil {
		return object{}, errReleased("frame")
	}
	o := object{track: r.track, epoch: r.epoch, arrival: r.arrival, force: r.force}
	if keep || r.retained {
		f, err := r.hold.frame.Clone()
		if err != nil {
			return object{}, err
		}
		o.frame = f
		return o, nil
	}
	r.blind()
	o.frame = r.hold.take()
	r.hold = nil
	return o, nil
}

// clone shares the memory with another Frame.
func (r *frameRef) clone() goja.Value {
	f, err := r.frame().Clone()
	if err != nil {
		r.m.l.Throw(err)
	}
	return r.another(f)
}

func (r *frameRef) another(f transcode.Frame) goja.Value {
	o, err := r.m.frameObject(object{frame: f, track: r.track, epoch: r.epoch, arrival: r.arrival})
	if err != nil {
		r.m.l.Throw(err)
	}
	if made, ok := native.Held(o).(*frameRef); ok {
		made.retained = true // it came from nowhere: nothing but the script gives it up
	}
	return o
}

// work does something with a frame that takes time, off the loop, and gives
// the promise of what came of it.
func (r *frameRef) work(f func(transcode.Frame) (func() goja.Value, error)) goja.Value {
	shared, err := r.frame().Clone()
	if err != nil {
		r.m.l.Throw(err)
	}
	promise, resolve, reject := r.m.rt.NewPromise()
	p := r.m.l.Pending()
	go func() {
		made, err := f(shared)
		shared.Close()
		p.Settle(func() {
			if err != nil {
				_ = reject(r.m.l.Reason(reason(err)))
				return
			}
			_ = resolve(made())
		})
	}()
	return r.m.rt.ToValue(promise)
}

// newFrame is the constructor: new Frame({ width, height, format, pts }) is
// black, new Frame({ sampleRate, channels, samples, pts }) silent.
func (m *Module) newFrame(init *goja.Object) (*goja.Object, error) {
	if m.opts.Engine == nil {
		return nil, m.absent("Frame")
	}
	number := func(name string, otherwise int) int {
		if n := given(init.Get(name)); n != nil {
			return int(n.ToInteger())
		}
		return otherwise
	}
	o := object{arrival: media.Now(), track: m.trackFrom(given(init.Get("track")))}
	var err error
	if samples := number("samples", 0); samples > 0 || number("sampleRate", 0) > 0 {
		rate, channels := number("sampleRate", 48000), number("channels", 2)
		if rate < 1 || rate > 768000 || channels < 1 || channels > 64 || samples < 1 || samples > 1<<20 {
			return nil, fmt.Errorf("a Frame of %d samples of %d channels at %d Hz cannot be made", samples, channels, rate)
		}
		o.frame, err = m.opts.Engine.Samples(rate, channels, samples)
	} else {
		width, height := number("width", 0), number("height", 0)
		if width < 1 || height < 1 || width > 16384 || height > 16384 {
			return nil, fmt.Errorf("a Frame of %dx%d pixels cannot be made", width, height)
		}
		format := "yuv420p"
		if v := given(init.Get("format")); v != nil {
			format = v.String()
		}
		o.frame, err = m.opts.Engine.Picture(width, height, format)
	}
	if err != nil {
		return nil, err
	}
	if rate := number("clockRate", 0); rate > 0 {
		o.frame.SetClockRate(rate)
	} else if o.track != nil {
		o.frame.SetClockRate(o.track.ClockRate)
	} else if o.frame.Kind() == media.Video {
		o.frame.SetClockRate(90000)
	} else {
		o.frame.SetClockRate(o.frame.SampleRate())
	}
	value, err := m.frameObject(o)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"pts", "time", "epoch", "forceKey"} {
		if v := given(init.Get(name)); v != nil {
			if err := value.Set(name, v); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
