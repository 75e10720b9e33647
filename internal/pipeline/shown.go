package pipeline

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
	"github.com/millrace/millrace/transcode/wire"
)

// show puts an actor's renditions into force. s.mu is held.
func (s *scripted) show(m *wire.Renditions) error {
	if !s.fixed {
		want := overlay(s.p.set.HLS, m.HLS)
		if want != s.p.inForce().HLS {
			if err := s.p.reshape(want); err != nil {
				return err
			}
		}
	}
	pres, _ := s.p.presented()
	list := make([]packager.Rendition, 0, len(m.Renditions))
	for _, r := range m.Renditions {
		list = append(list, packager.Rendition{
			Name: r.Name, Kind: r.Kind, Copy: r.Copy, Language: r.Language,
			Bitrate: r.Bitrate, AverageBitrate: r.AverageBitrate,
			Group: r.Group, Title: r.Title, Default: r.Default,
		})
	}
	if err := pres.SetRenditions(list); err != nil {
		return fmt.Errorf("set renditions: %w", err)
	}
	if m.Dependent {
		pres.SetDependent()
	}
	s.shown, s.degraded = m, transcode.Degradation{}
	return nil
}

// gaveUp takes note of what an actor's ladder gives up, or takes back. s.mu is
// held.
func (s *scripted) gaveUp(a *actor, d transcode.Degradation) {
	d.Off = slices.DeleteFunc(d.Off, func(name string) bool { return !s.codes(name) })
	a.off, a.offCuts, s.degraded = d.Off, 0, d
	s.p.log.Warn("the encoders' load changed what is made", "level", d.Level, "given up", d.String())
	s.p.deps.Bus.Send("worker:degraded", s.p.path, map[string]any{"level": d.Level, "givenUp": d.String()})
}

// codes reports whether a rendition of this name comes from the script's
// ladder. s.mu is held.
func (s *scripted) codes(name string) bool {
	return s.shown != nil && slices.ContainsFunc(s.shown.Renditions, func(r wire.Rendition) bool { return r.Name == name && !r.Copy })
}

// status is what the script makes, and its worker.
func (s *scripted) status(stats packager.Stats) ([]status.Rendition, *status.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []status.Rendition
	if s.shown != nil {
		for _, r := range s.shown.Renditions {
			st := status.Rendition{
				Name: r.Name, Kind: r.Kind.String(), Codec: string(r.Codec), Width: r.Width, Height: r.Height, FPS: r.FPS.Float(),
				SampleRate: r.SampleRate, Channels: r.Channels, Declared: r.Bitrate, Copy: r.Copy, State: "starting",
			}
			for _, packaged := range stats.Renditions {
				if packaged.Name == r.Name && packaged.Listed > 0 {
					st.Measured, st.State = packaged.Average, "live"
				}
			}
			if slices.Contains(s.degraded.Off, r.Name) {
				st.State = "off"
			}
			list = append(list, st)
		}
	}
	if s.acting == nil || s.acting.run == nil {
		return list, nil
	}
	run := s.acting.run.Stats()
	return list, &status.Worker{Queue: int(run.QueueBytes), Dropped: run.Dropped, RSS: run.RSS, Restarts: s.restart, Degraded: s.degraded.String()}
}

// overlay is a shape with what a script wants of it.
func overlay(hls config.HLS, w wire.HLS) config.HLS {
	for _, d := range []struct {
		to   *time.Duration
		from int64
	}{{&hls.Segment, w.Segment}, {&hls.Part, w.Part}, {&hls.Window, w.Window}, {&hls.DVR, w.DVR}} {
		if d.from > 0 {
			*d.to = time.Duration(d.from)
		}
	}
	if w.Container != "" {
		hls.Container = w.Container
	}
	if w.LowLatency != nil {
		hls.LowLatency = *w.LowLatency
	}
	return hls
}

// shapeOf is overlay's other direction: all of a shape.
func shapeOf(hls config.HLS) wire.HLS {
	low := hls.LowLatency
	return wire.HLS{
		Segment: int64(hls.Segment), Part: int64(hls.Part), Window: int64(hls.Window), DVR: int64(hls.DVR),
		Container: hls.Container, LowLatency: &low,
	}
}

// steady is how far the dates of two workers may be apart and still be meant to
// be the same: each takes its own from the arrival of its first packet.
const steady = 2 * time.Second

// date is the date of an actor's cut: the first one goes on from that of the
// actor before, as media time does. s.mu is held.
func (s *scripted) date(a *actor, c media.Cut) time.Time {
	if !a.dated && !s.cut.Wall.IsZero() {
		due := s.cut.Wall.Add(media.Duration(c.PTS, c.ClockRate) - media.Duration(s.cut.PTS, s.cut.ClockRate))
		if d := due.Sub(c.Wall); a.goesOn || d.Abs() < steady {
			a.shift = d
		}
	}
	a.dated = true
	c.Wall = c.Wall.Add(a.shift)
	if c.Wall.Before(s.cut.Wall) {
		c.Wall = s.cut.Wall
	}
	s.cut = c
	return c.Wall
}

// has reports whether the script makes a rendition of this name.
func (s *scripted) has(name string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown != nil && slices.ContainsFunc(s.shown.Renditions, func(r wire.Rendition) bool { return r.Name == name })
}
