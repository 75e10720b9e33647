package media

import (
	"context"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// lanes are the tracks that reach a stage that takes several: gathered until
// all are there, numbered anew, and put into one order by time.
type lanes struct {
	s    *stage
	live bool // what comes first goes first

	list    []*lane
	started bool
	ended   map[int]bool // inputs
	held    int64        // bytes
	late    uint64       // objects of tracks that came too late
	ids     int          // given so far
}

// lane is one track of one input.
type lane struct {
	input    int
	id       int
	number   int // from 1; 0 not yet
	frames   bool
	from, to *media.Track
	queue    []object
}

// How much is looked at to find out what tracks there are, and held to put
// them in order. A decoder that joins in the middle gives nothing before the
// next keyframe.
const (
	gatherTime    = 6 * time.Second
	scriptTime    = time.Second // of what a script may have left out
	gatherObjects = 1024
	orderTime     = 10 * time.Second
	orderBytes    = 64 << 20
)

// add takes an object in. It reports whether it is of a lane that counts.
func (l *lanes) add(o object) bool {
	t := o.trackOf()
	id := 0
	if t != nil {
		id = t.ID
	}
	var of *lane
	for _, known := range l.list {
		if known.input == o.input && known.id == id && known.frames == (o.frame != nil) && known.kind() == kindOf(&o) {
			of = known
		}
	}
	if of == nil {
		if l.started {
			if l.late++; l.late == 1 {
				l.warn(&o)
			}
			o.close()
			return false
		}
		of = &lane{input: o.input, id: id, frames: o.frame != nil}
		of.describe(&o)
		l.list = append(l.list, of)
	}
	l.held += o.size()
	of.queue = append(of.queue, o)
	return true
}

// warn tells the script of a track that comes too late to be taken in.
func (l *lanes) warn(o *object) {
	s := l.s
	err := &Error{
		Stage: s.kind, Stream: s.m.opts.Stream, Code: codeLate, Recoverable: true,
		Message: "it has begun, and leaves out " + o.what() + ", which came later",
	}
	s.m.post(func() { s.tell("warning", err) })
}

func kindOf(o *object) media.Kind {
	if o.frame != nil {
		return o.frame.Kind()
	}
	return o.packet.Track.Kind
}

func (n *lane) kind() media.Kind { return n.from.Kind }

// describe makes the lane's track of its first object.
func (n *lane) describe(o *object) {
	if o.packet != nil {
		n.from = o.packet.Track
		return
	}
	f := o.frame
	t := &media.Track{Kind: f.Kind(), Codec: media.Raw, ClockRate: f.ClockRate()}
	if o.track != nil {
		t.Language, t.FrameRate = o.track.Language, o.track.FrameRate
	}
	if t.Kind == media.Video {
		t.Width, t.Height = f.Width(), f.Height()
	} else {
		t.SampleRate, t.Channels = f.SampleRate(), f.Channels()
	}
	n.from = t
}

// gathered reports whether all the tracks that are to be expected are there.
func (l *lanes) gathered() bool {
	seen := map[int]int{}
	objects := 0
	var first, last time.Duration
	for i, n := range l.list {
		seen[n.input]++
		objects += len(n.queue)
		from, _ := n.queue[0].at()
		to, _ := n.queue[len(n.queue)-1].at()
		if i == 0 || from < first {
			first = from
		}
		last = max(last, to)
	}
	if objects >= gatherObjects || last-first >= gatherTime || l.held >= orderBytes {
		return true
	}
	for input, e := range l.s.expected() {
		missing := !l.ended[input] && (e.tracks == 0 || seen[input] < e.tracks)
		if missing && (!e.scripted || seen[input] == 0 || last-first < scriptTime) {
			return false
		}
	}
	return len(l.list) > 0
}

// start numbers the lanes, video first, and is called once.
func (l *lanes) start() []*lane {
	l.started = true
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		for _, n := range l.list {
			if n.kind() == kind {
				l.ids++
				n.number = l.ids
				n.track(n.from)
			}
		}
	}
	sorted := make([]*lane, len(l.list))
	for _, n := range l.list {
		sorted[n.number-1] = n
	}
	l.list = sorted
	return sorted
}

// track is a revision of the lane's track, with the lane's number.
func (n *lane) track(of *media.Track) *media.Track {
	if n.to == nil || n.from != of {
		next := *of
		next.ID = n.number
		if n.to != nil && next.Revision <= n.to.Revision {
			next.Revision = n.to.Revision + 1
		}
		n.from, n.to = of, &next
	}
	return n.to
}

// packet is a lane's packet with the lane's track.
func (n *lane) packet(p *media.Packet) *media.Packet {
	mine := *p
	mine.Track = n.track(p.Track)
	return &mine
}

// next is the object that comes first, once it is sure that it does; all of
// them where flush is set.
func (l *lanes) next(flush bool) (*lane, object, bool) {
	var first *lane
	var at, newest time.Duration
	missing := false
	for _, n := range l.list {
		if len(n.queue) == 0 {
			missing = missing || !l.ended[n.input]
			continue
		}
		t, ok := n.queue[0].at()
		if !ok {
			return l.shift(n)
		}
		if first == nil || t < at {
			first, at = n, t
		}
		if end, ok := n.queue[len(n.queue)-1].at(); ok {
			newest = max(newest, end)
		}
	}
	if first == nil || missing && !flush && !l.live && newest-at < orderTime && l.held < orderBytes {
		return nil, object{}, false
	}
	return l.shift(first)
}

func (l *lanes) shift(n *lane) (*lane, object, bool) {
	o := n.queue[0]
	n.queue = append(n.queue[:0], n.queue[1:]...)
	l.held -= o.size()
	return n, o, true
}

func (l *lanes) close() {
	for _, n := range l.list {
		for i := range n.queue {
			n.queue[i].close()
		}
		n.queue = nil
	}
}

// collector is the part of a stage that takes several tracks into one.
type collector interface {
	begin(ctx context.Context, all []*lane) error
	write(ctx context.Context, n *lane, o object) error
}

// gather takes an object in and hands on whatever can be.
func (l *lanes) gather(ctx context.Context, c collector, o object) error {
	if !l.add(o) {
		return nil
	}
	return l.flow(ctx, c, false)
}

func (l *lanes) inputEnded(ctx context.Context, c collector, input int) error {
	l.ended[input] = true
	return l.flow(ctx, c, false)
}

func (l *lanes) flow(ctx context.Context, c collector, flush bool) error {
	if !l.started {
		if len(l.list) == 0 || !flush && !l.gathered() {
			return nil
		}
		if err := c.begin(ctx, l.start()); err != nil {
			return err
		}
	}
	for {
		n, o, ok := l.next(flush)
		if !ok {
			return nil
		}
		if err := c.write(ctx, n, o); err != nil {
			return err
		}
	}
}
