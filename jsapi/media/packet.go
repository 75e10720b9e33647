package media

import (
	"errors"
	"math"
	"slices"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// packetRef is a Packet as a script holds it: an object whose properties are
// read and written here. What is behind it is shared until it is changed.
type packetRef struct {
	m   *Module
	p   *media.Packet
	own bool // p is this one's, not shared

	place *place // where a ladder made it

	alone bool // nobody else has the payload
	data  goja.Value
	view  goja.ArrayBuffer
	extra map[string]goja.Value // properties that the script added

	closed   bool
	retained bool
	hold     *holding // what is charged for it; nil nothing
}

// packetKeys are the properties of a Packet, in the order in which they are
// listed.
var packetKeys = []string{"kind", "track", "codec", "pts", "dts", "duration", "time", "key", "size", "epoch", "data"}

func (m *Module) packetObject(p *media.Packet, at *place) *goja.Object {
	o := m.rt.NewDynamicObject(&packetRef{m: m, p: p, place: at})
	_ = o.SetPrototype(m.types.packet)
	return o
}

// Get is what the property has; nil where there is none, and the prototype is
// asked.
func (r *packetRef) Get(key string) goja.Value {
	if v, ok := r.extra[key]; ok {
		return v
	}
	rt, p := r.m.rt, r.p
	switch key {
	case "pts":
		return rt.ToValue(p.PTS)
	case "key":
		return rt.ToValue(p.Key)
	case "track":
		return r.m.trackObject(p.Track)
	case "kind":
		return r.m.kind(p.Track.Kind)
	case "data":
		return r.buffer()
	case "dts":
		return rt.ToValue(p.DTS)
	case "duration":
		return rt.ToValue(p.Duration)
	case "codec":
		return rt.ToValue(string(p.Track.Codec))
	case "time":
		return rt.ToValue(seconds(p.PTS, p.Track.ClockRate))
	case "size":
		return rt.ToValue(len(p.Payload))
	case "epoch":
		return rt.ToValue(p.Epoch)
	case "rendition":
		if r.place != nil {
			return r.m.renditionObject(r.place.of)
		}
	}
	return nil
}

// Set changes a property.
func (r *packetRef) Set(key string, v goja.Value) bool {
	switch key {
	case "pts":
		r.mine().PTS = v.ToInteger()
	case "dts":
		r.mine().DTS = v.ToInteger()
	case "duration":
		r.mine().Duration = v.ToInteger()
	case "time":
		p := r.mine()
		pts := ticks(v.ToFloat(), p.Track.ClockRate)
		p.DTS += pts - p.PTS
		p.PTS = pts
	case "key":
		r.mine().Key = v.ToBoolean()
	case "epoch":
		r.mine().Epoch = uint32(v.ToInteger())
	case "track":
		t := r.m.trackFrom(v)
		if t == nil {
			r.m.l.Throw(&loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "packet.track must be a track of a source"})
		}
		r.mine().Track = t
	case "data":
		r.replace(v)
	case "kind", "codec", "size", "rendition":
		return false
	default:
		if r.extra == nil {
			r.extra = map[string]goja.Value{}
		}
		r.extra[key] = v
	}
	return true
}

// Has tells whether the object has the property itself.
func (r *packetRef) Has(key string) bool {
	if _, ok := r.extra[key]; ok {
		return true
	}
	return key == "rendition" && r.place != nil || slices.Contains(packetKeys, key)
}

// Delete takes away what the script added.
func (r *packetRef) Delete(key string) bool {
	if _, ok := r.extra[key]; ok {
		delete(r.extra, key)
		return true
	}
	return !r.Has(key)
}

// Keys lists the properties.
func (r *packetRef) Keys() []string {
	keys := packetKeys
	if r.place != nil {
		keys = append(keys[:len(keys):len(keys)], "rendition")
	}
	for k := range r.extra {
		keys = append(keys[:len(keys):len(keys)], k)
	}
	return keys
}

// mine is the packet to write to.
func (r *packetRef) mine() *media.Packet {
	r.check()
	if !r.own {
		p := *r.p
		r.p, r.own = &p, true
	}
	return r.p
}

func (r *packetRef) check() {
	if r.closed {
		r.m.l.Throw(errReleased("packet"))
	}
}

func errReleased(what string) *loop.Error {
	return &loop.Error{
		Code:    codeClosed,
		Message: "this " + what + " was closed, or passed on and released; retain() keeps one, clone() makes another",
	}
}

// buffer is the payload as a Buffer, without a copy.
func (r *packetRef) buffer() goja.Value {
	r.check()
	if r.data == nil {
		r.view = r.m.rt.NewArrayBuffer(r.p.Payload)
		r.data = r.m.wrap(r.view)
	}
	return r.data
}

// replace puts another payload in the place of the one that is there.
func (r *packetRef) replace(v goja.Value) {
	b, ok := bytesOf(v)
	if !ok {
		r.m.l.Throw(&loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "packet.data must be a Buffer or another view of bytes"})
	}
	r.mine().Payload = b
	r.data, r.alone = nil, true
	r.recharge()
}

// writable makes the payload this packet's alone.
func (r *packetRef) writable() {
	r.check()
	if r.alone {
		return
	}
	p := r.mine()
	p.Payload = append([]byte(nil), p.Payload...)
	r.data, r.alone = nil, true
	r.recharge()
}

// retain keeps the packet, and counts it against the script's budget, until
// it is closed or collected.
func (r *packetRef) retain() {
	r.check()
	if r.retained {
		return
	}
	r.retained = true
	r.recharge()
}

// recharge counts a payload that the script keeps.
func (r *packetRef) recharge() {
	if !r.retained && !r.alone {
		return
	}
	r.discharge()
	hold, err := r.m.hold(nil, int64(len(r.p.Payload)))
	if err != nil {
		r.m.l.Throw(err)
	}
	r.hold = hold
}

func (r *packetRef) discharge() {
	if r.hold != nil {
		r.hold.free()
		r.hold = nil
	}
}

// close gives the packet up; its Buffers throw from now on.
func (r *packetRef) close() {
	if r.closed {
		return
	}
	r.closed = true
	r.discharge()
	if r.data != nil {
		r.view.Detach()
		r.data = nil
	}
	r.p = &media.Packet{Track: r.p.Track}
}

// passed is called when the packet has gone to a stage: its payload is shared
// from now on.
func (r *packetRef) passed() {
	r.own, r.alone = false, false
	if !r.retained {
		r.discharge()
	}
}

func (r *packetRef) clone() *goja.Object {
	r.check()
	r.own, r.alone = false, false
	return r.m.packetObject(r.p, r.place)
}

// newPacket is the constructor: new Packet({ track, pts, dts, duration, key,
// data }), or of another packet with some of them changed.
func (m *Module) newPacket(init *goja.Object) (*goja.Object, error) {
	p := media.Packet{Arrival: media.Now()}
	var at *place
	if like, ok := native.Held(init).(*packetRef); ok {
		like.check()
		like.own, like.alone = false, false
		return m.packetObject(like.p, like.place), nil
	}
	get := func(name string) goja.Value { return given(init.Get(name)) }
	if v := get("like"); v != nil {
		if like, ok := native.Held(v).(*packetRef); ok {
			like.check()
			p, at = *like.p, like.place
		}
	}
	if v := get("track"); v != nil {
		if p.Track = m.trackFrom(v); p.Track == nil {
			t, err := m.trackOf(v)
			if err != nil {
				return nil, err
			}
			p.Track = t
		}
	}
	if p.Track == nil {
		return nil, errors.New("a new Packet needs a track: one of a source, of another packet, or { kind, codec, clockRate, … }")
	}
	r := &packetRef{m: m, p: &p, own: true, place: at}
	o := m.rt.NewDynamicObject(r)
	_ = o.SetPrototype(m.types.packet)
	for _, name := range []string{"pts", "dts", "duration", "key", "epoch", "data"} {
		if v := get(name); v != nil {
			r.Set(name, v)
		}
	}
	if v := get("time"); v != nil {
		r.Set("time", v)
	}
	if get("dts") == nil && get("pts") != nil {
		p.DTS = p.PTS
	}
	return o, nil
}

func seconds(ticks int64, rate int) float64 { return float64(ticks) / float64(max(rate, 1)) }

func ticks(seconds float64, rate int) int64 { return int64(math.Round(seconds * float64(rate))) }

// given is a value that is there.
func given(v goja.Value) goja.Value {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return nil
	}
	return v
}
