package media

import (
	"context"
	"sync/atomic"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// binding is the native module behind the JavaScript of this room.
const binding = "internal:media"

const defaultBudget = 256 << 20

// Module is the media streams of one runtime. All but what its documentation
// says otherwise belongs to the loop.
type Module struct {
	l    *loop.Loop
	rt   *goja.Runtime
	opts Options
	busy activity

	alive  *loop.Pending // while something goes on in Go
	ids    int
	stages map[int]*stage
	links  map[int]*link
	graph  graph

	types  types
	tracks map[*media.Track]*goja.Object
	held   *atomic.Int64 // bytes that the script holds
	source *stage
	closed chan struct{}
}

// Provide makes the natives of the media streams known to a loop. It is called
// before the loop runs.
func Provide(l *loop.Loop, o Options) *Module {
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	m := &Module{
		l: l, rt: l.Runtime(), opts: o,
		stages: map[int]*stage{}, links: map[int]*link{}, tracks: map[*media.Track]*goja.Object{},
		held: new(atomic.Int64), closed: make(chan struct{}),
	}
	m.busy.idle = func() { m.post(m.settle) }
	if o.Clock != nil {
		o.Clock.attach(m)
	}
	l.Provide(binding, func(*loop.Loop) goja.Value { return m.exports() })
	context.AfterFunc(l.Context(), m.close)
	return m
}

// post runs f on the loop, from any goroutine. What f wakes keeps the loop
// alive.
func (m *Module) post(f func()) {
	m.l.Post(func() {
		f()
		m.stayAliveWhileBusy()
	})
}

// stayAlive keeps the loop alive for as long as something goes on in Go.
func (m *Module) stayAlive() {
	if m.alive == nil {
		m.alive = m.l.Pending()
	}
}

func (m *Module) settle() {
	if m.alive != nil && !m.busy.any() {
		m.alive.Settle(func() {})
		m.alive = nil
	}
}

// wait runs f on the loop when done is closed.
func (m *Module) wait(done <-chan struct{}, f func()) {
	p := m.l.Pending()
	go func() {
		<-done
		p.Settle(f)
	}()
}

// close ends everything when the loop is over; nothing of it runs any more.
func (m *Module) close() {
	defer close(m.closed)
	for _, s := range m.stages {
		s.cancel(errDestroyed)
		if s.in != nil {
			s.in.close()
		}
		if s.out != nil {
			s.out.close()
		}
		s.once.Do(func() {
			close(s.done)
			s.discard()
		})
	}
	for _, s := range m.stages {
		<-s.done
	}
	if m.opts.Source != nil && m.source == nil {
		m.opts.Source.Close()
	}
}

// How much may wait between two stages.
const (
	packetsWaiting = 32
	packetBytes    = 16 << 20
	framesWaiting  = 4
	bytesWaiting   = 16
	// sourceWaiting is longer than coders and sinks take to start: a live
	// source drops what finds no room.
	sourceWaiting = 512
)

func waiting(f form) (limit int, size int64) {
	switch f {
	case frames:
		return framesWaiting, 0
	case bytes:
		return bytesWaiting, 4 << 20
	}
	return packetsWaiting, packetBytes
}

// add makes a stage. Its queue and outlet are made for what it takes and
// gives.
func (m *Module) add(s *stage) *stage {
	m.ids++
	s.m, s.id = m, m.ids
	s.ctx, s.cancel = context.WithCancelCause(m.l.Context())
	s.done = make(chan struct{})
	if s.takes != nothing {
		limit, size := waiting(s.takes)
		s.in = newQueue(&m.busy, limit, size)
	}
	if s.gives != nothing {
		limit, size := waiting(s.gives)
		if s.takes == nothing {
			limit = sourceWaiting
		}
		s.out = newOutlet(&m.busy, limit, size)
	}
	m.stages[s.id] = s
	return s
}

// trackObject is a track as scripts see it: one object a revision.
func (m *Module) trackObject(t *media.Track) *goja.Object {
	if o := m.tracks[t]; o != nil {
		return o
	}
	o := m.rt.NewObject()
	set := func(name string, v any) {
		_ = o.DefineDataProperty(name, m.rt.ToValue(v), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
	}
	set("id", t.ID)
	set("kind", t.Kind.String())
	set("codec", string(t.Codec))
	set("clockRate", t.ClockRate)
	switch t.Kind {
	case media.Video:
		set("width", t.Width)
		set("height", t.Height)
		set("rotation", t.Rotation)
		if t.FrameRate.Known() {
			set("frameRate", t.FrameRate.Float())
		}
	case media.Audio:
		set("sampleRate", t.SampleRate)
		set("channels", t.Channels)
	}
	if t.Language != "" {
		set("language", t.Language)
	}
	if t.Bitrate > 0 {
		set("bitrate", t.Bitrate)
	}
	if t.Config != nil {
		set("config", m.buffer(append([]byte(nil), t.Config...)))
	}
	_ = o.DefineDataPropertySymbol(m.types.native, m.rt.ToValue(&trackRef{t}), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	if len(m.tracks) > 256 { // revisions of a source that changes all the time
		clear(m.tracks)
	}
	m.tracks[t] = o
	return o
}

type trackRef struct{ t *media.Track }

// trackFrom is the track behind a script's object; nil where it is none of
// ours.
func (m *Module) trackFrom(v goja.Value) *media.Track {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	if hidden := o.GetSymbol(m.types.native); hidden != nil {
		if ref, ok := native.Held(hidden).(*trackRef); ok {
			return ref.t
		}
	}
	return nil
}

func (m *Module) absent(what string) error {
	return &loop.Error{Code: codeAbsent, Message: what + " needs the codecs of this program, which this runtime was not given: " +
		"it works in pipeline scripts and in millrace run"}
}

// Source is what a pipeline script is called with, as a Node stream. It is for
// the loop.
func (m *Module) Source() (*goja.Object, error) {
	v, err := m.l.Require("millrace")
	if err != nil {
		return nil, err
	}
	key, err := m.rt.RunString("Symbol.for('millrace.source')")
	if err != nil {
		return nil, err
	}
	symbol, _ := key.(*goja.Symbol)
	make, ok := goja.AssertFunction(v.ToObject(m.rt).GetSymbol(symbol))
	if !ok {
		return nil, m.absent("the source")
	}
	source, err := make(goja.Undefined())
	if err != nil {
		return nil, err
	}
	return source.ToObject(m.rt), nil
}

// Wait waits until nothing of the media streams is left, after the loop's end.
func (m *Module) Wait() { <-m.closed }
