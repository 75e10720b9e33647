package packager

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// minListed is the least number of segments that a live playlist keeps (Apple
// 8.11).
const minListed = 6

// window is what readers see of a rendition: immutable, swapped at each
// change.
type window struct {
	held               []*segment       // removed ones that can still be fetched, then the listed ones
	listed             int              // how many of held are in the playlist
	long               int              // how many are in the long one; 0 where there is none
	inits              []*initSection   // of held
	keys               []*key           // of held and open
	open               *segment         // the one that is being filled, as far as its parts are stored; nil none
	serial             uint64           // of the next part
	target             time.Duration    // PART-TARGET; 0 before it is known
	doc                *document        // nil before there is something to play
	delta              func() *document // the delta update, made at the first call; nil where there is nothing to skip
	longDoc, longDelta func() *document // the same of the long playlist, both made at the first call
	iframes            *iframes         // nil where there are none
	dates, longDates   dated            // of the playlist and of the long one
	deltaDates         func() *document // the delta update that leaves date ranges out
	longDeltaDates     func() *document
	at                 time.Time // when it was made
	ended              bool

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
		return w.open != nil && w.open.number > msn
	case last != nil && last.number == msn:
		// A part beyond the last one means part 0 of the next segment.
		return w.open != nil
	}
	return w.open != nil && (w.open.number > msn || w.open.number == msn && len(w.open.parts) > part)
}

// part finds a part that can be fetched by its serial.
func (w *window) part(serial uint64) (*segment, *part) {
	if s := w.open; s != nil && serial >= s.first {
		return s.part(serial)
	}
	for i := len(w.held) - 1; i >= 0; i-- {
		if s := w.held[i]; len(s.parts) > 0 && serial >= s.first {
			return s.part(serial)
		}
	}
	return nil, nil
}

func (s *segment) part(serial uint64) (*segment, *part) {
	if i := serial - s.first; i < uint64(len(s.parts)) && !s.parts[i].gap {
		return s, &s.parts[i]
	}
	return nil, nil
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

// showParts makes the parts of the open segment known, and lists them where
// latency is to be low.
func (r *rendition) showParts(cur *open) {
	w := *r.window.Load()
	seen := cur.segment
	// Parts that are shown never change; those to come go behind them.
	seen.parts = cur.parts[:len(cur.parts):len(cur.parts)]
	seen.discontinuities = w.discontinuities(&seen)
	w.open = &seen
	r.show(&w, false)
	if r.leads() {
		r.p.reach(cur.number, media.Duration(cur.end, cur.clock))
	}
	if len(seen.parts) == 1 && r.p.cfg.LowLatency {
		r.p.appeared(r, &seen)
	}
}

// hideParts takes back the parts of a segment that is given up. A playlist that
// had nothing else is gone until the segment is listed as a GAP.
func (r *rendition) hideParts(number uint64) {
	w := *r.window.Load()
	w.open = nil
	if w.doc != nil && r.next == 0 {
		w.doc, r.next = nil, number
	}
	r.show(&w, false)
}

// discontinuities is how many EXT-X-DISCONTINUITY stand before a segment that
// follows the listed ones.
func (w *window) discontinuities(s *segment) int {
	if last := w.last(); last != nil {
		return int(s.discontinuity - last.discontinuity)
	}
	return 0
}

// show completes a window by what is rendered from it, and makes it visible.
func (r *rendition) show(w *window, segmented bool) {
	w.serial, w.target = r.serial, r.target
	if !r.p.cfg.VOD || w.ended {
		w.inits = r.initsOf(w)
		w.keys = w.keysOf()
		r.date(w)
		if segmented {
			w.iframes = r.listIFrames(w)
		}
		if segmented || r.p.cfg.LowLatency {
			r.render(w)
		}
	}
	r.swap(w, segmented)
}

// publish lists a finished segment and removes what has left the window.
func (r *rendition) publish(s *segment) error {
	r.next = s.number + 1
	r.floor = max(r.floor, r.next)
	now := time.Now()
	old := r.window.Load()
	w := &window{held: old.held, listed: old.listed, long: old.long, doc: old.doc, dates: old.dates, longDates: old.longDates}
	s.discontinuities = old.discontinuities(s)
	// Older windows share the array and end before what is added to it.
	w.held = append(w.held, s)
	w.listed++
	if !r.p.cfg.VOD {
		r.slide(w, now)
		r.expire(w, now)
	}
	if r.replaced && !s.gap && s.discontinuity > r.replace {
		// Another coder: what was measured of the old one says nothing.
		r.replaced, r.meter, r.iframes = false, meter{target: r.p.target}, meter{target: r.p.target}
		r.p.forget(r)
	}
	r.meter.add(s.size, s.duration)
	r.iframes.add(s.iframeSize, s.duration)
	r.show(w, true)
	r.p.published(r, s)
	if !s.gap && r.leads() {
		r.p.finishTexts(s.number, s.duration)
	}
	r.p.record(r, s)
	if listen := r.p.cfg.OnSegment; listen != nil && !s.gap {
		listen(Published{Rendition: r.name, Number: s.number, URI: s.uri, Duration: s.duration, Size: s.size, Wall: s.wall})
	}
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
		if !r.leaves(oldest, total-oldest.duration, keep, &r.p.oldest) {
			break
		}
		oldest.stays = total
		total -= oldest.duration
		oldest.removed = now
		w.listed--
	}
	r.begins(w.held[len(w.held)-w.listed:], &r.p.oldest)
	if r.p.cfg.DVR > 0 {
		r.slideLong(w, now)
	}
}

// slideLong removes from the long playlist what is older than it reaches.
func (r *rendition) slideLong(w *window, now time.Time) {
	w.long++
	var total time.Duration
	for _, s := range w.held[len(w.held)-w.long:] {
		total += s.duration
	}
	spilled := 0 // how many have to go because one in memory has
	for i, s := range w.held[len(w.held)-w.long : len(w.held)-w.listed] {
		if s.spilled {
			spilled = i + 1
		}
	}
	for ; w.long > w.listed; spilled-- {
		oldest := w.held[len(w.held)-w.long]
		if spilled <= 0 && !r.leaves(oldest, total-oldest.duration, r.p.cfg.DVR, &r.p.oldestLong) {
			break
		}
		total -= oldest.duration
		oldest.removed = now
		w.long--
	}
	r.begins(w.held[len(w.held)-w.long:], &r.p.oldestLong)
}

// leaves reports whether the oldest segment leaves a playlist of which left then
// remains. Sound and texts begin after the picture does, never before: hls.js 1.7
// counts from the beginning of the playlist that it loads first, takes what
// another one lists before that for later than it is, and waits for sound that
// it has.
func (r *rendition) leaves(oldest *segment, left, keep time.Duration, pictures *atomic.Uint64) bool {
	first := pictures.Load()
	if r.kind == media.Video || first == 0 {
		return left >= keep
	}
	switch {
	case left < 3*r.p.target: // §6.2.2
		return false
	case oldest.number == first: // with which the pictures are about to be ahead
		return left >= keep-r.p.target
	}
	return oldest.number < first || left >= keep+r.p.target
}

// begins notes where a playlist of pictures begins.
func (r *rendition) begins(listed []*segment, pictures *atomic.Uint64) {
	if r.kind != media.Video || len(listed) == 0 {
		return
	}
	for {
		first := pictures.Load()
		if listed[0].number <= first || pictures.CompareAndSwap(first, listed[0].number) {
			return
		}
	}
}

// expire gives up segments that were removed from their last playlist one
// window and their own duration ago (§6.2.2); a window that six segments make
// longer than it was asked to be counts as long as it was.
func (r *rendition) expire(w *window, now time.Time) {
	keep := max(r.p.cfg.Window, 3*r.p.target)
	n := 0
	for _, s := range w.held[:len(w.held)-max(w.listed, w.long)] {
		if now.Sub(s.removed) < max(keep, s.stays)+s.duration {
			break
		}
		s.removeFiles()
		n++
	}
	w.held = w.held[n:]
	if r.p.cfg.Protection != nil {
		r.dropParts(w)
	}
}

// initsOf collects the initialization sections that a client may still need.
func (r *rendition) initsOf(w *window) []*initSection {
	out := w.inits[:0:0]
	add := func(s *segment) {
		if s != nil && s.init != nil && (len(out) == 0 || out[len(out)-1] != s.init) {
			out = append(out, s.init)
		}
	}
	for _, s := range w.held {
		add(s)
	}
	add(w.open)
	return out
}

// render writes the playlist of a window that has something to list.
func (r *rendition) render(w *window) {
	low := r.p.cfg.LowLatency && !r.p.cfg.VOD
	if w.listed == 0 && (!low || w.open == nil) || low && !r.p.controlled(r, w) {
		return
	}
	r.model.Segments = r.model.Segments[:0]
	r.compose(w, &r.model, extent{file: mediaFile, segments: w.listed})
	w.doc = newDocument(r.model.Append(make([]byte, 0, 512+160*w.listed+100*r.parts)))
	r.parts = 0
	for i := range r.model.Segments {
		r.parts += len(r.model.Segments[i].Parts)
	}
	seen := *w // does not change with w any more
	later := func(e extent) func() *document {
		return sync.OnceValue(func() *document {
			var m playlist.Media
			r.compose(&seen, &m, e)
			return newDocument(m.Append(nil))
		})
	}
	w.delta, w.longDoc, w.longDelta, w.deltaDates, w.longDeltaDates = nil, nil, nil, nil, nil
	if skip := w.skippable(w.listed, skipTargets*r.p.target); low && !w.ended && skip > 0 {
		w.delta = later(extent{file: mediaFile, segments: w.listed, skip: skip})
		w.deltaDates = later(extent{file: mediaFile, segments: w.listed, skip: skip, skipDates: true})
	}
	if w.long > 0 {
		w.longDoc = later(extent{file: longFile, segments: w.long})
		if skip := w.skippable(w.long, skipTargets*r.p.target); low && !w.ended && skip > 0 {
			w.longDelta = later(extent{file: longFile, segments: w.long, skip: skip})
			w.longDeltaDates = later(extent{file: longFile, segments: w.long, skip: skip, skipDates: true})
		}
	}
}

// extent is what of a window a playlist lists.
type extent struct {
	file     string // its name
	segments int    // the newest
	skip     int    // how many of them a delta update leaves out
	iframes  bool   // only the picture that each begins with, and no parts

	skipDates bool // a delta update that leaves older date ranges out as well
}

// compose says what a playlist of a window is. It reads nothing that needs a
// lock.
func (r *rendition) compose(w *window, m *playlist.Media, e extent) {
	*m = playlist.Media{
		Version: r.version(), TargetDuration: int(r.p.target / time.Second),
		IndependentSegments: !r.p.dependent.Load(), EndList: w.ended, Segments: m.Segments[:0], DateRanges: m.DateRanges,
	}
	if r.p.cfg.VOD && w.ended {
		m.Type = playlist.VOD
	}
	listed := w.held[len(w.held)-e.segments:]
	if e.skip > 0 {
		m.Version, m.Skip = versionSkip, &playlist.Skip{Segments: uint64(e.skip)}
	}
	r.listDates(w, m, e)
	parts := len(listed) // where parts begin to be listed
	switch {
	case e.iframes:
		m.IFramesOnly, m.Version = true, max(m.Version, versionRange)
		m.ServerControl = r.p.control.Load() // §6.2.4: the same in all playlists
	case r.p.cfg.LowLatency:
		parts = r.lowLatency(w, m, listed, e.file)
	}
	var force inForce
	for i, s := range listed {
		if i >= e.skip {
			if i == e.skip && i > 0 {
				// hls.js takes over the section of what it skips, not the key.
				if force.again = true; mapChanges(listed[:i]) {
					force.section = nil
				}
			}
			entry := s.entry(force)
			if e.iframes {
				entry = s.iframe(entry)
			}
			if i >= parts {
				entry.Parts = s.listParts(r)
			}
			m.Segments = append(m.Segments, entry)
		}
		force = force.behind(s)
	}
	if w.open != nil && r.p.cfg.LowLatency && !w.ended && !e.iframes {
		entry := w.open.entry(force)
		entry.Parts = w.open.listParts(r)
		m.Open = &entry
	}
	first := w.open
	if len(listed) > 0 {
		first = listed[0]
	}
	m.MediaSequence = first.number
	// A segment's EXT-X-DISCONTINUITY leaves the playlist together with it.
	m.DiscontinuitySequence = first.discontinuity - uint64(first.discontinuities)
}

// mapChanges reports whether another initialization section comes into force
// in the course of some segments.
func mapChanges(segments []*segment) bool {
	var first *initSection
	for _, s := range segments {
		switch {
		case s.init == nil || s.init == first:
		case first != nil:
			return true
		default:
			first = s.init
		}
	}
	return false
}
