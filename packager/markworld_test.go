package packager

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// marker marks a random timeline at random, and remembers what it said.
type marker struct {
	rnd    *rand.Rand // its own, so that timelines stay what their seeds made them
	ranges map[string]media.Marker
	order  []string
	events int
}

func newMarker(seed uint64) *marker {
	return &marker{rnd: rand.New(rand.NewPCG(seed, 2)), ranges: map[string]media.Marker{}}
}

// mark does something with markers, now and then.
func (w *world) mark() {
	w.t.Helper()
	k := w.marker
	var m media.Marker
	switch k.rnd.IntN(120) {
	case 0:
		m = media.Marker{Kind: media.DateRange, Duration: time.Duration(k.rnd.IntN(9000)) * time.Millisecond}
	case 1:
		m = media.Marker{Kind: media.DateRange, Class: "open", Duration: -1, Planned: time.Second} // it may be ended
	case 2:
		m = media.Marker{Kind: media.DateRange, Class: fmt.Sprint("class", k.rnd.IntN(2)), Duration: -1, EndOnNext: true}
	case 3:
		if len(k.order) > 0 {
			m = media.Marker{Kind: media.DateRangeEnd, ID: k.order[k.rnd.IntN(len(k.order))]}
		}
	case 4, 5:
		m = media.Marker{Kind: media.Metadata, ID3: id3(1)}
	}
	if m.Kind == 0 {
		return
	}
	if m.Kind == media.DateRange {
		m.ID = fmt.Sprint("m", len(k.order))
	}
	m.Date = time.Now().Add(time.Duration(k.rnd.IntN(8000)-4000) * time.Millisecond)
	out, err := w.Mark(m)
	switch {
	case errors.Is(err, ErrNoRange) && m.Kind == media.DateRangeEnd:
	case err != nil:
		w.t.Errorf("%+v: %v", m, err)
	case m.Kind == media.Metadata:
		k.events++
	case m.Kind == media.DateRange:
		k.order = append(k.order, m.ID)
		k.ranges[m.ID] = out
	default:
		k.ranges[m.ID] = out
	}
}

// end is where a range ends as far as it is known, zero where it is not.
func (k *marker) end(id string) time.Time {
	m := k.ranges[id]
	switch {
	case m.Duration >= 0:
		return m.Date.Add(m.Duration)
	case m.EndOnNext:
		var end time.Time
		for _, other := range k.ranges {
			if other.Class == m.Class && other.Date.After(m.Date) && (end.IsZero() || other.Date.Before(end)) {
				end = other.Date
			}
		}
		return end
	}
	return time.Time{}
}

// dates holds the date ranges of a playlist to §6.2.1, and merges what a client
// has, that asks for delta updates without them, with the next one.
func (o *observer) dates(r *rendition, v *view, m *playlist.Media) {
	o.t.Helper()
	first := time.Time{}
	if len(m.Segments) > 0 {
		first = m.Segments[0].ProgramDateTime
	} else if m.Open != nil {
		first = m.Open.ProgramDateTime
	}
	full := map[string]string{}
	for _, d := range m.DateRanges {
		if _, twice := full[d.ID]; twice {
			o.t.Errorf("%s: date range %s stands twice", r.name, d.ID)
		}
		full[d.ID] = fmt.Sprint(d)
		said := o.marker.ranges[d.ID]
		if d.Class != said.Class || d.Start.Sub(said.Date).Abs() > time.Millisecond {
			o.t.Errorf("%s: date range %+v, marked was %+v", r.name, d, said)
		}
		// What was ended in the past stays until the next part or segment.
		if end := o.marker.end(d.ID); !end.IsZero() && end.Before(first.Add(-time.Millisecond)) && said.Planned == 0 {
			if _, there := v.ranges[d.ID]; !there {
				o.t.Errorf("%s: date range %s ends at %v, before %v", r.name, d.ID, end, first)
			}
		}
	}
	for id := range v.ranges {
		end := o.marker.end(id)
		if _, there := full[id]; !there && (end.IsZero() || end.After(first.Add(time.Millisecond))) {
			o.t.Errorf("%s: §6.2.1: date range %s is gone, it ends at %v, the media begins at %v", r.name, id, end, first)
		}
	}
	if !o.cfg.LowLatency || len(m.Segments) == 0 {
		v.ranges = full
		return
	}
	d, err := playlist.ParseMedia(o.get(r.name + "/index.m3u8?_HLS_skip=v2").Body.String())
	if err != nil {
		o.t.Fatal(err)
	}
	known := map[string]string{}
	if d.Skip != nil {
		if !d.Skip.DateRanges {
			o.t.Errorf("%s: §4.4.5.2: no RECENTLY-REMOVED-DATERANGES", r.name)
		}
		for id, text := range v.ranges {
			known[id] = text
		}
		for _, id := range d.Skip.Removed {
			delete(known, id)
		}
	}
	for _, e := range d.DateRanges {
		known[e.ID] = fmt.Sprint(e)
	}
	if fmt.Sprint(known) != fmt.Sprint(full) {
		o.t.Errorf("%s: §6.2.5.1: merged %v\nthe playlist has %v", r.name, known, full)
	}
	v.ranges = full
}

// happened holds that what a segment carries is shown while it is, and is
// carried once.
func (o *observer) happened(r *rendition, path string, whole []byte, first, end int64) {
	o.t.Helper()
	events, err := fmp4.ReadEvents(whole)
	if err != nil {
		o.t.Fatalf("%s: %v", path, err)
	}
	if r.kind == media.Audio && len(events) > 0 {
		o.t.Errorf("%s: the sound carries %d events", path, len(events))
	}
	for _, e := range events {
		if at := int64(e.Time); at < first || at >= end {
			o.t.Errorf("%s: event %d at %d, the media is from %d to %d", path, e.ID, at, first, end)
		}
		id := fmt.Sprint(r.name, "/", e.ID)
		if o.carried == nil {
			o.carried = map[string]bool{}
		}
		if o.carried[id] {
			o.t.Errorf("%s: event %d was there before", path, e.ID)
		}
		o.carried[id] = true
	}
}
