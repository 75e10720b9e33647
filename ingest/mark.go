package ingest

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// ErrNoTime means that a track has delivered nothing yet that a marker's time
// could be compared with.
var ErrNoTime = errors.New("nothing has a time yet")

// Mark puts a marker on the stream's timeline, at a wire time of track i in the
// ticks of the samples written to it, and hands it on. The time may be ahead of
// the samples: that is how splices are announced. The marker's own At and Date
// are not looked at.
//
// It returns ErrNoTime before the track's first placed sample, what is wrong
// with the marker, or what ended the publisher.
func (p *Publisher) Mark(i int, pts int64, m media.Marker) error {
	if err := m.Check(); err != nil {
		return err
	}
	if err := p.place(i, pts, &m); err != nil {
		return err
	}
	if f := p.s.opts.OnMark; f != nil {
		f(m)
	}
	return nil
}

// place gives a marker its time.
func (p *Publisher) place(i int, pts int64, m *media.Marker) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	switch {
	case p.s.pub != p:
		return p.err
	case i < 0 || i >= len(p.tracks):
		return fmt.Errorf("mark track %d: there are %d", i, len(p.tracks))
	case p.tracks[i].skipped:
		return fmt.Errorf("mark track %d: %w", i, ErrNoTime)
	}
	at, ok := p.s.clock.At(p.tracks[i].track.ID, pts)
	if !ok {
		return fmt.Errorf("mark track %d: %w", i, ErrNoTime)
	}
	m.At, m.Date = at, time.Time{}
	return nil
}
