package media

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// placing is the part of hls() that takes what a ladder has placed already: the
// cuts are the ladder's, and are told with the first packet behind them.
type placing struct {
	mu    sync.Mutex
	taken bool // objects that no ladder placed
	run   *rungs
	sink  PlacedSink
	wrote bool
	next  int               // event of run
	first uint64            // segment that it begins with, where it came too late for those before
	cut   uint64            // newest segment that was begun
	known map[string]bool   // renditions of the plan that was told
	last  map[string]uint64 // newest segment of each rendition
}

var (
	errMixed = errors.New("it is given packets of a ladder and others: behind a ladder goes what the ladder made, " +
		"and what is made of it by clone() or new Packet({ like: packet })")
	errLadders = errors.New("packets of two ladders reach it, and it takes one")
)

// parted is how long what a script has under way is waited for before a
// presentation rests.
const parted = 500 * time.Millisecond

// unplaced is called before an object that no ladder placed.
func (h *hlsWriting) unplaced() error {
	p := &h.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrote {
		return h.s.failure(codeLink, false, errMixed)
	}
	p.taken = true
	if p.sink != nil { // a ladder of the script's goes elsewhere
		p.sink.Abort(nil)
		p.sink = nil
	}
	return nil
}

// takePlaced writes a packet of a ladder's.
func (h *hlsWriting) takePlaced(ctx context.Context, o object) error {
	p := &h.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	at := o.place
	name := at.of.Name
	switch {
	case p.taken:
		return h.s.failure(codeLink, false, errMixed)
	case p.run != nil && p.run != at.run:
		return h.s.failure(codeLink, false, errLadders)
	}
	if err := h.openPlaced(ctx, at.run); err != nil {
		return err
	}
	if !p.wrote && p.run.missed(p.next) {
		p.first = at.segment
	}
	p.wrote = true
	if err := h.tell(func() bool { return p.cut < at.segment }); err != nil {
		return err
	}
	switch {
	case !p.known[name], at.segment < p.first: // of a plan that is over, or from before it began
		return nil
	case at.segment < p.last[name]:
		return h.s.failure(codeHLS, false, fmt.Errorf("a packet of %s in segment %d comes after segment %d: each rendition's packets keep their order",
			name, at.segment, p.last[name]))
	case o.packet.Track.Kind != at.of.Kind:
		return h.s.failure(codeHLS, false, fmt.Errorf("a packet of %s is of a track of %s", name, o.packet.Track.Kind))
	}
	p.last[name] = at.segment
	err := p.sink.Write(name, media.Placed{Packet: o.packet, Segment: at.segment, Discontinuity: at.discontinuity})
	if err != nil {
		return h.s.failure(codeHLS, false, err)
	}
	return nil
}

// openPlaced asks the host for the sink.
func (h *hlsWriting) openPlaced(ctx context.Context, run *rungs) error {
	p := &h.placed
	if p.sink != nil {
		return nil
	}
	var (
		mu   sync.Mutex
		sink PlacedSink
		over bool // nobody waits any more
	)
	err := h.s.m.l.Call(ctx, func() error {
		opened, err := h.s.m.opts.Placed(h.spec.HLS)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if over {
			opened.Abort(context.Cause(h.s.ctx))
			return nil
		}
		sink = opened
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	over = true
	if err != nil {
		if sink != nil { // it came in the moment in which ctx ended
			sink.Abort(err)
		}
		return h.s.failure(codeHLS, false, err)
	}
	p.sink = sink
	p.run, p.last = run, map[string]uint64{}
	return nil
}

// tell tells of what the ladder did, in order, for as long as more is set.
func (h *hlsWriting) tell(more func() bool) error {
	p := &h.placed
	events, _ := p.run.since(p.next)
	for _, e := range events {
		if !more() {
			break
		}
		p.next = e.n + 1
		if p.cut < p.first && (e.rests || e.cut > 0 && e.cut < p.first) {
			continue
		}
		if e.plan != nil {
			p.known = map[string]bool{}
			for _, r := range e.plan.Renditions {
				p.known[r.Name] = true
			}
		}
		p.cut = max(p.cut, e.cut)
		if err := e.tell(p.sink); err != nil {
			return h.s.failure(codeHLS, false, err)
		}
	}
	return nil
}

func all() bool { return true }

// announce tells what renditions there will be, before the first packet: the
// host may wait for that to let them come.
func (h *hlsWriting) announce(run *rungs) error {
	p := &h.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken || p.run != nil {
		return nil
	}
	if err := h.openPlaced(h.s.ctx, run); err != nil {
		return err
	}
	return h.tell(all)
}

// rest tells that nothing more comes for now, when what is under way has come.
func (h *hlsWriting) rest(run *rungs) {
	_, upTo := run.since(0)
	time.AfterFunc(parted, func() {
		p := &h.placed
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.run != run || p.sink == nil || h.s.ctx.Err() != nil {
			return
		}
		_ = h.tell(func() bool { return p.next < upTo }) // the next packet meets it too
	})
}

// finishPlaced ends the presentation; false where it was none of a ladder's.
func (h *hlsWriting) finishPlaced(ctx context.Context) (bool, error) {
	p := &h.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sink == nil {
		return false, nil
	}
	if err := h.tell(all); err != nil {
		return true, err
	}
	sink := p.sink
	p.sink = nil
	if err := sink.End(ctx); err != nil {
		return true, h.s.failure(codeHLS, false, err)
	}
	return true, nil
}

func (h *hlsWriting) closePlaced() {
	p := &h.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sink != nil {
		p.sink.Abort(context.Cause(h.s.ctx))
		p.sink = nil
	}
}
