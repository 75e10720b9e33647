package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// feed reads a Source and gives its packets to those who read: all of them to
// the source's own stage, those of one track to the stages of tracks.
type feed struct {
	m      *Module
	stage  *stage
	source Source
	opened chan struct{} // closed when source is there, or err

	closing  sync.Once
	mu       sync.Mutex
	err      error
	list     []*media.Track
	length   time.Duration // 0: not known
	branches []*branch
}

// first stands for the first track of a kind.
const first = -1

// branch is a stage of one track: the first of its kind, or the one with an
// ID.
type branch struct {
	stage *stage
	kind  media.Kind
	id    int // first: the first of its kind
}

// tracks are the newest revisions; none while the source is being opened.
func (f *feed) tracks() []*media.Track {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

// duration is known once the source is open, and after it was closed.
func (f *feed) duration() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.length
}

// look asks the source for its tracks: when it is there, and when a packet
// brings one that is new.
func (f *feed) look() {
	list := f.source.Tracks()
	var length time.Duration
	if input, ok := f.source.(transcode.Input); ok {
		length = input.Duration()
	}
	f.mu.Lock()
	f.list, f.length = list, length
	f.mu.Unlock()
}

// produce is the source's goroutine.
func (f *feed) produce(ctx context.Context) (err error) {
	select {
	case <-f.opened:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if f.err != nil {
		return f.err
	}
	defer f.discard()
	defer f.endBranches()
	for {
		p, err := f.read(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.stage.failure(codeRead, false, err)
		}
		if err := f.give(ctx, object{packet: p, arrival: p.Arrival}); err != nil {
			return err
		}
	}
}

// discard closes the source, where it is there.
func (f *feed) discard() {
	select {
	case <-f.opened:
		if f.source != nil {
			f.closing.Do(f.source.Close)
		}
	default:
	}
}

func (f *feed) read(ctx context.Context) (*media.Packet, error) {
	p, err := f.source.Read(ctx)
	if err != nil || f.m.opts.Clock == nil {
		return p, err
	}
	return f.m.opts.Clock.due(ctx, f, p)
}

func (f *feed) give(ctx context.Context, o object) error {
	if f.stage.out.wanted() {
		if err := f.stage.emit(ctx, o); err != nil {
			return err
		}
	}
	f.mu.Lock()
	branches, tracks := f.branches, f.list
	f.mu.Unlock()
	if !slices.Contains(tracks, o.packet.Track) {
		f.look()
		tracks = f.tracks()
	}
	for _, b := range branches {
		if b.stage.out.wanted() && b.takes(o.packet.Track, tracks) {
			if err := b.stage.emit(ctx, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch has readers of an outlet of the source's looked at as they change: when
// the script has wired what it wires in this turn.
func (f *feed) watch(out *outlet) { out.changed = func() { f.m.post(f.balance) } }

// balance makes a source wait that nobody reads any more, as a paused stream
// does. A track that was unpiped while others are read holds them up no longer
// than it has room.
func (f *feed) balance() {
	f.mu.Lock()
	all := []*outlet{f.stage.out}
	for _, b := range f.branches {
		all = append(all, b.stage.out)
	}
	f.mu.Unlock()
	read := slices.ContainsFunc(all, (*outlet).attached)
	for _, out := range all {
		out.rest(read)
	}
}

func (b *branch) takes(t *media.Track, all []*media.Track) bool {
	if b.id != first {
		return t.ID == b.id
	}
	if t.Kind != b.kind {
		return false
	}
	for _, other := range all {
		if other.Kind == b.kind {
			return other.ID == t.ID
		}
	}
	return true
}

func (f *feed) endBranches() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.branches {
		b.stage.out.end()
		f.m.post(func() { b.stage.tell("done", nil) })
	}
}

// branch makes the stage of a track, on the loop. It has no goroutine of its
// own: it is started with the source.
func (f *feed) branch(kind media.Kind, id int) *stage {
	b := &branch{kind: kind, id: id}
	b.stage = f.m.add(&stage{
		kind: f.stage.kind, label: fmt.Sprintf("%s.%s", f.stage.label, kind), gives: packets, parent: f.stage,
		tracks: func() []*media.Track {
			for _, t := range f.tracks() {
				if b.takes(t, f.tracks()) {
					return []*media.Track{t}
				}
			}
			return nil
		},
	})
	b.stage.out.overflow = f.stage.out.overflow
	f.watch(b.stage.out)
	f.mu.Lock()
	f.branches = append(f.branches[:len(f.branches):len(f.branches)], b)
	f.mu.Unlock()
	return b.stage
}

// newFeed makes a source's stage; open runs on a goroutine of its own, and
// the source is there at once where it is nil.
func (m *Module) newFeed(kind, label string, o overflow, source Source, open func(context.Context) (Source, error)) *feed {
	f := &feed{m: m, source: source, opened: make(chan struct{})}
	f.stage = m.add(&stage{kind: kind, label: label, gives: packets, tracks: f.tracks, produce: f.produce})
	f.stage.out.overflow = o
	f.watch(f.stage.out)
	f.stage.feed = f
	if open == nil {
		f.look()
		close(f.opened)
		return f
	}
	s := f.stage
	m.busy.add(1)
	m.stayAlive()
	go func() {
		defer m.busy.add(-1)
		source, err := open(s.ctx)
		f.source = source
		if err != nil {
			f.err = s.failure(codeOpen, false, err)
		} else {
			f.look()
		}
		close(f.opened)
		if s.ctx.Err() != nil {
			f.discard()
		}
		m.post(func() {
			if f.err != nil {
				s.tell("error", f.err)
				return
			}
			s.tell("open", nil)
		})
	}()
	return f
}
