package transcode

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

func TestGuard(t *testing.T) {
	type step struct {
		rendition string
		pts, dts  int64
		segment   uint64
		disc      uint64
		size      int
		want      string
	}
	ok := step{"720p", 90000, 90000, 10, 7, 100, ""}
	with := func(change func(*step)) step { s := ok; change(&s); return s }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{ok, with(func(s *step) { s.dts += 3000 }), with(func(s *step) { s.segment, s.dts = 11, 180000 })}},
		{"another rendition", []step{with(func(s *step) { s.rendition = "4320p"; s.want = "4320p" })}},
		{"segment that was not cut", []step{with(func(s *step) { s.segment = 13; s.want = "segment 13" })}},
		{"wrong discontinuity", []step{with(func(s *step) { s.disc = 8; s.want = "discontinuity 8" })}},
		{"segment that is over", []step{with(func(s *step) { s.segment = 11 }), with(func(s *step) { s.want = "segment 10" })}},
		{"DTS goes back", []step{ok, with(func(s *step) { s.dts--; s.want = "after one" })}},
		{"ahead of the source", []step{with(func(s *step) { s.pts = 90000 * 100; s.want = "the source is at" })}},
		{"a little ahead", []step{with(func(s *step) { s.pts = 90000 * 11 })}},
		{"too much", []step{with(func(s *step) { s.size = burst + 40<<20; s.want = "bytes of" })}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuard(planOf(t, Policy{GOPTooLong: true}, h264(1280, 720)))
			g.cut(wire.Cut{Segment: 10, Discontinuity: 7})
			g.cut(wire.Cut{Segment: 11, Discontinuity: 7})
			g.cut(wire.Cut{Segment: 12, Discontinuity: 8})
			track := &media.Track{Kind: media.Video, ClockRate: 90000}
			for _, s := range c.steps {
				p := media.Placed{
					Packet:  &media.Packet{Track: track, PTS: s.pts, DTS: s.dts, Payload: make([]byte, s.size)},
					Segment: s.segment, Discontinuity: s.disc,
				}
				err := g.packet(s.rendition, p, 10*time.Second)
				if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
					t.Fatalf("error %v, want %q", err, s.want)
				}
			}
		})
	}
}

func TestGuardForgetsOldCuts(t *testing.T) {
	g := newGuard(planOf(t, Policy{GOPTooLong: true}, h264(1280, 720)))
	for i := range uint64(3 * keptCuts) {
		g.cut(wire.Cut{Segment: i, Discontinuity: i / 10})
	}
	if len(g.cuts) > keptCuts {
		t.Errorf("keeps %d cuts", len(g.cuts))
	}
	if d, ok := g.discontinuity(3*keptCuts - 1); !ok || d != (3*keptCuts-1)/10 || g.newestDiscontinuity() != d {
		t.Errorf("the newest is %d, %t", d, ok)
	}
}

func TestProgress(t *testing.T) {
	p := newProgress(map[string]media.Kind{"720p": media.Video, "360p": media.Video, "audio": media.Audio}, time.Second)
	track := &media.Track{Kind: media.Video, ClockRate: 1000}
	at := func(ms int64) media.Placed { return media.Placed{Packet: &media.Packet{Track: track, PTS: ms}} }
	const ms = time.Millisecond
	p.reset(2, 0)
	p.cut(&wire.Cut{Discontinuity: 1, PTS: 0, ClockRate: 1000}, 0)
	p.wrote(at(5000), 10*ms)
	if p.lag(nil) != 0 {
		t.Error("behind before anything is expected of it")
	}
	if _, fed := p.silence(10 * ms); fed != 0 {
		t.Error("fed before anything is expected of it")
	}
	p.cut(&wire.Cut{Discontinuity: 2, PTS: 6000, ClockRate: 1000}, 20*ms)
	p.wrote(at(6000), 20*ms)
	p.wrote(at(6500), 520*ms)
	if got := p.lag(nil); got != 500*ms {
		t.Errorf("lag %s", got)
	}
	p.read("720p", at(6400), 600*ms)
	if got := p.lag(nil); got != 500*ms {
		t.Errorf("lag of the slowest %s", got)
	}
	if got := p.lag([]string{"360p"}); got != 100*ms {
		t.Errorf("lag without it %s", got)
	}
	p.wrote(at(7000), 1000*ms)
	p.wrote(at(60000), 50000*ms) // the publisher paused
	p.wrote(at(60100), 50100*ms)
	if quiet, fed := p.silence(50100 * ms); quiet != 49500*ms || fed != 580*ms {
		t.Errorf("quiet for %s, fed for %s", quiet, fed)
	}
	p.cut(&wire.Cut{Discontinuity: 3, PTS: 60200, ClockRate: 1000}, 50200*ms)
	if quiet, fed := p.silence(50300 * ms); quiet != 100*ms || fed != 0 || p.lag(nil) != 0 {
		t.Errorf("after a new beginning: quiet for %s, fed for %s, lag %s", quiet, fed, p.lag(nil))
	}
}
