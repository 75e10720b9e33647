package clip

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// lane reads one track of a clip.
type lane struct {
	id       uint32
	video    bool
	from, to time.Time
	segments []Segment // to be read
	init     []byte
	rate     int
	wall     time.Time // of the first frame

	fragments []fragment // read and not written
	zero      int64      // decoding time of what is shown at 0
	end       int64      // of what is written
	over      bool
}

type fragment struct {
	base    int64
	samples []fmp4.Sample
}

// open reads the initialization section.
func (l *lane) open() (err error) {
	if l.segments[0].Transport {
		return l.describe()
	}
	if l.init, err = l.segments[0].Section(); err != nil {
		return fmt.Errorf("read initialization section: %w", err)
	}
	h, err := fmp4.ReadInit(l.init)
	if err != nil {
		return err
	}
	l.rate = int(h.Timescale)
	if l.rate <= 0 {
		return fmt.Errorf("%w: no timescale", fmp4.ErrBroken)
	}
	return nil
}

// load reads the next segment and what it has before the clip's end.
func (l *lane) load() (starts Segment, all []fragment, err error) {
	s := l.segments[0]
	l.segments = l.segments[1:]
	b, err := s.Read()
	if err != nil {
		return s, nil, fmt.Errorf("read segment: %w", err)
	}
	var read []fmp4.Fragment
	if s.Transport {
		read, err = l.transport(b)
	} else {
		read, err = fmp4.ReadFragments(b)
	}
	if err != nil {
		return s, nil, err
	}
	for _, f := range read {
		out := fragment{base: int64(f.Base)}
		dts := out.base
		for _, sample := range f.Samples {
			if s.Start.Add(media.Duration(dts-int64(read[0].Base), l.rate)).Before(l.to) {
				out.samples = append(out.samples, sample)
			} else {
				l.over = true
			}
			dts += int64(sample.Duration)
		}
		if len(out.samples) > 0 {
			all = append(all, out)
		}
	}
	return s, all, nil
}

// start reads up to the first frame: with a picture the last keyframe that is
// not later than from, or else the first one; with sound the first frame that
// is not before pts, in ticks of rate, or where that is 0, before from.
func (l *lane) start(pts int64, rate int) (bool, error) {
	for len(l.segments) > 0 && !l.over {
		s, all, err := l.load()
		if err != nil {
			return false, err
		}
		if len(all) == 0 {
			continue
		}
		first := all[0].base + int64(all[0].samples[0].Offset)
		found, at, sample := false, 0, 0
		for i, f := range all {
			dts := f.base
			for j, sm := range f.samples {
				shown := dts + int64(sm.Offset)
				wall := s.Start.Add(media.Duration(shown-first, l.rate))
				early := !wall.After(l.from.Add(rounding))
				switch {
				case l.video:
					if sm.Key && (!found || early) {
						found, at, sample, l.wall = true, i, j, wall
					}
				case found:
				case rate > 0 && shown >= media.Rescale(pts, rate, l.rate), rate == 0 && !wall.Before(l.from):
					found, at, sample, l.wall = true, i, j, wall
				}
				dts += int64(sm.Duration)
			}
		}
		if !found {
			continue
		}
		for _, sm := range all[at].samples[:sample] {
			all[at].base += int64(sm.Duration)
		}
		all[at].samples = all[at].samples[sample:]
		l.fragments = all[at:]
		return true, nil
	}
	return false, nil
}

// fill reads on where nothing is left to be written.
func (l *lane) fill() error {
	for len(l.fragments) == 0 && len(l.segments) > 0 && !l.over {
		_, all, err := l.load()
		if err != nil {
			return err
		}
		l.fragments = all
	}
	return nil
}

// at is when the next fragment is to be written.
func (l *lane) at() time.Duration { return media.Duration(l.fragments[0].base-l.zero, l.rate) }

// place is the decoding time of a fragment in the clip. Time never goes back:
// what a broken timeline would put before the end goes behind it.
func (l *lane) place(f fragment) int64 {
	base := f.base - l.zero
	if base < l.end {
		l.zero -= l.end - base
		base = l.end
	}
	l.end = base
	for _, s := range f.samples {
		l.end += int64(s.Duration)
	}
	return base
}
