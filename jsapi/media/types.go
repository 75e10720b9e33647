package media

import (
	"fmt"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
)

// types are what JavaScript gave to be used for our objects.
type types struct {
	native        *goja.Symbol // behind it lies what an object stands for
	packet, frame *goja.Object // prototypes
	toBuffer      goja.Callable
	video, audio  goja.Value
}

// setUp takes the prototypes and what makes a Buffer of an ArrayBuffer.
func (m *Module) setUp(call goja.FunctionCall) goja.Value {
	m.types.packet, _ = call.Argument(0).(*goja.Object)
	m.types.frame, _ = call.Argument(1).(*goja.Object)
	m.types.toBuffer, _ = goja.AssertFunction(call.Argument(2))
	return goja.Undefined()
}

func (m *Module) kind(k media.Kind) goja.Value {
	if k == media.Video {
		return m.types.video
	}
	return m.types.audio
}

// wrap is an ArrayBuffer as a Buffer.
func (m *Module) wrap(ab goja.ArrayBuffer) goja.Value {
	v, err := m.types.toBuffer(goja.Undefined(), m.rt.ToValue(ab))
	if err != nil {
		panic(err)
	}
	return v
}

// buffer is bytes as a Buffer, without a copy.
func (m *Module) buffer(b []byte) goja.Value { return m.wrap(m.rt.NewArrayBuffer(b)) }

// bytesOf are the bytes of a Buffer or another view, without a copy.
func bytesOf(v goja.Value) ([]byte, bool) {
	switch b := native.Held(v).(type) {
	case []byte:
		return b, true
	case goja.ArrayBuffer:
		return b.Bytes(), true
	}
	return nil, false
}

// trackOf makes a track of a description: { kind, codec, clockRate, width,
// height, sampleRate, channels, config, language }.
func (m *Module) trackOf(v goja.Value) (*media.Track, error) {
	o := v.ToObject(m.rt)
	number := func(name string) int {
		if n := given(o.Get(name)); n != nil {
			return int(n.ToInteger())
		}
		return 0
	}
	text := func(name string) string {
		if s := given(o.Get(name)); s != nil {
			return s.String()
		}
		return ""
	}
	t := &media.Track{
		ID: number("id"), Codec: media.Codec(text("codec")), ClockRate: number("clockRate"), Language: text("language"),
		Width: number("width"), Height: number("height"), SampleRate: number("sampleRate"), Channels: number("channels"),
	}
	switch kind := text("kind"); kind {
	case "video":
		t.Kind = media.Video
	case "audio":
		t.Kind = media.Audio
	default:
		return nil, fmt.Errorf("a track's kind is video or audio, not %q", kind)
	}
	if t.ClockRate <= 0 {
		t.ClockRate = 90000
		if t.Kind == media.Audio && t.SampleRate > 0 {
			t.ClockRate = t.SampleRate
		}
	}
	if c := given(o.Get("config")); c != nil {
		b, ok := bytesOf(c)
		if !ok {
			return nil, fmt.Errorf("a track's config is a Buffer")
		}
		t.Config = append([]byte(nil), b...)
	}
	return t, nil
}

// value is an object of the media path as scripts see it. What cannot be
// charged is closed.
func (m *Module) value(o object) (goja.Value, error) {
	switch {
	case o.packet != nil:
		return m.packetObject(o.packet, o.place), nil
	case o.frame != nil:
		return m.frameObject(o)
	}
	return m.buffer(o.bytes), nil
}

// handle is what a script's object stands for.
type handle interface {
	// give is the object for a stage. Where the script keeps what it wrote,
	// keep is set, and memory is shared.
	give(keep bool) (object, error)
	// release gives up what the script did not retain.
	release()
}

func handleOf(v goja.Value) handle {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	h, _ := native.Held(o).(handle)
	return h
}

func (r *packetRef) give(bool) (object, error) {
	if r.closed {
		return object{}, errReleased("packet")
	}
	o := object{packet: r.p, arrival: r.p.Arrival, place: r.place}
	r.passed()
	return o, nil
}

func (r *packetRef) release() {
	if !r.retained {
		r.discharge()
	}
}
