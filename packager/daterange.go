package packager

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// dateRange is one of the presentation's. It never changes: another one takes
// its place.
type dateRange struct {
	media.Marker
	end     time.Time          // exclusive; zero is not known
	changed time.Time          // when playlists could say so first
	tag     playlist.DateRange // how playlists list it
}

// reaches reports whether the range maps to media at t, or to what comes after.
func (d *dateRange) reaches(t time.Time) bool { return d.end.IsZero() || !d.end.Before(t) }

// addRange begins a date range, or adds to what is known of one. marks.mu is
// held, here and below.
func (p *Presentation) addRange(m *media.Marker) error {
	k := &p.marks
	ranges := slices.Clone(*k.ranges.Load())
	i := slices.IndexFunc(ranges, func(d dateRange) bool { return d.ID == m.ID })
	if i >= 0 {
		merged, err := merge(ranges[i].Marker, m)
		if err != nil {
			return err
		}
		ranges[i] = dateRange{Marker: merged, changed: time.Now()}
		*m = merged
		p.keepRanges(ranges)
		return nil
	}
	switch {
	case k.used[m.ID]:
		return fmt.Errorf("%w: %q was removed from the playlists", ErrMarkerID, m.ID)
	case len(ranges) >= maxDateRanges:
		return fmt.Errorf("%w: there are %d date ranges", ErrTooMany, len(ranges))
	}
	at, _ := slices.BinarySearchFunc(ranges, m.Date, func(d dateRange, t time.Time) int {
		if d.Date.After(t) {
			return 1
		}
		return -1
	})
	p.keepRanges(slices.Insert(ranges, at, dateRange{Marker: *m, changed: time.Now()}))
	return nil
}

// endRange ends a date range that goes on.
func (p *Presentation) endRange(m *media.Marker) error {
	ranges := slices.Clone(*p.marks.ranges.Load())
	i := slices.IndexFunc(ranges, func(d dateRange) bool { return d.ID == m.ID })
	if i < 0 || ranges[i].Duration >= 0 || ranges[i].EndOnNext {
		return fmt.Errorf("%w: %q", ErrNoRange, m.ID)
	}
	began := ranges[i].Marker
	end := *m
	end.Kind, end.Date, end.At = media.DateRange, began.Date, began.At
	end.Duration = max(m.Date.Sub(began.Date), 0)
	merged, err := merge(began, &end)
	if err != nil {
		return err
	}
	ranges[i] = dateRange{Marker: merged, changed: time.Now()}
	*m = merged
	p.keepRanges(ranges)
	return nil
}

// keepRanges makes date ranges known, ordered by start, with their ends.
func (p *Presentation) keepRanges(ranges []dateRange) {
	next := map[string]time.Time{} // where the next one of a class begins
	for i := len(ranges) - 1; i >= 0; i-- {
		d := &ranges[i]
		switch {
		case d.Duration >= 0:
			d.end = d.Date.Add(d.Duration)
		case d.EndOnNext:
			d.end = next[d.Class]
		default:
			d.end = time.Time{}
		}
		if d.Class != "" {
			next[d.Class] = d.Date
		}
		if d.tag.ID == "" {
			d.tag = entry(&d.Marker)
		}
	}
	p.marks.ranges.Store(&ranges)
}

// forgetRanges drops date ranges that map to nothing which can still be
// fetched. Their IDs must not come again with another meaning (§6.2.1).
func (p *Presentation) forgetRanges() {
	k := &p.marks
	old := *k.ranges.Load()
	if len(old) == 0 || p.cfg.VOD {
		return
	}
	var oldest time.Time
	for _, r := range *p.names.Load() {
		if w := r.window.Load(); len(w.held) > 0 && (oldest.IsZero() || w.held[0].wall.Before(oldest)) {
			oldest = w.held[0].wall
		}
	}
	kept := make([]dateRange, 0, len(old))
	for i := range old {
		if d := &old[i]; d.reaches(oldest) {
			kept = append(kept, *d)
		} else {
			k.use(d.ID)
		}
	}
	if len(kept) < len(old) {
		k.ranges.Store(&kept)
	}
}

// use remembers the ID of a date range that is gone.
func (k *marks) use(id string) {
	if len(k.usedIDs) == maxUsedIDs {
		delete(k.used, k.usedIDs[0])
		k.usedIDs = k.usedIDs[1:]
	}
	k.used[id] = true
	k.usedIDs = append(k.usedIDs, id)
}

// sameStart is how far two announcements of one start may differ: the clock of
// the sender is measured each time.
const sameStart = 500 * time.Millisecond

// merge adds to a date range what was not known of it. What two tags of one ID
// both say has to be the same (RFC 8216bis §4.4.5.1).
func merge(d media.Marker, with *media.Marker) (media.Marker, error) {
	conflict := func(what string) (media.Marker, error) {
		return d, fmt.Errorf("%w: %q has another %s", ErrMarkerID, d.ID, what)
	}
	switch {
	case with.Class != "" && with.Class != d.Class:
		return conflict("class")
	case with.Date.Sub(d.Date).Abs() > sameStart:
		return conflict("start")
	case with.EndOnNext != d.EndOnNext && d.Duration >= 0:
		return conflict("end")
	case with.Duration >= 0 && d.Duration >= 0 && with.Duration != d.Duration:
		return conflict("duration")
	case with.Planned > 0 && d.Planned > 0 && with.Planned != d.Planned:
		return conflict("planned duration")
	}
	if d.Duration < 0 {
		d.Duration = with.Duration
		d.EndOnNext = d.EndOnNext && with.Duration < 0
	}
	d.Planned = max(d.Planned, with.Planned)
	for _, section := range []struct {
		name string
		to   *[]byte
		from []byte
	}{{"SCTE 35 command", &d.Command, with.Command}, {"SCTE 35 out", &d.Out, with.Out}, {"SCTE 35 in", &d.In, with.In}} {
		switch {
		case len(section.from) == 0:
		case len(*section.to) > 0 && !bytes.Equal(*section.to, section.from):
			return conflict(section.name)
		default:
			*section.to = section.from
		}
	}
	if len(with.Attributes) > 0 {
		all := maps.Clone(with.Attributes)
		for name, value := range d.Attributes {
			if other, ok := all[name]; ok && fmt.Sprint(other) != fmt.Sprint(value) {
				return conflict(name)
			}
			all[name] = value
		}
		d.Attributes = all
	}
	return d, d.Check()
}

// entry is how playlists list the range.
func entry(d *media.Marker) playlist.DateRange {
	e := playlist.DateRange{
		ID: d.ID, Class: d.Class, Start: d.Date, Duration: d.Duration, Planned: -1, EndOnNext: d.EndOnNext,
		Command: d.Command, Out: d.Out, In: d.In,
	}
	if d.Planned > 0 {
		e.Planned = d.Planned
	}
	for name, value := range d.Attributes {
		a := playlist.Attribute{Name: name}
		switch v := value.(type) {
		case string:
			a.Value, a.Quoted = v, true
		case float64:
			a.Value = playlist.Decimal(v)
		case []byte:
			a.Value = playlist.Hex(v)
		}
		e.Attributes = append(e.Attributes, a)
	}
	slices.SortFunc(e.Attributes, func(a, b playlist.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return e
}

// restoreRanges has date ranges of an earlier presentation go on.
func (p *Presentation) restoreRanges(past []playlist.DateRange) {
	if !p.cfg.Markers || len(past) == 0 {
		return
	}
	p.marks.mu.Lock()
	defer p.marks.mu.Unlock()
	ranges := slices.Clone(*p.marks.ranges.Load())
	for i := range past {
		if m := markerOf(&past[i]); m.Check() == nil && len(ranges) < maxDateRanges {
			ranges = append(ranges, dateRange{Marker: m, changed: time.Now()})
		}
	}
	slices.SortStableFunc(ranges, func(a, b dateRange) int { return a.Date.Compare(b.Date) })
	p.keepRanges(ranges)
}

// markerOf is the marker that makes a date range of a playlist.
func markerOf(d *playlist.DateRange) media.Marker {
	m := media.Marker{
		Kind: media.DateRange, ID: d.ID, Class: d.Class, Date: d.Start, Duration: d.Duration, Planned: max(d.Planned, 0),
		EndOnNext: d.EndOnNext, Command: d.Command, Out: d.Out, In: d.In,
	}
	for _, a := range d.Attributes {
		if m.Attributes == nil {
			m.Attributes = map[string]any{}
		}
		if number, err := strconv.ParseFloat(a.Value, 64); err == nil && !a.Quoted {
			m.Attributes[a.Name] = number
		} else if b, err := hex.DecodeString(strings.TrimPrefix(a.Value, "0x")); err == nil && !a.Quoted {
			m.Attributes[a.Name] = b
		} else {
			m.Attributes[a.Name] = a.Value
		}
	}
	return m
}

// dated are the date ranges of one playlist. It is immutable.
type dated struct {
	of      *[]dateRange // what it was made of
	first   time.Time    // of the media that the playlist lists
	listed  []*dateRange
	removed []removedRange // lately
}

// removedRange is a date range that a playlist has listed.
type removedRange struct {
	id string
	at time.Time
}

// next is what follows when the media begins at first; what was removed is
// remembered for as long as a client may not know it.
func (d *dated) next(ranges *[]dateRange, first, now time.Time, boundary time.Duration) dated {
	if d.of == ranges && d.first.Equal(first) {
		return *d
	}
	n := dated{of: ranges, first: first}
	here := map[string]bool{}
	for i := range *ranges {
		if r := &(*ranges)[i]; r.reaches(first) {
			n.listed = append(n.listed, r)
			here[r.ID] = true
		}
	}
	for _, r := range d.removed {
		if now.Sub(r.at) <= boundary {
			n.removed = append(n.removed, r)
		}
	}
	for _, r := range d.listed {
		if !here[r.ID] {
			n.removed = append(n.removed, removedRange{r.ID, now})
		}
	}
	return n
}

// date completes a window by the date ranges of its playlists.
func (r *rendition) date(w *window) {
	now, ranges, boundary := time.Now(), r.p.marks.ranges.Load(), skipTargets*r.p.target
	w.at = now
	if s := w.oldest(w.listed); s != nil {
		w.dates = w.dates.next(ranges, s.wall, now, boundary)
	}
	if s := w.oldest(w.long); s != nil && w.long > 0 {
		w.longDates = w.longDates.next(ranges, s.wall, now, boundary)
	}
}

// oldest is the first of the newest segments, or the open one where there are
// none; nil where there is neither.
func (w *window) oldest(segments int) *segment {
	if segments > 0 {
		return w.held[len(w.held)-segments]
	}
	return w.open
}

// listDates puts date ranges into a playlist. A delta update that leaves them
// out has those that are news within the boundary, and says which have gone
// (RFC 8216bis §6.2.5.1).
func (r *rendition) listDates(w *window, m *playlist.Media, e extent) {
	dates, boundary := &w.dates, skipTargets*r.p.target
	if e.file == longFile || e.file == longIFramesFile {
		dates = &w.longDates
	}
	m.DateRanges = m.DateRanges[:0]
	for _, d := range dates.listed {
		if e.skipDates && w.at.Sub(d.changed) > boundary {
			m.Version = versionSkipDates
			continue
		}
		m.DateRanges = append(m.DateRanges, d.tag)
	}
	if !e.skipDates {
		return
	}
	m.Skip.DateRanges = true
	for _, gone := range dates.removed {
		if w.at.Sub(gone.at) <= boundary {
			m.Skip.Removed = append(m.Skip.Removed, gone.id)
		}
	}
}
