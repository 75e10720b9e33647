package ingest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// contiguous checks that what a reader saw can be decoded: behind each gap in
// the video comes a keyframe, and no audio comes between gap and keyframe.
func contiguous(t *testing.T, list []*media.Packet) (gaps int) {
	t.Helper()
	next := int64(-1)
	for i, p := range list {
		if p.Track.Kind != media.Video {
			continue
		}
		if next >= 0 && p.DTS != next {
			gaps++
			if !p.Key {
				t.Errorf("packet %d: gap of %d ticks, then no keyframe", i, p.DTS-next)
			}
		}
		next = p.DTS + 3600
	}
	return gaps
}

func TestSlowReaderDropsToKeyframe(t *testing.T) {
	s := NewStream("a", StreamOptions{})
	defer s.Close(nil)
	slow := s.Subscribe(media.SubscribeOptions{MaxBytes: 35_000})
	defer slow.Close()
	fast := s.Subscribe(media.SubscribeOptions{})
	defer fast.Close()
	f := &feeder{p: attach(t, s, videoTrack(), audioTrack()), gop: 10, size: 1000}
	var seen []*media.Packet
	ctx := context.Background()
	for n := range 500 {
		_ = f.video()
		_ = f.audio()
		if n%3 == 0 {
			p, err := slow.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, p)
		}
	}
	seen = append(seen, drain(t, slow)...)
	if gaps := contiguous(t, seen); gaps < 5 {
		t.Errorf("only %d gaps", gaps)
	}
	if got := uint64(len(seen)) + slow.Dropped(); got != 1000 {
		t.Errorf("%d seen and %d dropped of 1000", len(seen), slow.Dropped())
	}
	if n := len(drain(t, fast)); n != 1000 || fast.Dropped() != 0 {
		t.Errorf("the fast reader has %d, dropped %d", n, fast.Dropped())
	}
	if st := s.Stats(); st.Dropped != slow.Dropped() || st.Subscribers != 2 {
		t.Errorf("%+v", st)
	}
}

// A group larger than the ring: everything goes, up to the next keyframe,
// audio too.
func TestRingSmallerThanGroup(t *testing.T) {
	s := NewStream("a", StreamOptions{})
	defer s.Close(nil)
	sub := s.Subscribe(media.SubscribeOptions{MaxBytes: 5000})
	defer sub.Close()
	f := &feeder{p: attach(t, s, videoTrack(), audioTrack()), gop: 20, size: 1000}
	for range 30 {
		_ = f.video()
		_ = f.audio()
	}
	list := drain(t, sub)
	if len(list) > 0 {
		t.Errorf("%d packets of an undecodable group", len(list))
	}
	for range 12 {
		_ = f.video()
		_ = f.audio()
	}
	list = drain(t, sub)
	if len(list) != 4 || !list[0].Key || list[0].Track.Kind != media.Video {
		t.Errorf("%d packets", len(list))
	}
}

func TestAudioOnlyDropsOldest(t *testing.T) {
	s := NewStream("a", StreamOptions{})
	defer s.Close(nil)
	p := attach(t, s, audioTrack())
	sub := s.Subscribe(media.SubscribeOptions{MaxBytes: 1600})
	defer sub.Close()
	for n := range 100 {
		_ = p.Write(0, Sample{PTS: int64(n) * 160, Key: true, Duration: 160, Payload: make([]byte, 160), Arrival: media.Now()})
	}
	list := drain(t, sub)
	if len(list) != 10 || list[9].PTS-list[0].PTS != 9*160 || sub.Dropped() != 90 {
		t.Errorf("%d packets, %d dropped", len(list), sub.Dropped())
	}
	late := s.Subscribe(media.SubscribeOptions{Backlog: true})
	defer late.Close()
	if n := len(drain(t, late)); n != audioBacklog {
		t.Errorf("backlog of %d", n)
	}
}

func TestBacklogStartsAtKeyframe(t *testing.T) {
	s := NewStream("a", StreamOptions{MaxGOP: 30_000})
	defer s.Close(nil)
	f := &feeder{p: attach(t, s, videoTrack(), audioTrack()), gop: 20, size: 1000}
	first := func(o media.SubscribeOptions) (key *media.Packet, queued int) {
		sub := s.Subscribe(o)
		defer sub.Close()
		queued = len(drain(t, sub))
		for range 40 {
			_ = f.video()
			_ = f.audio()
		}
		list := drain(t, sub)
		if len(list) == 0 {
			t.Fatal("nothing came")
		}
		return list[0], queued
	}
	for range 27 {
		_ = f.video()
		_ = f.audio()
	}
	if _, n := first(media.SubscribeOptions{Backlog: true}); n != 14 {
		t.Errorf("backlog of %d packets, want 14", n)
	}
	if p, n := first(media.SubscribeOptions{}); n != 0 || !p.Key || p.Track.Kind != media.Video {
		t.Errorf("without backlog: %d packets, then %+v", n, p)
	}
	f.gop = 1000 // too long for the cache
	for f.nv%1000 != 100 {
		_ = f.video()
	}
	sub := s.Subscribe(media.SubscribeOptions{Backlog: true})
	defer sub.Close()
	_ = f.video()
	_ = f.audio()
	if n := len(drain(t, sub)); n != 0 {
		t.Errorf("%d packets in the middle of a group", n)
	}
	if k := s.Keyframe(); k == nil || !k.Key {
		t.Errorf("newest keyframe: %+v", k)
	}
}

// The first who asks for a publisher's beginning gets all of it, however many
// keyframes have come by then; who comes later, or does not ask, starts at the
// newest.
func TestBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{MaxGOP: 100_000, Hold: time.Minute})
		defer s.Close(nil)
		backlog := func(o media.SubscribeOptions) int {
			sub := s.Subscribe(o)
			defer sub.Close()
			return len(drain(t, sub))
		}
		publish := func(pictures, size int) (*Publisher, *feeder) {
			p := attach(t, s, videoTrack())
			f := &feeder{p: p, gop: 10, size: size}
			for range pictures {
				_ = f.video()
			}
			return p, f
		}
		p, f := publish(25, 1000)
		for _, c := range []struct {
			o    media.SubscribeOptions
			want int
		}{
			{media.SubscribeOptions{Backlog: true}, 5},
			{media.SubscribeOptions{Beginning: true}, 25},
			{media.SubscribeOptions{Beginning: true}, 5},
			{media.SubscribeOptions{Backlog: true}, 5},
		} {
			if n := backlog(c.o); n != c.want {
				t.Errorf("%+v: %d packets, want %d", c.o, n, c.want)
			}
		}
		for range 7 {
			_ = f.video()
		}
		if n := backlog(media.SubscribeOptions{Beginning: true}); n != 2 {
			t.Errorf("later: %d packets, want 2", n)
		}

		// Another publisher has a beginning of its own.
		p.Close(nil)
		p, _ = publish(31, 1000)
		if n := backlog(media.SubscribeOptions{Beginning: true}); n != 31 {
			t.Errorf("another publisher: %d packets, want 31", n)
		}

		// It is bounded, in bytes and in time.
		p.Close(nil)
		p, _ = publish(25, 9000)
		if n := backlog(media.SubscribeOptions{Beginning: true}); n != 5 {
			t.Errorf("beyond the limit: %d packets, want 5", n)
		}
		p.Close(nil)
		_, f = publish(15, 1000)
		time.Sleep(20 * time.Second)
		for range 8 {
			_ = f.video()
		}
		if n := backlog(media.SubscribeOptions{Beginning: true}); n != 3 {
			t.Errorf("after a while: %d packets, want 3", n)
		}
	})
}

// Sound that comes before the first picture and is heard behind it is part of
// the beginning; what is over by then is not.
func TestBeginningWithSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		f := &feeder{p: attach(t, s, videoTrack(), audioTrack()), gop: 10}
		begun := media.Now()
		for range 100 { // two seconds of sound
			_ = f.p.Write(1, Sample{PTS: int64(f.na) * 160, Bits: 32, Key: true, Duration: 160, Payload: make([]byte, 160), Arrival: begun})
			f.na++
		}
		_ = f.p.Write(0, Sample{Bits: 32, Key: true, Payload: []byte{1}, Arrival: begun + time.Second})
		sub := s.Subscribe(media.SubscribeOptions{Beginning: true})
		defer sub.Close()
		if list := drain(t, sub); len(list) < 50 || len(list) > 53 {
			t.Errorf("%d packets, want a second of sound and a picture", len(list))
		}
	})
}

// Files never drop: the producer waits, and is let go when the reader leaves
// or it is kicked itself.
func TestBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		sub := s.Subscribe(media.SubscribeOptions{MaxBytes: 10_000, Block: true})
		live := s.Subscribe(media.SubscribeOptions{MaxBytes: 10_000})
		defer live.Close()
		p := attach(t, s, videoTrack(), audioTrack())
		f := &feeder{p: p, gop: 5, size: 1000}
		written := 0
		done := make(chan error)
		go func() {
			for range 300 {
				if err := f.video(); err != nil {
					done <- err
					return
				}
				written++
			}
			done <- nil
		}()
		synctest.Wait()
		if written != 10 {
			t.Errorf("%d written before waiting", written)
		}
		for n := range 100 {
			pk, err := sub.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := int64(n)*3600 + 90000; pk.DTS != want {
				t.Fatalf("packet %d at %d, want %d", n, pk.DTS, want)
			}
		}
		synctest.Wait()
		if sub.Dropped() != 0 || live.Dropped() == 0 {
			t.Errorf("dropped %d and %d", sub.Dropped(), live.Dropped())
		}
		sub.Close() // nobody to wait for any more
		if err := <-done; err != nil || written != 300 {
			t.Errorf("%d written, %v", written, err)
		}
	})
}

// A publisher that must go does not wait for a reader that sleeps.
func TestBlockedPublisherIsKicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		sub := s.Subscribe(media.SubscribeOptions{MaxBytes: 10_000, Block: true})
		defer sub.Close()
		f := &feeder{p: attach(t, s, videoTrack()), gop: 5, size: 1000}
		done := make(chan error)
		go func() {
			for {
				if err := f.video(); err != nil {
					done <- err
					return
				}
			}
		}()
		synctest.Wait()
		enough := errors.New("enough")
		f.p.Kick(enough)
		if err := <-done; !errors.Is(err, enough) {
			t.Errorf("write ended with %v", err)
		}
	})
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		sub := s.Subscribe(media.SubscribeOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			sub.Close()
			sub.Close()
		}()
		if _, err := sub.Next(t.Context()); err == nil {
			t.Error("a closed subscription delivered")
		}
	})
}

func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{0, 1, 10, 100} {
		b.Run(name(readers), func(b *testing.B) {
			s := NewStream("a", StreamOptions{})
			defer s.Close(nil)
			p := attach(b, s, videoTrack())
			subs := make([]media.Subscription, readers)
			for i := range subs {
				subs[i] = s.Subscribe(media.SubscribeOptions{})
				defer subs[i].Close()
			}
			payload := make([]byte, 10_000)
			ctx := context.Background()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				_ = p.Write(0, Sample{PTS: int64(n) * 3600, Bits: 32, Key: n%50 == 0, Payload: payload, Arrival: media.Now()})
				for _, sub := range subs {
					_, _ = sub.Next(ctx)
				}
				n++
			}
		})
	}
}

func name(readers int) string {
	return map[int]string{0: "none", 1: "one", 10: "ten", 100: "hundred"}[readers]
}

func TestBatchWaitsForVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("a", StreamOptions{})
		defer s.Close(nil)
		f := &feeder{t: t, p: attach(t, s, videoTrack(), audioTrack()), gop: 10}
		_, _ = f.video(), f.audio()
		want(t, s, Live)
		sub := s.Subscribe(media.SubscribeOptions{Batch: true})
		defer sub.Close()
		_ = f.p.Write(0, Sample{PTS: 10 * 3600, Bits: 32, Key: true, Payload: []byte{1}, Arrival: media.Now()})
		if n := len(drain(t, sub)); n != 1 {
			t.Fatalf("%d packets instead of the keyframe", n)
		}
		f.nv = 11
		woken := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			defer close(woken)
			_, _ = sub.Next(ctx)
		}()
		synctest.Wait()
		for range maxBatch - 1 {
			_ = f.audio()
		}
		synctest.Wait()
		select {
		case <-woken:
			t.Fatal("audio alone woke the reader")
		default:
		}
		_ = f.audio() // so much of it is a picture that froze
		<-woken
		if n := len(drain(t, sub)); n != maxBatch-1 {
			t.Fatalf("%d packets were waiting", n)
		}
	})
}
