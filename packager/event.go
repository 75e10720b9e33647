package packager

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// event is timed metadata.
type event struct {
	serial uint64        // in the order in which they came
	at     time.Duration // on the stream's timeline
	id3    []byte
}

// addEvent takes metadata. marks.mu is held.
func (p *Presentation) addEvent(m *media.Marker) error {
	k := &p.marks
	old := *k.events.Load()
	if len(old) >= maxEvents {
		return fmt.Errorf("%w: %d events wait for their time", ErrTooMany, len(old))
	}
	k.serial++
	events := append(slices.Clip(old), event{serial: k.serial, at: m.At, id3: m.ID3})
	k.events.Store(&events)
	return nil
}

// due is an event that a part carries, at a time in ticks of its track.
type due struct {
	serial uint64
	pts    int64
	id3    []byte
}

// takeEvents finds what is to be carried by the open part: what happens while
// its pictures are shown, and what should have been carried before but came too
// late, or was in a part that was lost. That happens with its first picture.
func (r *rendition) takeEvents() {
	r.events = r.events[:0]
	if !r.eventful() || len(r.pending.samples) == 0 {
		return
	}
	rate, dts := r.track.ClockRate, r.pending.base
	first, end := dts+int64(r.pending.samples[0].Offset), dts
	for i := range r.pending.samples {
		s := &r.pending.samples[i]
		first = min(first, dts+int64(s.Offset))
		dts += int64(s.Duration)
		end = max(end, dts+int64(s.Offset))
	}
	if !r.marked {
		// What happened before a rendition began is not for it.
		r.marked, r.markedTo = true, media.Duration(first, rate)
	}
	reached := max(media.Duration(end, rate), r.markedTo)
	events := *r.p.marks.events.Load()
	for _, e := range events {
		if isNew := e.serial > r.markedSerial; e.at < reached && (isNew || e.at >= r.markedTo) {
			r.events = append(r.events, due{e.serial, max(media.Ticks(e.at, rate), first), e.id3})
		}
	}
	slices.SortStableFunc(r.events, func(a, b due) int { return int(min(max(a.pts-b.pts, -1), 1)) })
	r.markedTo = reached
	if len(events) > 0 {
		r.markedSerial = events[len(events)-1].serial
	}
}

// eventful reports whether timed metadata travels in this rendition. Players
// look for it where the picture is; where it is in both, it happens twice.
func (r *rendition) eventful() bool {
	return r.p.cfg.Markers && (r.kind == media.Video || !r.p.pictured.Load())
}

// appendEvents writes the boxes of a part's metadata.
func appendEvents(b []byte, events []due, rate int) []byte {
	for _, e := range events {
		b = fmp4.AppendEvent(b, fmp4.Event{
			Scheme: fmp4.SchemeID3, Timescale: uint32(rate), Time: uint64(max(e.pts, 0)), ID: uint32(e.serial), Message: e.id3,
		})
	}
	return b
}
