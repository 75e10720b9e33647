package media

import (
	"errors"
	"sync"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

var (
	errTwice    = errors.New("it was given packets that a ladder has made; one ladder cannot stand behind another")
	errNoLadder = errors.New("here it goes into hls() alone, without anything between: it has no coders of its own")
)

// rungs is what a ladder by itself makes, as its host's LadderOutput: packets
// go to its stage's outlet and carry their place; what else there is to tell
// waits here for the hls() that they reach.
type rungs struct {
	s   *stage
	hls *hlsWriting // that is told at once what renditions there are; may be nil

	mu     sync.Mutex
	plan   *transcode.Plan
	of     map[string]*rendition // those of the plan
	tracks map[string]*rungTrack // by rendition
	events []event
	gone   int     // events that nobody asked for in time
	told   []event // of those the newest plan: who comes late begins with it
}

// rendition is one that a ladder makes.
type rendition struct {
	transcode.Rendition
	object *goja.Object // as scripts see it; of the loop
}

// rungTrack is a rendition's track, with an ID of its own among them.
type rungTrack struct {
	id       int
	from, to *media.Track
}

// place is where a ladder put a packet.
type place struct {
	run                    *rungs
	of                     *rendition
	segment, discontinuity uint64
}

// event is something that a presentation is told between packets.
type event struct {
	n         int // events are numbered from 0
	tell      func(LadderOutput) error
	plan      *transcode.Plan // of one that tells a plan
	dependent bool            // with plan: it says more of the same one
	cut       uint64          // the segment that it begins; 0: it is none
	rests     bool            // it tells that nothing more comes for now
}

// keptEvents is how many are kept where no hls() takes them.
const keptEvents = 1024

func newRungs(s *stage) *rungs {
	return &rungs{s: s, of: map[string]*rendition{}, tracks: map[string]*rungTrack{}}
}

// count is how many renditions there are; 0 is not known yet.
func (r *rungs) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.of)
}

func (r *rungs) note(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) >= keptEvents {
		const most = keptEvents / 2
		for _, e := range r.events[:most] {
			if e.plan != nil && e.dependent {
				r.told = append(r.told[:min(len(r.told), 1)], e)
			} else if e.plan != nil {
				r.told = []event{e}
			}
		}
		r.gone += most
		r.events = append(r.events[:0], r.events[most:]...)
	}
	e.n = r.gone + len(r.events)
	r.events = append(r.events, e)
}

// missed reports whether events from number n on are gone.
func (r *rungs) missed(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return n < r.gone
}

// since are the events from number n on that there are, and the number of the
// next one.
func (r *rungs) since(n int) (list []event, next int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.told {
		if e.n >= n {
			list = append(list, e)
		}
	}
	from := min(max(n-r.gone, 0), len(r.events))
	return append(list, r.events[from:]...), r.gone + len(r.events)
}

// Plan implements LadderOutput.
func (r *rungs) Plan(plan *transcode.Plan, dependent bool) error {
	r.mu.Lock()
	first := r.plan == nil
	if r.plan != plan {
		r.plan, r.of = plan, map[string]*rendition{}
		for _, made := range plan.Renditions {
			r.of[made.Name] = &rendition{Rendition: made}
		}
	}
	r.mu.Unlock()
	r.note(event{plan: plan, dependent: dependent, tell: func(o LadderOutput) error { return o.Plan(plan, dependent) }})
	if first && r.hls != nil {
		return r.hls.announce(r)
	}
	return nil
}

// Cut implements LadderOutput.
func (r *rungs) Cut(c media.Cut) error {
	r.note(event{cut: c.Segment, tell: func(o LadderOutput) error { return o.Cut(c) }})
	return nil
}

// Write implements LadderOutput.
func (r *rungs) Write(name string, p media.Placed) error {
	r.mu.Lock()
	of := r.of[name]
	t := r.tracks[name]
	if t == nil {
		t = &rungTrack{id: len(r.tracks) + 1}
		r.tracks[name] = t
	}
	if t.from != p.Track {
		next := *p.Track
		next.ID = t.id
		if t.to != nil && next.Revision <= t.to.Revision {
			next.Revision = t.to.Revision + 1
		}
		t.from, t.to = p.Track, &next
	}
	mine := *p.Packet
	mine.Track = t.to
	r.mu.Unlock()
	if of == nil { // of a plan that is over
		return nil
	}
	r.s.out.put(object{packet: &mine, arrival: mine.Arrival, place: &place{r, of, p.Segment, p.Discontinuity}})
	return nil
}

// GivenUp implements LadderOutput.
func (r *rungs) GivenUp(d transcode.Degradation) error {
	r.note(event{tell: func(o LadderOutput) error { return o.GivenUp(d) }})
	return nil
}

// Suspended implements LadderOutput.
func (r *rungs) Suspended() error {
	r.note(event{rests: true, tell: LadderOutput.Suspended})
	if r.hls != nil {
		r.hls.rest(r)
	}
	return nil
}

// Handed implements LadderOutput: this was the last of it, and when that has
// gone through the script it is told.
func (r *rungs) Handed() error {
	r.note(event{tell: LadderOutput.Handed})
	r.s.out.end()
	return nil
}

// renditionObject is a rendition as scripts see it.
func (m *Module) renditionObject(r *rendition) *goja.Object {
	if r.object != nil {
		return r.object
	}
	o := m.rt.NewObject()
	set := func(name string, v any) {
		_ = o.DefineDataProperty(name, m.rt.ToValue(v), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
	}
	set("name", r.Name)
	set("kind", r.Kind.String())
	set("codec", string(r.Codec))
	set("copy", r.Copy)
	if r.Kind == media.Video {
		set("width", r.Width)
		set("height", r.Height)
		if r.FPS.Known() {
			set("frameRate", r.FPS.Float())
		}
	} else {
		set("sampleRate", r.SampleRate)
		set("channels", r.Channels)
	}
	if r.Bitrate > 0 {
		set("bitrate", r.Bitrate)
	}
	r.object = o
	return o
}
