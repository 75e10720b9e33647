package transcode

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// guard holds a worker to what it may send: renditions of the plan, in
// segments that were cut, in order, not ahead of the source, and not in
// amounts that no encoder makes.
type guard struct {
	lanes map[string]*lane

	mu   sync.Mutex
	cuts []wire.Cut // told to workers, by segment

	second  time.Duration // of the control messages counted
	control int
}

// lane is one coded rendition.
type lane struct {
	kind    media.Kind
	bitrate int // the most it may have on average

	track   *media.Track
	dts     int64
	segment uint64
	bytes   int64
	since   time.Duration // media time from which bytes are counted
	begun   bool
}

const (
	keptCuts   = 4096
	maxControl = 500 // messages a second that are not packets
	// ahead is how far output may be ahead of input; resampling and rounding
	// need a little.
	ahead = 2 * time.Second
	// burst and excess bound bytes: encoders overshoot, not by that much.
	burst  = 16 << 20
	excess = 4
)

func newGuard(p *Plan) *guard {
	g := &guard{lanes: make(map[string]*lane)}
	for _, r := range p.Renditions {
		if !r.Copy {
			g.lanes[r.Name] = &lane{kind: r.Kind, bitrate: max(r.Bitrate, r.MaxBitrate, 1_000_000)}
		}
	}
	return g
}

// fresh begins with a new worker.
func (g *guard) fresh() {
	for _, l := range g.lanes {
		*l = lane{kind: l.kind, bitrate: l.bitrate}
	}
	g.control = 0
}

// cut takes note of a cut that workers are told.
func (g *guard) cut(c wire.Cut) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.cuts) == keptCuts {
		g.cuts = append(g.cuts[:0], g.cuts[keptCuts/2:]...)
	}
	g.cuts = append(g.cuts, c)
}

// newestDiscontinuity is that of the last cut, 0 before the first.
func (g *guard) newestDiscontinuity() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.cuts) == 0 {
		return 0
	}
	return g.cuts[len(g.cuts)-1].Discontinuity
}

func (g *guard) discontinuity(segment uint64) (uint64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, ok := slices.BinarySearchFunc(g.cuts, segment, func(c wire.Cut, s uint64) int {
		switch {
		case c.Segment < s:
			return -1
		case c.Segment > s:
			return 1
		}
		return 0
	})
	if !ok {
		return 0, false
	}
	return g.cuts[i].Discontinuity, true
}

// trackOf judges the announcement of a track.
func (g *guard) trackOf(t *wire.Track) error {
	l := g.lanes[t.Rendition]
	if l == nil || l.kind != t.Track.Kind {
		return fmt.Errorf("it announced %s of a rendition %q that it was not asked for", t.Track.Kind, t.Rendition)
	}
	return nil
}

// packet judges a packet whose Track is known. newest is the newest media time
// that the worker was given.
func (g *guard) packet(rendition string, p media.Placed, newest time.Duration) error {
	l := g.lanes[rendition]
	if l == nil {
		return fmt.Errorf("it sent a packet of %q", rendition)
	}
	if d, ok := g.discontinuity(p.Segment); !ok || d != p.Discontinuity || l.begun && p.Segment < l.segment {
		return fmt.Errorf("it sent a packet of %s in segment %d, discontinuity %d, after segment %d",
			rendition, p.Segment, p.Discontinuity, l.segment)
	}
	rate := p.Track.ClockRate
	if l.track != nil && l.track.ClockRate == rate && p.DTS < l.dts {
		return fmt.Errorf("it sent a packet of %s at %d after one at %d", rendition, p.DTS, l.dts)
	}
	at := media.Duration(p.PTS, rate)
	if at > newest+ahead {
		return fmt.Errorf("it sent a packet of %s at %s, the source is at %s", rendition, at, newest)
	}
	if !l.begun {
		l.begun, l.since = true, at
	}
	l.track, l.dts, l.segment = p.Track, p.DTS, p.Segment
	l.bytes += int64(len(p.Payload)) + overhead
	seconds := max(newest-l.since, 0).Seconds()
	if most := burst + int64(seconds*float64(l.bitrate)/8*excess); l.bytes > most {
		return fmt.Errorf("it sent %d bytes of %s in %.0f s", l.bytes, rendition, seconds)
	}
	return nil
}

// message counts one that is no packet.
func (g *guard) message(now time.Duration) error {
	if now-g.second >= time.Second {
		g.second, g.control = now, 0
	}
	if g.control++; g.control > maxControl {
		return fmt.Errorf("it sent more than %d messages in a second", maxControl)
	}
	return nil
}
