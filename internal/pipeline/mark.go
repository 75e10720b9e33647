package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/id3"
	"github.com/millrace/millrace/transcode/wire"
)

// Mark marks a stream, as whoever uses the API or the app asks.
func (m *Manager) Mark(path string, ask status.Marker) (status.Marked, error) {
	p := m.lookup(path)
	if p == nil {
		return status.Marked{}, status.ErrNotFound
	}
	marker, err := markerOf(&ask, p.now())
	if err != nil {
		return status.Marked{}, fmt.Errorf("%w: %w", status.ErrBadMarker, err)
	}
	if marker.Kind == media.DateRange {
		if marker.ID == "" {
			marker.ID = p.nextMarkerID()
		} else if known, ok := p.dateRange(marker.ID); ok {
			// What is not said of it stays.
			if ask.Start == "" {
				marker.Date = known.Date
			}
			if ask.Duration == nil {
				marker.Duration = -1
			}
		}
	}
	return p.mark(marker)
}

// EndMarker ends a date range that goes on, and adds to it what is known now.
func (m *Manager) EndMarker(path, id string, ask status.MarkerEnd) (status.Marked, error) {
	p := m.lookup(path)
	if p == nil {
		return status.Marked{}, status.ErrNotFound
	}
	marker, err := p.endOf(id, &ask)
	if err != nil {
		return status.Marked{}, err
	}
	return p.mark(marker)
}

// endOf is the end of a date range that somebody asks for.
func (p *Pipeline) endOf(id string, ask *status.MarkerEnd) (media.Marker, error) {
	marker, err := markerOf(&status.Marker{
		ID: id, Start: ask.End, Duration: ask.Duration, Attributes: ask.Attributes, SCTE35: ask.SCTE35,
	}, p.now())
	if err != nil {
		return marker, fmt.Errorf("%w: %w", status.ErrBadMarker, err)
	}
	marker.Kind = media.DateRangeEnd
	if ask.Duration != nil {
		known, ok := p.dateRange(id)
		if !ok {
			return marker, status.ErrNoMarker
		}
		marker.Date = known.Date.Add(marker.Duration)
	}
	return marker, nil
}

// dateRange finds a date range by its ID.
func (p *Pipeline) dateRange(id string) (media.Marker, bool) {
	pres, _ := p.presented()
	for _, r := range pres.DateRanges() {
		if r.ID == id {
			return r, true
		}
	}
	return media.Marker{}, false
}

// now is the time by the dates of the stream's segments, which may be those of
// the sender's clock.
func (p *Pipeline) now() time.Time {
	if p.set.Clock != clockSender {
		return time.Now()
	}
	pres, _ := p.presented()
	return time.Now().Add(pres.Ahead())
}

// Markers are the date ranges that a stream's playlists list, or will.
func (m *Manager) Markers(path string) ([]status.Marked, error) {
	p := m.lookup(path)
	if p == nil {
		return nil, status.ErrNotFound
	}
	pres, _ := p.presented()
	list := []status.Marked{}
	for _, r := range pres.DateRanges() {
		list = append(list, markedOf(&r))
	}
	return list, nil
}

// mark puts a marker on what viewers see, and tells everybody.
func (p *Pipeline) mark(marker media.Marker) (status.Marked, error) {
	pres, _ := p.presented()
	placed, err := pres.Mark(marker)
	if err != nil {
		return status.Marked{}, markError(err)
	}
	marked := markedOf(&placed)
	// As a whole: events have an ID of their own.
	p.deps.Bus.Send("stream:marker", p.path, map[string]status.Marked{"marker": marked})
	return marked, nil
}

// sourceMark takes a marker that the publisher sent.
func (p *Pipeline) sourceMark(marker media.Marker) {
	if _, err := p.mark(marker); err != nil {
		p.log.Warn("a marker of the publisher is not taken", "id", marker.ID, "err", err)
	}
}

// markTopic is the topic under which a script says what it marks; see
// jsapi/builtin/src/millrace/pipeline.js.
const markTopic = "millrace:mark"

// scriptMark takes what the stream's script marks. Its time may be one of the
// script's packets.
func (p *Pipeline) scriptMark(m *wire.Script) {
	var said struct {
		Marker *status.Marker    `json:"marker"`
		ID     string            `json:"id"`
		End    *status.MarkerEnd `json:"end"`
		Time   *float64          `json:"time"` // media time, in seconds
	}
	err := json.Unmarshal(m.Body[:m.Sizes[0]], &said)
	var marker media.Marker
	switch {
	case err != nil:
	case said.Marker != nil:
		marker, err = markerOf(said.Marker, p.now())
	case said.End != nil:
		marker, err = p.endOf(said.ID, said.End)
	default:
		err = errors.New("it says nothing")
	}
	if err == nil {
		if said.Time != nil {
			marker.Date, marker.At = time.Time{}, seconds(*said.Time)
		}
		_, err = p.mark(marker)
	}
	if err != nil {
		p.log.Warn("a marker of the script is not taken", "err", err)
	}
}

// nextMarkerID makes the ID of a marker that has none. It begins with the
// creation of the stream, so that it is never that of another life of it.
func (p *Pipeline) nextMarkerID() string {
	return strconv.FormatInt(p.created.UnixMilli(), 36) + "-" + strconv.FormatUint(p.marks.Add(1), 10)
}

// markError says to web what it has a status for.
func markError(err error) error {
	for ours, theirs := range map[error]error{
		media.ErrMarker: status.ErrBadMarker, packager.ErrMarkerID: status.ErrMarkerID, packager.ErrNoRange: status.ErrNoMarker,
		packager.ErrTooMany: status.ErrManyMarkers, packager.ErrEnded: status.ErrMarkersEnded, packager.ErrClosed: status.ErrMarkersEnded,
	} {
		if errors.Is(err, ours) {
			return fmt.Errorf("%w: %w", theirs, err)
		}
	}
	return err
}

// markerOf is what somebody asks for at a time.
func markerOf(ask *status.Marker, now time.Time) (media.Marker, error) {
	m := media.Marker{
		Kind: media.DateRange, ID: ask.ID, Class: ask.Class, EndOnNext: ask.EndOnNext,
		Planned: seconds(ask.Planned), Attributes: maps.Clone(ask.Attributes),
	}
	var err error
	if m.Date, err = readStart(ask.Start, now); err != nil {
		return m, err
	}
	switch {
	case ask.Duration != nil:
		if *ask.Duration < 0 {
			return m, errors.New("the duration is negative")
		}
		m.Duration = seconds(*ask.Duration)
	case ask.Planned > 0 || ask.Open || ask.EndOnNext:
		m.Duration = -1
	}
	for name, value := range m.Attributes {
		switch v := value.(type) {
		case int:
			m.Attributes[name] = float64(v)
		case int64:
			m.Attributes[name] = float64(v)
		}
	}
	if s := ask.SCTE35; s != nil {
		m.Command, m.Out, m.In = s.Command, s.Out, s.In
	}
	tag, err := tagOf(ask)
	if err != nil || tag == nil {
		return m, err
	}
	if ask.ID != "" || ask.Class != "" || ask.Duration != nil || ask.Planned > 0 || ask.Open || ask.EndOnNext || ask.SCTE35 != nil || len(ask.Attributes) > 0 {
		return m, errors.New("text, private and id3 are metadata; it takes start and nothing else of a date range")
	}
	return media.Marker{Kind: media.Metadata, Date: m.Date, ID3: tag}, nil
}

// tagOf is the ID3 tag of metadata, nil where none is asked for.
func tagOf(ask *status.Marker) ([]byte, error) {
	if len(ask.ID3) > 0 {
		if len(ask.Text) > 0 || ask.Private != nil {
			return nil, errors.New("id3 is a whole tag; it goes without text and private")
		}
		return ask.ID3, nil
	}
	var frames []id3.Frame
	for _, name := range slices.Sorted(maps.Keys(ask.Text)) {
		frame, err := id3.Text(name, ask.Text[name])
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame)
	}
	if ask.Private != nil {
		frame, err := id3.Private(ask.Private.Owner, ask.Private.Data)
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame)
	}
	if len(frames) == 0 {
		return nil, nil
	}
	return id3.Tag(frames...), nil
}

// farthest is how far from now a marker may be.
const farthest = 30 * 24 * time.Hour

// readStart reads when a marker is to be.
func readStart(s string, now time.Time) (time.Time, error) {
	at := now
	switch {
	case s == "" || s == "now":
		return now, nil
	case s[0] == '+' || s[0] == '-':
		d, err := time.ParseDuration(s)
		if err != nil {
			return now, fmt.Errorf("start %q is no distance like +5s or -1.5s", s)
		}
		at = now.Add(d)
	default:
		var err error
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return now, fmt.Errorf("start %q is neither now, nor a date like 2026-01-31T20:15:00Z, nor a distance like +5s", s)
		}
	}
	if at.Sub(now).Abs() > farthest {
		return now, fmt.Errorf("start %q is more than 30 days away", s)
	}
	return at, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// markedOf is what is told of a marker.
func markedOf(m *media.Marker) status.Marked {
	out := status.Marked{Kind: "metadata", Start: m.Date.UTC()}
	if m.Kind == media.Metadata {
		return out
	}
	out.Kind, out.ID, out.Class = "daterange", m.ID, m.Class
	out.Planned, out.EndOnNext, out.Attributes = m.Planned.Seconds(), m.EndOnNext, m.Attributes
	if m.Duration >= 0 {
		d := m.Duration.Seconds()
		out.Duration = &d
	}
	if len(m.Command) > 0 || len(m.Out) > 0 || len(m.In) > 0 {
		out.SCTE35 = &status.SCTE35{Command: m.Command, Out: m.Out, In: m.In}
	}
	return out
}
