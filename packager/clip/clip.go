package clip

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// MaxLength is the longest clip.
const MaxLength = 6 * time.Hour

// rounding is how exact the dates in playlists are, by which people ask.
const rounding = time.Millisecond

// Errors a caller may branch on.
var (
	ErrTooLong = errors.New("the clip would be too long")
	ErrNothing = errors.New("there is no media in this range")
	ErrChanges = errors.New("the stream's format changes within this range")
)

// Track is what a clip may take from one rendition: its segments with media, in
// order.
type Track struct {
	Video    bool
	Segments []Segment
}

// Segment is one of a rendition.
type Segment struct {
	Start    time.Time
	Duration time.Duration
	Init     string                 // tells initialization sections apart
	Section  func() ([]byte, error) // the section
	Read     func() ([]byte, error) // the segment
	// Transport says that the segment is MPEG-TS, which tells by itself what
	// it is: there is no section then.
	Transport bool
}

func (s *Segment) end() time.Time { return s.Start.Add(s.Duration) }

// Clip is a piece that is there.
type Clip struct {
	Start  time.Time // of the first frame
	head   []byte
	lanes  []*lane
	number uint32
}

// Cut prepares the clip from..to of tracks: one of video, of audio, or both,
// video first. What can go wrong with the request goes wrong here.
func Cut(tracks []Track, from, to time.Time) (*Clip, error) {
	if to.Sub(from) > MaxLength {
		return nil, fmt.Errorf("%w: at most %v", ErrTooLong, MaxLength)
	}
	c := &Clip{}
	begin := from.Add(rounding)
	for i, t := range tracks {
		segments := within(t.Segments, begin, to)
		if len(segments) == 0 {
			if i == 0 {
				return nil, ErrNothing
			}
			break
		}
		for _, s := range segments {
			if s.Init != segments[0].Init {
				return nil, fmt.Errorf("%w, at %s: ask for what is before or after", ErrChanges, s.Start.UTC().Format(time.RFC3339))
			}
		}
		l := &lane{id: uint32(i + 1), video: t.Video, segments: segments, from: from, to: to}
		if err := l.open(); err != nil {
			return nil, err
		}
		c.lanes = append(c.lanes, l)
		if i == 0 {
			begin = segments[0].Start // sound of the whole first GOP
		}
	}
	return c, c.begin()
}

// within are the segments from the one that from is in.
func within(all []Segment, from, to time.Time) []Segment {
	for i := len(all) - 1; i > 0; i-- {
		if !all[i].Start.After(from) {
			all = all[i:] // by its beginning, since ends are not exact
			break
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s Segment) bool { return !s.end().After(from) || !s.Start.Before(to) })
}

// begin aligns the tracks at the first frame of the first one.
func (c *Clip) begin() error {
	lead := c.lanes[0]
	ok, err := lead.start(0, 0)
	if err == nil && !ok {
		err = ErrNothing
	}
	if err != nil {
		return err
	}
	first := lead.fragments[0]
	pts := first.base + int64(first.samples[0].Offset)
	c.Start = lead.wall
	tracks := []fmp4.MovieTrack{{Init: lead.init, Skip: uint32(max(pts-first.base, 0))}}
	lead.zero = first.base
	for _, l := range c.lanes[1:] {
		if _, err := l.start(pts, lead.rate); err != nil {
			return err
		}
		l.zero = media.Rescale(pts, lead.rate, l.rate)
		tracks = append(tracks, fmp4.MovieTrack{Init: l.init})
	}
	c.head, err = fmp4.Movie(tracks...)
	return err
}

// WriteTo implements io.WriterTo. It reads one segment of each track at a time.
func (c *Clip) WriteTo(w io.Writer) (n int64, err error) {
	k, err := w.Write(c.head)
	n = int64(k)
	var header []byte
	for err == nil {
		var next *lane
		for _, l := range c.lanes {
			if err := l.fill(); err != nil {
				return n, err
			}
			if len(l.fragments) > 0 && (next == nil || l.at() < next.at()) {
				next = l
			}
		}
		if next == nil {
			return n, nil
		}
		f := next.fragments[0]
		next.fragments = next.fragments[1:]
		c.number++
		header = fmp4.AppendTrackFragment(header[:0], next.id, c.number, uint64(next.place(f)), f.samples)
		k, err = w.Write(header)
		n += int64(k)
		for i := 0; i < len(f.samples) && err == nil; i++ {
			k, err = w.Write(f.samples[i].Payload)
			n += int64(k)
		}
	}
	return n, err
}
