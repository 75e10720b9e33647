package packager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/packager/storyboard"
)

// patience is how long a coder that is not known to be dead is waited for at
// least.
const patience = 10 * time.Second

// lateSegments is how many segments the first rendition lists before the
// multivariant playlist appears without those that have none.
const lateSegments = 3

// The states of a presentation.
const (
	stateOpen int32 = iota
	stateEnded
	stateClosed
)

// Presentation is one stream's HLS. See the package comment for which
// goroutine may do what.
type Presentation struct {
	cfg                    Config
	store                  store.Store
	target                 time.Duration // TARGETDURATION
	timeline               timeline
	dependent              atomic.Bool
	pictured               atomic.Bool // there are video renditions
	captions               atomic.Bool // there are closed captions in them
	marks                  marks
	texts                  []*rendition // of subtitles; they come and go with the presentation
	state                  atomic.Int32
	ready                  chan struct{}
	requests               atomic.Uint64
	clips                  *clip.Server
	story                  *storyboard.Server // nil: none
	restsUntil             atomic.Int64       // Unix ns: nothing goes to the disk before
	cacheMedia, cacheMulti []string           // Cache-Control of playlists
	cacheBlocked           []string           // of those that were waited for
	bytesOut               atomic.Uint64

	control atomic.Pointer[playlist.ServerControl] // see settle in control.go; nil before

	names atomic.Pointer[map[string]*rendition] // by path element
	multi atomic.Pointer[document]

	change   sync.Mutex // serializes Cut, SetRenditions, Suspend, End and Close
	key      *key       // of the newest segment; guarded by change
	keyUntil time.Time  // when another one is due

	mu      sync.Mutex   // guards what follows, and rendition.shown
	order   []*rendition // as planned, then the retired ones
	isReady bool
	broken  error // why a VOD presentation cannot be finished

	// oldest is the number of the first segment that a playlist of pictures lists,
	// the largest of all, and oldestLong of the long ones; see rendition.leaves.
	oldest, oldestLong atomic.Uint64

	zero    time.Time // the wall clock's at the first anchor; see dash.go
	anchors []anchor
	mpd     atomic.Pointer[manifest]
}

// New makes an empty presentation. Close it when nobody may read it any more.
func New(cfg Config) (*Presentation, error) {
	if err := cfg.fill(); err != nil {
		return nil, fmt.Errorf("make presentation: %w", err)
	}
	p := &Presentation{
		cfg: cfg, store: cfg.Store, ready: make(chan struct{}), clips: clip.NewServer(),
		target: (cfg.Segment*3/2 + time.Second - 1).Truncate(time.Second),
	}
	p.cacheMedia, p.cacheMulti, p.cacheBlocked = maxAge(cfg.Segment/2), maxAge(cfg.Segment), maxAge(6*p.target)
	if cfg.Output != nil {
		p.store = cfg.Output
	}
	// §6.2.1: EXTINF rounded to seconds is at most TARGETDURATION.
	p.timeline = timeline{limit: p.target + 499*time.Millisecond, nominal: cfg.Segment, forget: !cfg.VOD}
	if cfg.Pictures != nil && cfg.Protection == nil {
		p.story = storyboard.NewServer(cfg.Pictures)
	}
	p.names.Store(&map[string]*rendition{})
	p.marks.init()
	p.makeTexts()
	return p, nil
}

// SetRenditions says what the presentation consists of: at the start, and
// again before the Cut of a discontinuity where a new plan begins. A rendition
// whose name stays goes on in its playlist; one that is gone goes on as GAP
// for one window and then vanishes; one that is new appears when its first
// segment is there.
func (p *Presentation) SetRenditions(rs []Rendition) error {
	if err := checkRenditions(rs); err != nil {
		return fmt.Errorf("set renditions: %w", err)
	}
	for _, r := range p.texts {
		if slices.ContainsFunc(rs, func(spec Rendition) bool { return spec.Name == r.name }) {
			return fmt.Errorf("set renditions: %s is the name of subtitles", r.name)
		}
	}
	p.change.Lock()
	defer p.change.Unlock()
	if err := p.closedOrEnded(); err != nil {
		return err
	}
	old, names := *p.names.Load(), map[string]*rendition{}
	for _, spec := range rs {
		if r := old[spec.Name]; r != nil && r.kind != spec.Kind {
			return fmt.Errorf("set renditions: %s was %s", spec.Name, r.kind)
		}
	}
	past := p.cfg.Past
	p.cfg.Past = nil
	if !p.restorable(rs, past) {
		discard(past)
		past = nil
	} else {
		p.restoreRanges(p.cfg.PastDateRanges)
	}
	p.pictured.Store(slices.ContainsFunc(rs, func(r Rendition) bool { return r.Kind == media.Video }))
	lead := past[rs[0].Name]
	var order []*rendition
	for _, spec := range rs {
		r := old[spec.Name]
		if r == nil {
			r = newRendition(p, spec)
			if list := past[spec.Name]; list != nil {
				r.restore(list)
				delete(past, spec.Name)
			}
		}
		r.respecify(spec)
		names[spec.Name] = r
		order = append(order, r)
	}
	for _, r := range p.texts {
		if past != nil && old[r.name] == nil {
			list := past[r.name]
			if len(list) != len(lead) || list[0].Number != lead[0].Number {
				discard(map[string][]Listed{r.name: list})
				list = pastOfText(r.name, lead)
			}
			r.restore(list)
			delete(past, r.name)
		}
		names[r.name] = r
		order = append(order, r)
	}
	for name, r := range old {
		if names[name] == nil {
			r.retire()
			names[name] = r
		}
	}
	discard(past)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.order {
		if r.shown.retired {
			order = append(order, r)
		}
	}
	p.order = order
	p.names.Store(&names)
	p.refresh()
	return nil
}

// SetDependent says that segments may start without a keyframe from here on
// (passthrough of a source whose GOPs are longer than segments): no playlist
// carries EXT-X-INDEPENDENT-SEGMENTS any more.
func (p *Presentation) SetDependent() { p.dependent.Store(true) }

// Cut announces a segment, in order and before any of its packets. The error
// says how it contradicts the cut before; it is then ignored.
func (p *Presentation) Cut(c media.Cut) error {
	p.change.Lock()
	defer p.change.Unlock()
	if err := p.closedOrEnded(); err != nil {
		return err
	}
	if err := p.timeline.add(c, p.keyAt(c)); err != nil {
		return err
	}
	p.anchor(c)
	for name, r := range *p.names.Load() {
		if err := r.advance(c.Segment); err != nil {
			return fmt.Errorf("advance %s: %w", name, err)
		}
		if r.vanished() {
			p.remove(r)
		}
	}
	p.cutMarks(c)
	p.cutCues()
	return nil
}

// remove forgets a retired rendition.
func (p *Presentation) remove(r *rendition) {
	names := map[string]*rendition{}
	for name, other := range *p.names.Load() {
		if other != r {
			names[name] = other
		}
	}
	p.names.Store(&names)
	p.mu.Lock()
	for i, other := range p.order {
		if other == r {
			p.order = append(append([]*rendition(nil), p.order[:i]...), p.order[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	r.close()
}

// Write adds a packet to a rendition. In a live presentation trouble with the
// store costs the segment (it becomes a GAP, see Config.OnTrouble) and Write
// returns nil; in a VOD presentation it is returned, and by End again.
func (p *Presentation) Write(rendition string, pk media.Placed) error {
	r := (*p.names.Load())[rendition]
	if r == nil || r.text != nil {
		if err := p.closedOrEnded(); err != nil {
			return err
		}
		return fmt.Errorf("%w: %q", ErrUnknownRendition, rendition)
	}
	return p.note(r.write(pk))
}

// note remembers what makes a VOD presentation useless.
func (p *Presentation) note(err error) error {
	if err != nil && p.cfg.VOD {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.broken == nil && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrClosed) {
			p.broken = err
		}
	}
	return err
}

// Lost says that what came of these renditions is all there will be before the
// next discontinuity: a worker died, or a rung was switched off. Their open
// segments, and each further one until packets come again, are listed as GAP
// as soon as the next cut tells their length.
func (p *Presentation) Lost(renditions ...string) {
	for _, name := range renditions {
		if r := (*p.names.Load())[name]; r != nil {
			if err := p.note(r.lose()); err != nil {
				p.trouble(name, err)
			}
		}
	}
}

// Suspend closes the open segments with what is there, because the publisher
// is gone. Playlists then stand still, without ENDLIST, until a Cut with a new
// Discontinuity resumes them. What coders still had must be written before.
func (p *Presentation) Suspend() {
	p.change.Lock()
	defer p.change.Unlock()
	if p.closedOrEnded() == nil {
		_ = p.note(p.settle())
	}
}

// settle closes all open segments. Renditions that have nothing of the newest
// one list it as a GAP that is as long as the longest.
func (p *Presentation) settle() error {
	newest, longest := p.timeline.newest(), time.Duration(0)
	var errs []error
	for _, r := range *p.names.Load() {
		number, length, err := r.stop()
		errs = append(errs, err)
		if number == newest {
			longest = max(longest, length)
		}
	}
	p.timeline.stop(longest)
	for _, r := range *p.names.Load() {
		errs = append(errs, r.skip(newest+1))
	}
	return errors.Join(errs...)
}

// Close gives up all media; reads under way finish. It may be called twice.
// A VOD presentation that did not End leaves nothing in its Output.
func (p *Presentation) Close() {
	p.change.Lock()
	defer p.change.Unlock()
	if p.state.Swap(stateClosed) == stateClosed {
		return
	}
	p.multi.Store(nil)
	old := *p.names.Swap(&map[string]*rendition{})
	for _, r := range old {
		r.close()
	}
	if p.cfg.Output != nil {
		if err := p.cfg.Output.Discard(); err != nil {
			p.trouble("", err)
		}
	}
}

// Ready is closed when the multivariant playlist can be fetched: every
// rendition has its first segment, or those that lack it are late by three.
func (p *Presentation) Ready() <-chan struct{} { return p.ready }

// WaitFor waits until a media playlist lists segment msn (part < 0) or that
// part of it, or something later; until the presentation has ended (nil: what
// was asked for will not come); or for ctx. A part counts from the moment it
// is stored.
func (p *Presentation) WaitFor(ctx context.Context, rendition string, msn uint64, part int) error {
	r := (*p.names.Load())[rendition]
	switch {
	case p.state.Load() == stateClosed:
		return ErrClosed
	case r == nil:
		return fmt.Errorf("%w: %q", ErrUnknownRendition, rendition)
	}
	if _, err := r.await(ctx.Done(), nil, msn, part); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

func (p *Presentation) closedOrEnded() error {
	switch p.state.Load() {
	case stateEnded:
		return ErrEnded
	case stateClosed:
		return ErrClosed
	}
	return nil
}

func (p *Presentation) trouble(rendition string, err error) { p.cfg.OnTrouble(rendition, err) }

// lateness is how many cuts a rendition may be behind the newest one before
// what it misses is listed as a GAP.
func (p *Presentation) lateness(spec *Rendition, gone bool) uint64 {
	switch {
	case gone:
		return 1
	case spec.Copy:
		return 2
	}
	return uint64(max(p.cfg.Window/2, patience)/p.cfg.Segment) + 1
}
