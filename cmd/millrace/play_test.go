package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
)

var (
	pictures = &media.Track{ID: 0, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Width: 640, Height: 360}
	sounds   = &media.Track{ID: 1, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, SampleRate: 48000, Channels: 2}
)

// fakeReel has n pictures of 40 ms, decoded in another order than shown.
type fakeReel struct {
	n, next int
	base    int64 // DTS of the first
	tracks  []*media.Track
	closed  bool
}

func (r *fakeReel) Tracks() []*media.Track { return r.tracks }
func (r *fakeReel) Close()                 { r.closed = true }

func (r *fakeReel) Next() (*media.Packet, error) {
	if r.next == r.n {
		return nil, io.EOF
	}
	r.next++
	dts := r.base + int64(r.next-1)*3600
	return &media.Packet{Track: r.tracks[0], DTS: dts, PTS: dts + 3600, Duration: 3600, Key: r.next == 1}, nil
}

type arrival struct {
	at       time.Duration
	pts, dts int64
}

type fakeSink struct {
	begin time.Time
	got   []arrival
	fail  int // at which packet, 0 never
}

func (s *fakeSink) Write(p *media.Packet) error {
	s.got = append(s.got, arrival{time.Since(s.begin), p.PTS, p.DTS})
	if len(s.got) == s.fail {
		return errors.New("gone")
	}
	return nil
}

func TestPlayerKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &fakeSink{begin: time.Now()}
		r := &fakeReel{n: 5, tracks: []*media.Track{pictures, sounds}}
		p := &player{}
		if err := p.run(t.Context(), r, out); err != nil {
			t.Fatal(err)
		}
		for i, a := range out.got {
			if a.at != time.Duration(i)*40*time.Millisecond || a.dts != int64(i)*3600 || a.pts != a.dts+3600 {
				t.Errorf("packet %d: %+v", i, a)
			}
		}
		if len(out.got) != 5 || !r.closed {
			t.Errorf("%d packets, closed %v", len(out.got), r.closed)
		}
	})
}

func TestPlayerLoopsWithoutASeam(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		out := &fakeSink{begin: time.Now()}
		passes := 0
		p := &player{loop: true, open: func(context.Context) (reel, error) {
			if passes++; passes == 3 {
				cancel(errors.New("enough"))
			}
			return &fakeReel{n: 5, base: 7200, tracks: []*media.Track{pictures, sounds}}, nil
		}}
		err := p.run(ctx, &fakeReel{n: 5, base: 90000, tracks: []*media.Track{pictures, sounds}}, out)
		if err == nil || err.Error() != "enough" {
			t.Fatal(err)
		}
		// A reel ends with its last picture shown: at 240 ms.
		for i, a := range out.got[:15] {
			offset := 90000 + int64(i/5)*6*3600
			want := arrival{time.Duration(i/5)*240*time.Millisecond + time.Duration(i%5)*40*time.Millisecond, offset + int64(i%5)*3600 + 3600, offset + int64(i%5)*3600}
			if a != want {
				t.Errorf("packet %d: %+v, want %+v", i, a, want)
			}
		}
	})
}

func TestPlayerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := []*media.Track{pictures, sounds}
		taller := *pictures
		taller.Height = 720
		for _, c := range []struct {
			name string
			next *fakeReel
			fail int
			want string
		}{
			{"sink", nil, 2, "gone"},
			{"fewer tracks", &fakeReel{n: 1, tracks: two[:1]}, 0, errOtherTracks.Error()},
			{"other size", &fakeReel{n: 1, tracks: []*media.Track{&taller, sounds}}, 0, errOtherTracks.Error()},
		} {
			p := &player{loop: c.next != nil, open: func(context.Context) (reel, error) { return c.next, nil }}
			err := p.run(t.Context(), &fakeReel{n: 3, tracks: two}, &fakeSink{fail: c.fail})
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.next != nil && !c.next.closed {
				t.Errorf("%s: the reel is left open", c.name)
			}
		}
		empty := &player{loop: true}
		if err := empty.run(t.Context(), &fakeReel{tracks: two}, &fakeSink{}); err == nil {
			t.Error("an empty input loops for ever")
		}
	})
}

func TestPlayerCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &fakeSink{begin: time.Now()}
		slow := &slowSink{fakeSink: out, pause: 100 * time.Millisecond}
		if err := (&player{}).run(t.Context(), &fakeReel{n: 10, tracks: []*media.Track{pictures}}, slow); err != nil {
			t.Fatal(err)
		}
		// The first write takes 100 ms; the second is due at 40 ms and leaves
		// at once, the fourth is in time again.
		want := []time.Duration{0, 100, 100, 120, 160}
		for i, ms := range want {
			if out.got[i].at != ms*time.Millisecond {
				t.Errorf("packet %d left at %v, want %v", i, out.got[i].at, ms*time.Millisecond)
			}
		}
	})
}

type slowSink struct {
	*fakeSink
	pause time.Duration // of the first write
}

func (s *slowSink) Write(p *media.Packet) error {
	err := s.fakeSink.Write(p)
	time.Sleep(s.pause)
	s.pause = 0
	return err
}
