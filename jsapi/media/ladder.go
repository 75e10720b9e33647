package media

import (
	"context"
	"fmt"
	"strconv"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// makeLadder reads what was given to ladder(): 'auto', 'passthrough', a list
// of rungs, or an object { rungs, preset, threads }.
func (m *Module) makeLadder(a native.Args) (*stage, error) {
	l, err := m.readLadder(a.At(0))
	if err != nil {
		return nil, err
	}
	policy := transcode.Policy{Mode: l.Mode, Rungs: l.Rungs, Encoder: l.Encoder}
	if err := policy.Check(); err != nil {
		return nil, &Error{Stage: "ladder", Code: codeOption, Message: err.Error(), Cause: err}
	}
	return m.addLadder(l), nil
}

func (m *Module) readLadder(v goja.Value) (*Ladder, error) {
	l := &Ladder{Mode: transcode.Auto}
	s := &settings{stage: "ladder"}
	v = given(v)
	if v == nil {
		return l, nil
	}
	if e, ok := native.Held(v).(string); ok {
		l.Mode = transcode.Mode(e)
		if e != "auto" && e != "passthrough" {
			s.fail("", "%q is none of 'auto', 'passthrough' and a list of rungs", e)
		}
		return l, s.err
	}
	if native.IsArray(v) {
		l.Mode = transcode.Explicit
		l.Rungs = m.readRungs(s, v)
		return l, s.err
	}
	s = m.settings("ladder", v)
	if list := s.take("rungs"); list != nil {
		l.Mode = transcode.Explicit
		l.Rungs = m.readRungs(s, list)
	}
	l.Encoder.Preset = s.text("preset")
	l.Encoder.Threads = s.whole("threads", 0, 64)
	return l, s.done()
}

func (m *Module) readRungs(s *settings, v goja.Value) []transcode.Rung {
	list, ok := v.(*goja.Object)
	if !ok || !native.IsArray(v) {
		s.fail("rungs", "they are a list, such as [{ height: 720, bitrate: '2500k' }]")
		return nil
	}
	n := int(list.Get("length").ToInteger())
	all := make([]transcode.Rung, 0, n)
	for i := range n {
		item := list.Get(strconv.Itoa(i))
		if native.Held(item) == "copy" {
			all = append(all, transcode.Rung{Codec: transcode.Copy})
			continue
		}
		r := m.settings(fmt.Sprintf("ladder: rung %d", i+1), item)
		rung := transcode.Rung{
			Name: r.text("name"), Height: r.whole("height", 2, 8192), Width: r.whole("width", 2, 8192),
			Bitrate: r.bitrate("bitrate"), FPS: r.rate("fps"), Codec: media.Codec(r.text("codec")),
		}
		if err := r.done(); err != nil && s.err == nil {
			s.err = err
		}
		all = append(all, rung)
	}
	return all
}

func (l *Ladder) String() string {
	if l.Mode != transcode.Explicit {
		return string(l.Mode)
	}
	text := ""
	for i, r := range l.Rungs {
		if i > 0 {
			text += ", "
		}
		switch {
		case r.Codec == transcode.Copy:
			text += "copy"
		case r.Name != "":
			text += r.Name
		default:
			text += strconv.Itoa(max(r.Height, r.Width))
		}
	}
	return text
}

// makeHLS reads the options of hls(). The sink itself is asked for when the
// first objects come, because the ladder before it belongs to it.
func (m *Module) makeHLS(a native.Args) (*stage, error) {
	s := m.settings("hls", a.At(0))
	spec := HLSSpec{HLS: HLSOptions{
		Segment: s.length("segment"), Part: s.length("part"), Window: s.length("window"), DVR: s.length("dvr"),
		LowLatency: s.flag("lowLatency"),
	}}
	if c := s.text("container"); c != "" {
		if c != "fmp4" && c != "ts" {
			s.fail("container", "%q is neither fmp4 nor ts", c)
		}
		spec.HLS.Container = &c
	}
	if err := s.done(); err != nil {
		return nil, err
	}
	if m.opts.HLS == nil {
		return nil, &Error{Stage: "hls", Code: codeAbsent, Message: "there is nowhere to write to here: it works in a stream's " +
			"pipeline script, and in millrace run --source FILE --out FOLDER"}
	}
	h := &hlsWriting{spec: spec}
	h.s = m.add(&stage{kind: "hls", label: "hls", takes: either, work: h})
	h.lanes = lanes{s: h.s, live: m.opts.Live, ended: map[int]bool{}}
	return h.s, nil
}

// settleChain is called when one stage is piped into another, before anything
// flows: hls() gets to know the ladder before it.
func (m *Module) settleChain(from, to *stage) error {
	h, ok := to.work.(*hlsWriting)
	if !ok {
		return nil
	}
	if from.ladder != nil {
		if h.spec.Ladder != nil && h.spec.Ladder != from.ladder {
			return reason(m.named(&Error{Stage: "hls", Code: codeLink, Message: "two ladders were piped into it, and it takes one"}))
		}
		h.spec.Ladder = from.ladder
	}
	return nil
}

// open asks the host for the sink.
func (h *hlsWriting) open(ctx context.Context) error {
	if h.sink != nil {
		return nil
	}
	var sink HLSSink
	err := h.s.m.l.Call(ctx, func() (err error) {
		sink, err = h.s.m.opts.HLS(h.spec)
		return err
	})
	if err != nil {
		return h.s.failure(codeHLS, false, err)
	}
	h.sink = sink
	return nil
}
