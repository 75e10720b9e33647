package stream

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode/wire"
)

// natives is what the glue finds of this package.
func (s *script) natives(l *loop.Loop) goja.Value {
	o, job, rt := native.New(l), s.c.job, l.Runtime()
	o.Func("info", func(native.Args) (any, error) {
		env := rt.NewObject()
		for k, v := range job.Env {
			_ = env.Set(k, v)
		}
		seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
		hls := rt.NewObject()
		_ = hls.Set("segment", seconds(job.HLS.Segment))
		_ = hls.Set("part", seconds(job.HLS.Part))
		_ = hls.Set("window", seconds(job.HLS.Window))
		_ = hls.Set("container", job.HLS.Container)
		_ = hls.Set("lowLatency", job.HLS.LowLatency != nil && *job.HLS.LowLatency)
		info := rt.NewObject()
		_ = info.Set("path", job.Name)
		_ = info.Set("live", job.Live)
		_ = info.Set("env", env)
		_ = info.Set("hls", hls)
		return info, nil
	})
	o.Func("log", func(a native.Args) (any, error) {
		attrs := map[string]string{"from": "script"}
		if a.Given(2) {
			given := a.At(2).ToObject(rt)
			for _, key := range given.Keys() {
				attrs[key] = given.Get(key).String()
			}
		}
		s.c.w.log(slog.Level(a.Int(0)), a.String(1), attrs)
		return nil, nil
	})
	o.Func("send", func(a native.Args) (any, error) {
		m := &wire.Script{Topic: a.String(0), Body: []byte(a.String(1))}
		m.Sizes = append(m.Sizes, len(m.Body))
		blobs := a.At(2).ToObject(rt)
		for i := range int(blobs.Get("length").ToInteger()) {
			b := native.Bytes(blobs.Get(fmt.Sprint(i)))
			m.Sizes = append(m.Sizes, len(b))
			m.Body = append(m.Body, b...)
		}
		if err := m.Check(); err != nil {
			return nil, &loop.Error{Name: "RangeError", Code: "ERR_OUT_OF_RANGE", Message: fmt.Sprintf("send %s: %v", m.Topic, err)}
		}
		s.outbox.put(m)
		return nil, nil
	})
	o.Func("now", func(native.Args) (any, error) {
		at, _ := s.now()
		return at.Seconds(), nil
	})
	o.Func("wall", func(native.Args) (any, error) {
		_, arrival := s.now()
		return float64(media.Wall(arrival).UnixNano()) / 1e6, nil
	})
	o.Func("fail", func(a native.Args) (any, error) {
		l.Stop(&rejected{loop.Describe(a.At(0))})
		return nil, nil
	})
	return o.Object
}

// outbox holds what the script says to the app until it is sent, bounded in
// number, size and rate: the oldest go first.
type outbox struct {
	mu    sync.Mutex
	queue []*wire.Script
	bytes int
	wake  chan struct{}
}

const (
	outMessages = 256
	outBytes    = 4 << 20
	outEvery    = 5 * time.Millisecond // between two messages
)

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

func (o *outbox) put(m *wire.Script) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, m)
	o.bytes += len(m.Body)
	for len(o.queue) > 1 && (len(o.queue) > outMessages || o.bytes > outBytes) {
		o.bytes -= len(o.queue[0].Body)
		o.queue = o.queue[1:]
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// carry sends until over.
func (o *outbox) carry(over <-chan struct{}, send func(wire.Message) error) {
	ticker := time.NewTicker(outEvery)
	defer ticker.Stop()
	for {
		select {
		case <-o.wake:
		case <-over:
			return
		}
		for m := o.take(); m != nil; m = o.take() {
			if send(m) != nil {
				return // the parent is gone
			}
			select {
			case <-ticker.C:
			case <-over:
				return
			}
		}
	}
}

func (o *outbox) take() *wire.Script {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return nil
	}
	m := o.queue[0]
	o.queue = o.queue[1:]
	o.bytes -= len(m.Body)
	return m
}
