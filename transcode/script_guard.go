package transcode

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// scriptReader takes the messages of one script's worker.
type scriptReader struct {
	*Script
	guard  *scriptGuard
	tracks wire.Tracks
	log    relay
}

func (r *scriptReader) take(m wire.Message) error {
	if p, ok := m.(*wire.Packet); ok {
		return r.packet(p)
	}
	if err := r.guard.message(media.Now()); err != nil {
		return err
	}
	out, wanted := r.job.Output, r.ctx.Err() == nil
	switch m := m.(type) {
	case *wire.Track:
		if err := r.guard.trackOf(m); err != nil {
			return err
		}
		return r.tracks.Announce(m)
	case *wire.Renditions:
		r.guard.renditions(m)
		if err := r.afford(m.Cost); err != nil {
			return err
		}
		if wanted {
			return out.Renditions(m)
		}
	case *wire.GivenUp:
		if wanted {
			out.GivenUp(Degradation{Level: m.Level, Preset: m.Preset, Off: m.Off, FrameDivisor: m.FrameDivisor})
		}
	case *wire.Files:
		if wanted {
			out.Files(m.Paths)
		}
	case *wire.Cut:
		c, err := r.guard.cut(m)
		if err == nil && wanted {
			err = out.Cut(c)
		}
		return err
	case *wire.Stats:
		r.figures(m)
	case *wire.Log:
		r.log.write(r.ctx, m)
	case *wire.Script:
		if wanted {
			out.Message(m)
		}
	case *wire.Suspended:
		if wanted {
			out.Suspended()
		}
	case *wire.Handed:
		if wanted {
			out.Handed()
		}
	case *wire.Drained:
		r.finished()
	case *wire.Bye:
	default:
		return fmt.Errorf("it sent a message of type %d", m.Type())
	}
	return nil
}

func (r *scriptReader) packet(m *wire.Packet) error {
	rendition, err := r.tracks.Resolve(m)
	if err != nil {
		return err
	}
	if err := r.guard.packet(rendition, m.Placed, media.Now()); err != nil {
		return err
	}
	r.mu.Lock()
	r.stats.PacketsOut++
	r.stats.BytesOut += uint64(len(m.Payload))
	r.mu.Unlock()
	if wanted := r.ctx.Err() == nil; wanted {
		return r.job.Output.Packet(rendition, m.Placed)
	}
	return nil
}

// afford has the machine carry what the script is going to make, or ends it.
func (r *scriptReader) afford(cost float64) error {
	if !r.job.Policy.Live { // a file takes what it gets
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.account.ask(cost); err != nil {
		r.p.Kill(child.Overloaded, err.Error())
		return err
	}
	r.cost = cost
	return nil
}

// figures come from the script's own loop: that they come says that it gives
// way.
func (r *scriptReader) figures(m *wire.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beat, r.at = media.Now(), m.Position
	r.stats.QueueBytes, r.stats.Dropped = m.QueuedBytes, m.Dropped
}

func (r *scriptReader) finished() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.drained:
	default:
		close(r.drained)
	}
}

// scriptGuard holds a script's worker to what it may send: renditions that it
// announced, in segments that it cut, in order, and not in amounts that would
// take the server's memory. What a script makes has times of its own, so that
// nothing is said about those.
type scriptGuard struct {
	lanes         map[string]*lane
	segment       uint64
	discontinuity map[uint64]uint64 // of the newest segments
	wall          time.Time

	second  time.Duration
	control int

	begun time.Duration
	bytes int64
}

const (
	// scriptBurst and scriptRate bound what a script puts out, in bytes and
	// bytes a second: far more than any ladder, and less than fills memory
	// before somebody notices.
	scriptBurst = 128 << 20
	scriptRate  = 32 << 20
	// lateCuts is how many segments a rendition may be behind the newest.
	lateCuts = 256
)

func newScriptGuard() *scriptGuard {
	return &scriptGuard{discontinuity: make(map[uint64]uint64)}
}

func (g *scriptGuard) renditions(m *wire.Renditions) {
	old := g.lanes
	g.lanes = make(map[string]*lane)
	for _, r := range m.Renditions {
		if l := old[r.Name]; l != nil && l.kind == r.Kind {
			g.lanes[r.Name] = l
		} else {
			g.lanes[r.Name] = &lane{kind: r.Kind}
		}
	}
}

func (g *scriptGuard) trackOf(t *wire.Track) error {
	if l := g.lanes[t.Rendition]; l == nil || l.kind != t.Track.Kind {
		return fmt.Errorf("it announced %s of a rendition %q that it does not make", t.Track.Kind, t.Rendition)
	}
	return nil
}

func (g *scriptGuard) cut(m *wire.Cut) (media.Cut, error) {
	newest := g.discontinuity[g.segment]
	if m.Segment != g.segment+1 || m.Discontinuity != newest && m.Discontinuity != newest+1 {
		return media.Cut{}, fmt.Errorf("it cut segment %d, discontinuity %d, after segment %d, discontinuity %d",
			m.Segment, m.Discontinuity, g.segment, newest)
	}
	g.segment = m.Segment
	g.discontinuity[m.Segment] = m.Discontinuity
	delete(g.discontinuity, m.Segment-lateCuts)
	wall := time.Unix(0, m.Wall)
	if m.Wall == 0 {
		wall = time.Now()
	}
	if wall.Before(g.wall) {
		wall = g.wall
	}
	g.wall = wall
	return media.Cut{Segment: m.Segment, Discontinuity: m.Discontinuity, PTS: m.PTS, ClockRate: m.ClockRate, Wall: wall}, nil
}

func (g *scriptGuard) packet(rendition string, p media.Placed, now time.Duration) error {
	l := g.lanes[rendition]
	if l == nil {
		return fmt.Errorf("it sent a packet of %q", rendition)
	}
	if d, ok := g.discontinuity[p.Segment]; !ok || d != p.Discontinuity || l.begun && p.Segment < l.segment {
		return fmt.Errorf("it sent a packet of %s in segment %d, discontinuity %d, after segment %d",
			rendition, p.Segment, p.Discontinuity, l.segment)
	}
	if g.begun == 0 {
		g.begun = now
	}
	g.bytes += int64(len(p.Payload)) + overhead
	if most := scriptBurst + int64((now-g.begun).Seconds()*scriptRate); g.bytes > most {
		return fmt.Errorf("it sent %d MiB in %s", g.bytes>>20, (now - g.begun).Round(time.Second))
	}
	l.begun, l.segment = true, p.Segment
	return nil
}

// message counts one that is no packet.
func (g *scriptGuard) message(now time.Duration) error {
	if now-g.second >= time.Second {
		g.second, g.control = now, 0
	}
	if g.control++; g.control > maxControl {
		return fmt.Errorf("it sent more than %d messages in a second", maxControl)
	}
	return nil
}
