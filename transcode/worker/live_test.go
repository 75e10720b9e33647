package worker

import (
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// shift moves packets by a time.
func shift(packets []*media.Packet, by time.Duration) []*media.Packet {
	var all []*media.Packet
	for _, p := range packets {
		q := *p
		d := media.Ticks(by, p.Track.ClockRate)
		q.PTS, q.DTS = q.PTS+d, q.DTS+d
		all = append(all, &q)
	}
	return all
}

func TestDiscontinuity(t *testing.T) {
	tracks, one := film(t, "a.mp4", still+":d=2", "sine=1000:d=2", "-bf", "2", "-c:a", "aac")
	for _, live := range []bool{true, false} {
		t.Run(map[bool]string{true: "live", false: "file"}[live], func(t *testing.T) {
			p := startWorker(t, wire.RoleStream)
			p.send(&wire.Job{Live: live, Graph: ladder(live, tracks, wire.Picture{Width: 320, Height: 180})})
			c := &cutter{every: int64(tracks[0].ClockRate)}
			for _, pk := range one {
				c.place(p, pk)
			}
			// The publisher comes back 5 s later, and then with times that
			// overlap those before.
			for i, by := range []time.Duration{7 * time.Second, 8 * time.Second} {
				again := shift(one, by)
				c.segment++
				c.discontinuity++
				c.cut(p, again[slices.IndexFunc(again, func(p *media.Packet) bool { return p.Track.Kind == media.Video })])
				c.next = 1 << 60
				for _, pk := range again {
					pk.Epoch = uint32(i + 1)
					c.place(p, pk)
				}
			}
			p.drain()
			p.bye()
			byDiscontinuity := func(name string) map[uint64][]media.Placed {
				m := map[uint64][]media.Placed{}
				for _, pk := range p.outputs[name] {
					m[pk.Discontinuity] = append(m[pk.Discontinuity], pk)
				}
				return m
			}
			video, audio := byDiscontinuity("180p"), byDiscontinuity("audio")
			for d := uint64(1000); d <= 1002; d++ {
				v, a := video[d], audio[d]
				if len(v) != 50 {
					t.Fatalf("discontinuity %d: %d pictures of 50", d, len(v))
				}
				cut := c.cuts[slices.IndexFunc(c.cuts, func(c wire.Cut) bool { return c.Discontinuity == d })]
				if !v[0].Key || v[0].PTS != cut.PTS || v[0].Segment != cut.Segment {
					t.Errorf("discontinuity %d starts at %d in %d (key %v), want %d in %d", d, v[0].PTS, v[0].Segment, v[0].Key, cut.PTS, cut.Segment)
				}
				if len(a) < 90 {
					t.Errorf("discontinuity %d: %d audio frames", d, len(a))
				}
				for i := 1; i < len(a); i++ {
					if a[i].PTS != a[i-1].PTS+1024 {
						t.Errorf("discontinuity %d: audio at %d after %d", d, a[i].PTS, a[i-1].PTS)
					}
				}
			}
			if video[1000][0].Track != video[1002][0].Track {
				t.Error("the same parameters were announced twice")
			}
		})
	}
}

func TestFrom(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=4", "sine=1000:d=4", "-bf", "2", "-g", "100", "-c:a", "aac")
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, From: 1001, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})})
	c := &cutter{every: 1 << 60}
	n := 0
	var begin wire.Cut
	for _, pk := range packets {
		if pk.Track.Kind == media.Video {
			if n++; n == 41 {
				// The pipeline's new discontinuity, in the middle of a GOP.
				c.segment++
				c.discontinuity++
				c.cut(p, pk)
				begin = c.cuts[len(c.cuts)-1]
			}
		}
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	out := p.outputs["180p"]
	if len(out) == 0 || out[0].PTS != begin.PTS || !out[0].Key || out[0].Discontinuity != 1001 {
		t.Fatalf("%d pictures, first %+v, want from %d on", len(out), out, begin.PTS)
	}
	want := 0
	for _, pts := range sourcePTS(packets) {
		if pts >= begin.PTS {
			want++
		}
	}
	if len(out) != want {
		t.Errorf("%d pictures of %d: the decoder was not primed", len(out), want)
	}
	a := p.outputs["audio"]
	at := media.Duration(a[0].PTS, a[0].Track.ClockRate) - media.Duration(begin.PTS, begin.ClockRate)
	if a[0].Discontinuity != 1001 || at < 0 || at > 60*time.Millisecond {
		t.Errorf("sound begins %s after the cut, in %d", at, a[0].Discontinuity)
	}
}

// TestSilentMicrophone has sound come late, stop for three seconds and come
// back: the audio rendition stays one row.
func TestSilentMicrophone(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=9", "sine=1000:d=9", "-c:a", "aac")
	start := media.Duration(packets[0].DTS, packets[0].Track.ClockRate)
	kept := slices.DeleteFunc(packets, func(p *media.Packet) bool {
		at := media.Duration(p.PTS, p.Track.ClockRate) - start
		return p.Track.Kind == media.Audio && (at < 2*time.Second || at > 4*time.Second && at < 7*time.Second)
	})
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})})
	c := &cutter{every: int64(tracks[0].ClockRate)}
	for _, pk := range kept {
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	checkAudio(t, p.outputs["audio"], c.cuts, 9)
	first := p.outputs["audio"][0]
	if late := media.Duration(first.PTS, first.Track.ClockRate) - start; late > 50*time.Millisecond {
		t.Errorf("sound starts %s late", late)
	}
	// Without a single packet too, once the track is known.
	none := slices.DeleteFunc(slices.Clone(kept), func(p *media.Packet) bool { return p.Track.Kind == media.Audio })
	p = startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})})
	c = &cutter{every: int64(tracks[0].ClockRate)}
	for _, pk := range none {
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	checkAudio(t, p.outputs["audio"], c.cuts, 8.5) // half a second behind video
}

// TestDriftingMicrophone has sound whose clock is 0.1 % off: after a while it
// must still be where its timestamps say.
func TestDriftingMicrophone(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=160x90:r=5:d=60", "sine=1000:d=60", "-c:a", "aac")
	var base, last int64
	for _, p := range packets {
		if p.Track.Kind == media.Audio {
			if base == 0 {
				base = p.PTS
			}
			p.PTS = base + (p.PTS-base)*1001/1000
			p.DTS, last = p.PTS, p.PTS
		}
	}
	p, c := pass(t, &wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 170, Height: 96})}, packets)
	out := p.outputs["audio"]
	checkAudio(t, out, c.cuts, 60)
	end := media.Duration(out[len(out)-1].PTS, 48000) - media.Duration(last, tracks[1].ClockRate)
	if end < -40*time.Millisecond || end > 60*time.Millisecond {
		t.Errorf("sound ends %s from where its last packet is", end)
	}
}

func TestDrainAndGoOn(t *testing.T) {
	tracks, one := film(t, "a.mp4", still+":d=1", "sine=1000:d=1", "-bf", "2", "-c:a", "aac")
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 320, Height: 180})})
	c := &cutter{every: 1 << 60}
	for round := 1; round <= 3; round++ {
		c.begun = false
		for _, pk := range shift(one, time.Duration(round)*time.Second) {
			c.place(p, pk)
		}
		p.drain()
		p.mu.Lock()
		n := len(p.outputs["180p"])
		p.mu.Unlock()
		if n != 25*round {
			t.Errorf("round %d: %d pictures", round, n)
		}
	}
	p.bye()
}

func TestTune(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=5", "")
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180}, wire.Picture{Width: 170, Height: 96})})
	c := &cutter{every: int64(tracks[0].ClockRate)}
	tunes := map[uint64]*wire.Tune{ // sent in the middle of the segment before
		1001: {Preset: "ultrafast"}, 1002: {Preset: "ultrafast", Off: []string{"180p"}},
		1003: {Preset: "ultrafast", FrameDivisor: 2}, 1004: {},
	}
	n := 0
	for _, pk := range packets {
		if n++; n%25 == 13 && tunes[c.segment+1] != nil {
			p.send(tunes[c.segment+1])
		}
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	for name, want := range map[string]map[uint64]int{
		"180p": {1000: 25, 1001: 25, 1002: 0, 1003: 13, 1004: 25},
		"96p":  {1000: 25, 1001: 25, 1002: 25, 1003: 13, 1004: 25},
	} {
		got := map[uint64]int{}
		keys := 0
		for _, pk := range p.outputs[name] {
			got[pk.Segment]++
			if pk.Key {
				keys++
			}
		}
		for segment, n := range want {
			if got[segment] != n {
				t.Errorf("%s: %d pictures in %d, want %d", name, got[segment], segment, n)
			}
		}
		if keys != len(got) {
			t.Errorf("%s: %d keys in %d segments", name, keys, len(got))
		}
	}
	// Nothing started a discontinuity, so the preset is what it was.
	if s := p.stats.Outputs[0]; s.Dropped != 25+12 || s.Off || s.Preset != "veryfast" {
		t.Errorf("stats %+v", s)
	}
}

// TestAnotherPresetWaitsForADiscontinuity: it brings other parameter sets, which
// may not change within a sequence.
func TestAnotherPresetWaitsForADiscontinuity(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=5", "")
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})})
	c := &cutter{every: int64(tracks[0].ClockRate)}
	n := 0
	for _, pk := range packets {
		switch n++; {
		case n == 13:
			p.send(&wire.Tune{Preset: "ultrafast"})
		case c.segment == 1002 && pk.PTS >= c.next:
			c.discontinuity++ // with the cut that comes now
		case n == 88:
			p.send(&wire.Tune{}) // for which none comes any more
		}
		c.place(p, pk)
	}
	p.drain()
	p.bye()
	config := map[uint64]string{}
	for _, pk := range p.outputs["180p"] {
		if in, ok := config[pk.Discontinuity]; ok && in != string(pk.Track.Config) {
			t.Fatalf("segment %d has other parameters than what came before in discontinuity %d", pk.Segment, pk.Discontinuity)
		}
		config[pk.Discontinuity] = string(pk.Track.Config)
	}
	if len(config) != 2 || config[1000] == config[1001] {
		t.Errorf("%d discontinuities; the preset changed nothing at the second", len(config))
	}
}

// TestNoPictureIsHeldBack sends the next picture only when the one before has
// come out of every rung.
func TestNoPictureIsHeldBack(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=320x180:r=30:d=3", "", "-bf", "0")
	p := startWorker(t, wire.RoleStream)
	p.send(&wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180}, wire.Picture{Width: 170, Height: 96})})
	c := &cutter{every: int64(tracks[0].ClockRate)}
	for i, pk := range packets {
		c.place(p, pk)
		p.wait(func() bool { return len(p.outputs["180p"]) == i+1 && len(p.outputs["96p"]) == i+1 })
	}
	p.bye()
}

// TestSoundStaysWithItsTime finds where a tone begins, before and after: what a
// codec, the resampler and the encoder delay must not be heard.
func TestSoundStaysWithItsTime(t *testing.T) {
	for _, c := range []struct{ codec, rate string }{
		{"aac", "44100"}, {"libopus", "48000"}, {"ac3", "32000"}, {"pcm_mulaw", "8000"}, {"mp2", "48000"},
	} {
		t.Run(c.codec, func(t *testing.T) {
			tracks, packets := film(t, "a.mkv", still+":d=3",
				"aevalsrc=if(gte(t\\,1.5)\\,0.8*sin(2*PI*500*t)\\,0):d=3:s="+c.rate, "-c:a", c.codec, "-ar", c.rate)
			p, _ := pass(t, &wire.Job{Graph: ladder(false, tracks, wire.Picture{Width: 170, Height: 96})}, packets)
			video := media.Duration(packets[0].DTS, packets[0].Track.ClockRate)
			for _, pk := range packets {
				if pk.Track.Kind == media.Video {
					video = media.Duration(pk.PTS, pk.Track.ClockRate)
					break
				}
			}
			got := onset(t, p.outputs["audio"]) - video
			if off := got - 1500*time.Millisecond; off < -8*time.Millisecond || off > 8*time.Millisecond {
				t.Errorf("the tone begins %s beside its place", off)
			}
		})
	}
}

// onset is when the first loud sample of AAC is.
func onset(t *testing.T, packets []media.Placed) time.Duration {
	t.Helper()
	d, err := libav.OpenDecoder(packets[0].Track, libav.DecoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at := time.Duration(-1)
	for _, p := range packets {
		err := d.Decode(p.Packet, func(f *libav.Frame) error {
			for i, v := range f.Channel(0) {
				if at < 0 && (v > 0.15 || v < -0.15) {
					at = media.Duration(f.Time()+int64(i), p.Track.ClockRate)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return at
}
