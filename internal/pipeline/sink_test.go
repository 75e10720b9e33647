package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// workshop is an engine whose ladder notes what it is given.
type workshop struct {
	transcode.Engine
	slow   time.Duration // what each packet takes
	log    []string
	frames map[*still]bool // that are not closed
}

func (w *workshop) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *workshop) Ladder(plan *transcode.Plan, from uint64, _ transcode.Output) (transcode.LadderRun, error) {
	w.note("ladder %s from %d", plan.Renditions[0].Name, from)
	return (*bench)(w), nil
}

func (w *workshop) still(pts int64) *still {
	f := &still{shop: w, pts: pts}
	w.frames[f] = true
	return f
}

// bench is the workshop's ladder at work.
type bench workshop

func (b *bench) Cut(c media.Cut) error {
	(*workshop)(b).note("cut %d.%d at %d", c.Discontinuity, c.Segment, c.PTS)
	return nil
}

func (b *bench) Write(p media.Placed) error {
	time.Sleep(b.slow)
	(*workshop)(b).note("packet %d in %d", p.PTS, p.Segment)
	return nil
}

func (b *bench) WriteFrame(_ *media.Track, f transcode.Frame, arrival time.Duration) error {
	pts, _ := f.PTS()
	(*workshop)(b).note("frame %d of %s", pts, arrival)
	f.Close()
	return nil
}

func (b *bench) Drain(context.Context) error {
	(*workshop)(b).note("drain")
	return nil
}

func (b *bench) Tune(d transcode.Degradation) { (*workshop)(b).note("tune %s", d) }

func (b *bench) Close() error { return nil }

// still is a picture that has no memory.
type still struct {
	transcode.Frame
	shop *workshop
	pts  int64
}

func (s *still) PTS() (int64, bool) { return s.pts, true }
func (s *still) ClockRate() int     { return 90000 }
func (s *still) Close() {
	if !s.shop.frames[s] {
		panic("a frame was closed twice")
	}
	delete(s.shop.frames, s)
}

// minutes is a SinkOutput that notes what comes.
type minutes struct{ lines []string }

func (m *minutes) note(format string, args ...any) error {
	m.lines = append(m.lines, fmt.Sprintf(format, args...))
	return nil
}

func (m *minutes) Plan(p *transcode.Plan, dependent bool) error {
	return m.note("plan %d %t", len(p.Renditions), dependent)
}
func (m *minutes) Cut(c media.Cut) error { return m.note("cut %d.%d", c.Discontinuity, c.Segment) }
func (m *minutes) Write(r string, p media.Placed) error {
	return m.note("%s %d in %d", r, p.PTS, p.Segment)
}
func (m *minutes) GivenUp(d transcode.Degradation) error { return m.note("given up: %s", d) }
func (m *minutes) Suspended() error                      { return m.note("suspended") }
func (m *minutes) Handed() error                         { return m.note("handed") }

func newTestSink(change func(*SinkConfig)) (*Sink, *workshop, *minutes) {
	w, m := &workshop{frames: map[*still]bool{}}, &minutes{}
	cfg := SinkConfig{
		Name: "cam", Logger: slog.New(slog.DiscardHandler), Engine: w, Output: m,
		Policy: transcode.Policy{Live: true, Segment: 2 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	return NewSink(cfg), w, m
}

func raw() *media.Track {
	t := h264(360)
	t.Codec, t.Config = media.Raw, nil
	return t
}

func draw(t *testing.T, s *Sink, w *workshop, track *media.Track, from, to time.Duration) {
	t.Helper()
	for at := from; at < to; at += 40 * time.Millisecond {
		if err := s.WriteFrame(track, w.still(media.Ticks(at, 90000)), 0, at); err != nil {
			t.Fatal(err)
		}
	}
}

// Frames are cut as packets are, at any of them, and each is freed once.
func TestSinkOfFrames(t *testing.T) {
	s, w, m := newTestSink(nil)
	track := raw()
	if err := s.Start([]*media.Track{track}); err != nil {
		t.Fatal(err)
	}
	draw(t, s, w, track, 0, 4100*time.Millisecond)
	if got, want := strings.Join(m.lines, "; "), "plan 1 false; cut 1.1; cut 1.2; cut 1.3"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if len(w.log) < 3 || w.log[0] != "ladder 360p from 1" || w.log[1] != "cut 1.1 at 0" || w.log[2] != "frame 0 of 0s" {
		t.Errorf("ladder %q", w.log[:3])
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteFrame(track, w.still(0), 0, 0); err != nil {
		t.Fatal(err)
	}
	if last := s.Close(); last != (Numbers{3, 1}) {
		t.Errorf("numbers %+v", last)
	}
	if len(w.frames) != 0 {
		t.Errorf("%d frames are not freed", len(w.frames))
	}
}

func TestSinkFreesWhatItDoesNotTake(t *testing.T) {
	s, w, _ := newTestSink(func(c *SinkConfig) { c.Standby = true })
	track := raw()
	if err := s.Start([]*media.Track{track}); err != nil {
		t.Fatal(err)
	}
	draw(t, s, w, track, 0, time.Second)
	if len(w.frames) != 0 {
		t.Errorf("in standby %d frames are kept", len(w.frames))
	}
	s.Handover(media.Ticks(2*time.Second, 90000), 90000, false)
	draw(t, s, w, track, time.Second, 3*time.Second)
	if w.log[1] != "cut 1.1 at 180000" {
		t.Errorf("ladder %q", w.log[:2])
	}
	if err := s.WriteFrame(track, w.still(-1), 0, 0); err == nil {
		t.Error("a frame without a time was taken")
	}
	s.Close()
	draw(t, s, w, track, 3*time.Second, 4*time.Second)
	if len(w.frames) != 0 {
		t.Errorf("%d frames are not freed", len(w.frames))
	}
}

func packets(t *testing.T, s *Sink, track *media.Track, from, to time.Duration) {
	t.Helper()
	for at := from; at < to; at += 40 * time.Millisecond {
		pts := media.Ticks(at, track.ClockRate)
		p := &media.Packet{Track: track, PTS: pts, DTS: pts, Duration: 3600, Key: at%time.Second == 0, Payload: []byte("x"), Arrival: at}
		if err := s.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func copying(c *SinkConfig) { c.Policy.Mode = transcode.Passthrough }

// What a publisher that left made is closed once; what comes later begins
// another discontinuity.
func TestSinkSuspends(t *testing.T) {
	s, _, m := newTestSink(copying)
	defer s.Close()
	track := h264(360)
	if err := s.Start([]*media.Track{track}); err != nil {
		t.Fatal(err)
	}
	if err := s.Suspend(); err != nil { // of nothing
		t.Fatal(err)
	}
	packets(t, s, track, 0, time.Second)
	for range 2 {
		if err := s.Suspend(); err != nil {
			t.Fatal(err)
		}
	}
	packets(t, s, track, 1040*time.Millisecond, 2040*time.Millisecond)
	var marks []string
	for _, line := range m.lines {
		if !strings.HasPrefix(line, "360p") {
			marks = append(marks, line)
		}
	}
	if got, want := strings.Join(marks, "; "), "plan 1 false; cut 1.1; suspended; cut 2.2"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

// A ladder that does not keep up gets cheaper, and the cut at which another
// preset comes into force begins a discontinuity.
func TestSinkOfASlowLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, m := newTestSink(func(c *SinkConfig) {
			c.Behind = func() (time.Duration, uint64) { return 3 * time.Second, 0 }
		})
		defer s.Close()
		track := h264(720)
		if err := s.Start([]*media.Track{track}); err != nil {
			t.Fatal(err)
		}
		w.slow = 45 * time.Millisecond
		packets(t, s, track, 0, 4*time.Second)
		w.slow = 0
		packets(t, s, track, 4*time.Second, 6100*time.Millisecond)
		var marks []string
		for _, line := range m.lines {
			if strings.HasPrefix(line, "cut") || strings.HasPrefix(line, "given") {
				marks = append(marks, line)
			}
		}
		if got, want := strings.Join(marks, "; "), "cut 1.1; given up: preset superfast; cut 2.2; cut 2.3; cut 2.4"; got != want {
			t.Errorf("output %q, want %q", got, want)
		}
		if !slices.Contains(w.log, "tune preset superfast") {
			t.Error("the ladder was not told")
		}
	})
}

// A sink that leaves waits for sound that is behind, and puts out none of what
// is the other's.
func TestSinkLeaves(t *testing.T) {
	s, _, m := newTestSink(copying)
	defer s.Close()
	v, a := h264(360), aac()
	a.ID = 1
	if err := s.Start([]*media.Track{v, a}); err != nil {
		t.Fatal(err)
	}
	sound := func(at time.Duration) {
		t.Helper()
		pts := media.Ticks(at, 48000)
		if err := s.Write(&media.Packet{Track: a, PTS: pts, DTS: pts, Duration: 1024, Key: true, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	packets(t, s, v, 0, 1960*time.Millisecond)
	s.Handover(180000, 90000, true)
	packets(t, s, v, 1960*time.Millisecond, 2200*time.Millisecond)
	sound(1900 * time.Millisecond)
	if last := m.lines[len(m.lines)-1]; last == "handed" {
		t.Error("it did not wait for the sound")
	}
	sound(1990 * time.Millisecond)
	sound(2010 * time.Millisecond)
	if last := m.lines[len(m.lines)-1]; last != "handed" {
		t.Errorf("at the end: %s", last)
	}
	text := strings.Join(m.lines, "; ")
	for _, want := range []string{"360p 176400 in 1", "audio 91200 in 1", "audio 95520 in 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %s", want, text)
		}
	}
	for _, other := range []string{"360p 180000", "audio 96480"} {
		if strings.Contains(text, other) {
			t.Errorf("%q is the other's", other)
		}
	}
}
