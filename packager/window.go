package packager

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"sync"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// minListed is the least number of segments that a live playlist keeps (Apple
// 8.11).
const minListed = 6

// window is what readers see of a rendition: immutable, swapped at each
// change.
type window struct {
	held   []*segment     // removed ones that can still be fetched, then the listed ones
	listed int            // how many of held are in the playlist
	inits  []*initSection // of held
	open   uint64         // number of the segment that is being filled; 0 none
	parts  []part         // of it, as far as they are stored
	doc    *document      // nil before the first segment
	ended  bool

	changed   chan struct{} // closed when a part or a segment has come
	segmented chan struct{} // closed when a segment has come, or the end
}

// last is the newest listed segment, nil if there is none.
func (w *window) last() *segment {
	if len(w.held) == 0 {
		return nil
	}
	return w.held[len(w.held)-1]
}

// segment finds a segment that can be fetched. Numbers have no holes.
func (w *window) segment(number uint64) *segment {
	if len(w.held) == 0 || number < w.held[0].number {
		return nil
	}
	if i := number - w.held[0].number; i < uint64(len(w.held)) && !w.held[i].gap {
		return w.held[i]
	}
	return nil
}

// has reports whether part of segment msn, or something later, is there; part
// < 0 means the whole segment (RFC 8216bis §6.2.5.2).
func (w *window) has(msn uint64, part int) bool {
	last := w.last()
	switch {
	case w.ended:
		return true
	case last != nil && last.number > msn, last != nil && last.number == msn && part < len(last.parts):
		return true
	case part < 0:
		return false
	case last != nil && last.number == msn:
		// A part beyond the last one means part 0 of the next segment.
		return len(w.parts) > 0
	}
	return w.open > msn && len(w.parts) > 0 || w.open == msn && len(w.parts) > part
}

// document is a playlist's text with the headers that never differ.
type document struct {
	text   []byte
	length []string
	zipped func() *document // made at the first call
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func newDocument(text []byte) *document {
	return &document{text: text, length: length(len(text)), zipped: sync.OnceValue(func() *document {
		var b bytes.Buffer
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		w.Reset(&b)
		// Writing to memory cannot fail.
		_, _ = w.Write(text)
		_ = w.Close()
		return &document{text: b.Bytes(), length: length(b.Len())}
	})}
}

// length is the value of Content-Length.
func length(n int) []string { return []string{strconv.Itoa(n)} }

// swap makes a new window visible and wakes those who waited for it.
func (r *rendition) swap(w *window, segmented bool) {
	old := r.window.Load()
	w.changed = make(chan struct{})
	w.segmented = old.segmented
	if segmented {
		w.segmented = make(chan struct{})
	}
	r.window.Store(w)
	close(old.changed)
	if segmented {
		close(old.segmented)
	}
}

// showParts makes the parts of the open segment known. They are not listed.
func (r *rendition) showParts(cur *open) {
	w := *r.window.Load()
	// Parts that are shown never change; those to come go behind them.
	w.open, w.parts = cur.number, cur.parts[:len(cur.parts):len(cur.parts)]
	r.swap(&w, false)
}

// hideParts takes back the parts of a segment that is given up.
func (r *rendition) hideParts() {
	w := *r.window.Load()
	w.open, w.parts = 0, nil
	r.swap(&w, false)
}

// publish lists a finished segment and removes what has left the window.
func (r *rendition) publish(s *segment) error {
	r.next = s.number + 1
	r.floor = max(r.floor, r.next)
	now := time.Now()
	old := r.window.Load()
	w := &window{held: old.held, listed: old.listed}
	if last := old.last(); last != nil {
		s.discontinuities = int(s.discontinuity - last.discontinuity)
	}
	// Older windows share the array and end before what is added to it.
	w.held = append(w.held, s)
	w.listed++
	if r.p.cfg.VOD {
		w.inits = r.initsOf(w)
	} else {
		r.slide(w, now)
		r.expire(w, now)
		w.inits = r.initsOf(w)
		w.doc = r.render(w)
	}
	if r.replaced && !s.gap && s.discontinuity > r.replace {
		// Another coder: what was measured of the old one says nothing.
		r.replaced, r.meter = false, meter{target: r.p.target}
		r.p.forget(r)
	}
	r.meter.add(s.size, s.duration)
	r.swap(w, true)
	r.p.published(r, s)
	return nil
}

// slide removes from the playlist what is older than the window.
func (r *rendition) slide(w *window, now time.Time) {
	var total time.Duration
	for _, s := range w.held[len(w.held)-w.listed:] {
		total += s.duration
	}
	keep := max(r.p.cfg.Window, 3*r.p.target) // §6.2.2: never less than three target durations
	for w.listed > minListed {
		oldest := w.held[len(w.held)-w.listed]
		if total-oldest.duration < keep {
			break
		}
		total -= oldest.duration
		oldest.removed = now
		w.listed--
	}
}

// expire gives up segments that were removed from the playlist one window and
// their own duration ago (§6.2.2).
func (r *rendition) expire(w *window, now time.Time) {
	keep := max(r.p.cfg.Window, 3*r.p.target)
	n := 0
	for _, s := range w.held[:len(w.held)-w.listed] {
		if now.Sub(s.removed) < keep+s.duration {
			break
		}
		if s.file != nil {
			s.file.Remove()
		}
		n++
	}
	w.held = w.held[n:]
}

// initsOf collects the initialization sections that a client may still need.
func (r *rendition) initsOf(w *window) []*initSection {
	var out []*initSection
	for _, s := range w.held {
		if s.init != nil && (len(out) == 0 || out[len(out)-1] != s.init) {
			out = append(out, s.init)
		}
	}
	return out
}

// render writes the playlist of a window.
func (r *rendition) render(w *window) *document {
	m := &r.model
	*m = playlist.Media{
		Version: version, TargetDuration: int(r.p.target / time.Second),
		IndependentSegments: !r.p.dependent.Load(), EndList: w.ended, Segments: m.Segments[:0],
	}
	if r.p.cfg.VOD && w.ended {
		m.Type = playlist.VOD
	}
	listed := w.held[len(w.held)-w.listed:]
	var section *initSection
	for _, s := range listed {
		m.Segments = append(m.Segments, s.entry(section))
		if s.init != nil {
			section = s.init
		}
	}
	m.MediaSequence = listed[0].number
	// A segment's EXT-X-DISCONTINUITY leaves the playlist together with it.
	m.DiscontinuitySequence = listed[0].discontinuity - uint64(listed[0].discontinuities)
	size := 512 + 160*w.listed
	return newDocument(m.Append(make([]byte, 0, size)))
}
