package media

import (
	"context"
	"maps"
	"sync/atomic"
)

// The ways of a ladder's objects.
const (
	undecided = iota
	joined    // into hls(), which does all the work: the ladder hands on what it gets
	alone     // to others as well: the ladder cuts and codes, and gives packets
)

// laddering is the work of ladder(). Which way its objects go is decided by
// the first of them, when the script has wired everything.
type laddering struct {
	s     *stage
	way   atomic.Int32
	lanes lanes
	made  *rungs
	sink  HLSSink
	over  bool
}

// aloneWaiting is how many packets of a ladder of a file wait for who reads
// them. One that is live drops, as a source does.
const aloneWaiting = 64

func (m *Module) addLadder(l *Ladder) *stage {
	s := m.add(&stage{kind: "ladder", label: "ladder " + l.String(), takes: either, gives: packets, ladder: l})
	limit, _ := waiting(frames)
	s.out.shape(limit, block)
	w := &laddering{s: s, made: newRungs(s)}
	w.lanes = lanes{s: s, live: m.opts.Live, ended: map[int]bool{}}
	s.work = w
	return s
}

// begunJoined is the error of reading a ladder that has begun to go into
// hls() alone.
func (s *stage) begunJoined(to *stage) error {
	l, ok := s.work.(*laddering)
	if !ok || l.way.Load() != joined || to != nil && to.kind == "hls" {
		return nil
	}
	return &Error{Stage: "ladder", Code: codeLink, Message: "it goes into hls() alone and has begun: what else reads it has to be piped before media flows"}
}

func (w *laddering) take(ctx context.Context, o object) error {
	if o.place != nil {
		o.close()
		return w.s.failure(codeLink, false, errTwice)
	}
	if w.way.Load() == undecided {
		if err := w.decide(); err != nil {
			o.close()
			return err
		}
	}
	if w.way.Load() == joined {
		return w.s.emit(ctx, o)
	}
	return w.lanes.gather(ctx, w, o)
}

func (w *laddering) decide() error {
	out := w.s.out
	if n := int(w.s.toHLS.Load()); n > 0 && n == out.count() {
		w.way.Store(joined)
		return nil
	}
	m := w.s.m
	if m.opts.Ladder == nil {
		return w.s.failure(codeAbsent, false, errNoLadder)
	}
	if m.opts.Live {
		out.shape(sourceWaiting, dropToKey)
	} else {
		out.shape(aloneWaiting, block)
	}
	w.way.Store(alone)
	return nil
}

// begin has the host make the Cutter and the coders. The options of the
// script's hls() count, wherever it stands: they say how long segments are.
func (w *laddering) begin(ctx context.Context, all []*lane) error {
	m := w.s.m
	err := m.l.Call(ctx, func() (err error) {
		spec := HLSSpec{Ladder: w.s.ladder}
		w.made.hls = m.hlsBehind(w.s)
		if h := w.made.hls; h != nil {
			spec.HLS = h.spec.HLS
		}
		w.sink, err = m.opts.Ladder(spec, w.made)
		return err
	})
	if err == nil {
		tracks := make([]HLSTrack, len(all))
		for i, n := range all {
			tracks[i] = HLSTrack{Track: n.to, Frames: n.frames}
		}
		err = w.sink.Start(ctx, tracks)
	}
	if err != nil {
		return w.s.failure(codeEncode, false, err)
	}
	return nil
}

func (w *laddering) write(ctx context.Context, n *lane, o object) error {
	err := w.s.out.room(ctx)
	switch {
	case err != nil:
		o.close()
		return err
	case o.frame != nil:
		err = w.sink.WriteFrame(ctx, n.to, o.frame, o.epoch, o.arrival)
	default:
		err = w.sink.Write(ctx, n.packet(o.packet))
	}
	if err != nil {
		return w.s.failure(codeEncode, false, err)
	}
	return nil
}

func (w *laddering) inputEnded(ctx context.Context, input int) error {
	if w.way.Load() == joined {
		return nil
	}
	return w.lanes.inputEnded(ctx, w, input)
}

func (w *laddering) finish(ctx context.Context) error {
	if err := w.lanes.flow(ctx, w, true); err != nil || w.sink == nil {
		return err
	}
	w.over = true
	if err := w.sink.End(ctx); err != nil {
		return w.s.failure(codeEncode, false, err)
	}
	return nil
}

func (w *laddering) close() {
	w.lanes.close()
	if w.sink != nil && !w.over {
		w.sink.Abort(context.Cause(w.s.ctx))
	}
}

// hlsBehind is the hls() that a ladder's packets are likely to reach: the one
// that there is, where nothing but scripts and this ladder writes to it.
func (m *Module) hlsBehind(ladder *stage) *hlsWriting {
	var found *hlsWriting
	for _, s := range m.stages {
		h, ok := s.work.(*hlsWriting)
		if !ok {
			continue
		}
		if found != nil {
			return nil
		}
		found = h
	}
	if found == nil || !found.s.behind(ladder) {
		return nil
	}
	return found
}

// behind reports whether all that reaches s may come from another stage: that
// feeds it, or scripts do.
func (s *stage) behind(of *stage) bool {
	if s == of {
		return true
	}
	s.mu.Lock()
	before := maps.Clone(s.before)
	s.mu.Unlock()
	for _, from := range before {
		if from != nil && !from.behind(of) {
			return false
		}
	}
	return s.takes != nothing
}
