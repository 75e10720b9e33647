package packager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// waiter starts a WaitFor and tells whether it has returned.
func (s *sim) waiter(ctx context.Context, msn uint64, part int) func() (bool, error) {
	done := make(chan error, 1)
	go func() { done <- s.WaitFor(ctx, "720p", msn, part) }()
	return func() (bool, error) {
		synctest.Wait()
		select {
		case err := <-done:
			done <- err
			return true, err
		default:
			return false, nil
		}
	}
}

func TestWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		part0, part1 := s.waiter(ctx, 100, 0), s.waiter(ctx, 100, 1)
		beyond := s.waiter(ctx, 100, 99) // part 0 of the next segment
		whole, next := s.waiter(ctx, 100, -1), s.waiter(ctx, 101, -1)
		leaving, leave := context.WithCancel(ctx)
		leaver := s.waiter(leaving, 105, -1)
		expect := func(what string, wait func() (bool, error), want bool) {
			t.Helper()
			if got, err := wait(); got != want || err != nil {
				t.Errorf("%s: returned %v, %v", what, got, err)
			}
		}
		if err := s.WaitFor(ctx, "nobody", 1, 1); !errors.Is(err, ErrUnknownRendition) {
			t.Error(err)
		}

		f := video25()
		s.cut(100, 90, 0, time.Now())
		first := f.between(0, 2*time.Second)
		for _, pk := range first[:14] { // 13 frames are a part, the last one is held back
			expect("part 0", part0, false)
			s.put("720p", 100, 90, pk)
		}
		expect("part 0", part0, true)
		expect("part 1", part1, false)
		expect("segment", whole, false)
		for _, pk := range first[14:] {
			s.put("720p", 100, 90, pk)
		}
		expect("part 1", part1, true)
		expect("a part beyond", beyond, false)
		expect("segment", whole, false)
		s.cut(101, 90, 2*time.Second, time.Now())
		second := f.between(2*time.Second, 4*time.Second)
		s.put("720p", 101, 90, second[0])
		expect("segment", whole, true)
		expect("a part beyond", beyond, false)
		for _, pk := range second[1:20] {
			s.put("720p", 101, 90, pk)
		}
		expect("a part beyond", beyond, true)
		expect("what is there", s.waiter(ctx, 100, 0), true)
		expect("what is long gone", s.waiter(ctx, 7, 3), true)

		leave()
		if done, err := leaver(); !done || !errors.Is(err, context.Canceled) {
			t.Errorf("a client that left: %v, %v", done, err)
		}
		expect("next segment", next, false)
		never := s.waiter(ctx, 200, -1)
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		expect("next segment at the end", next, true)
		expect("what never comes", never, true)
	})
}

func TestCloseReleasesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video})
		whole, part := s.waiter(t.Context(), 5, -1), s.waiter(t.Context(), 5, 0)
		synctest.Wait()
		s.Close()
		for _, wait := range []func() (bool, error){whole, part} {
			if done, err := wait(); !done || !errors.Is(err, ErrClosed) {
				t.Errorf("%v, %v", done, err)
			}
		}
	})
}

func TestReady(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "360p", Kind: media.Video})
	defer s.Close()
	ready := func() bool {
		select {
		case <-s.Ready():
			return true
		default:
			return false
		}
	}
	s.fill("720p", 100, 101)
	if ready() {
		t.Error("ready without the second rendition")
	}
	s.fill("360p", 100, 101)
	if !ready() {
		t.Error("not ready with all renditions")
	}
}

// Writers of different renditions and readers of everything work at once; run
// with -race. Each reader sees only legal successors.
func TestConcurrency(t *testing.T) {
	names := []string{"1080p", "720p", "360p"}
	var rs []Rendition
	for _, n := range names {
		rs = append(rs, Rendition{Name: n, Kind: media.Video, Bitrate: 1})
	}
	s := newSim(t, Config{Window: 6 * time.Second}, rs...)
	const segments = 40
	var writers, readers sync.WaitGroup
	f := video25()
	s.cut(1000, 1, 0, time.Now())
	done := make(chan struct{})
	step := make([]chan int, len(names))
	for i, name := range names {
		step[i] = make(chan int)
		writers.Go(func() {
			for n := range step[i] {
				for _, pk := range f.between(time.Duration(n)*2*time.Second, time.Duration(n+1)*2*time.Second) {
					if err := s.Write(name, media.Placed{Packet: pk, Segment: uint64(1000 + n), Discontinuity: 1}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range 30 {
		name := names[i%3]
		readers.Go(func() {
			var last *playlist.Media
			for {
				select {
				case <-done:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if last != nil {
					_ = s.WaitFor(ctx, name, last.MediaSequence+uint64(len(last.Segments)), i%2-1)
				}
				cancel()
				w := s.get(name+"/index.m3u8", "Accept-Encoding", []string{"", "gzip"}[i%2])
				if w.Code == 404 || i%2 == 1 {
					s.Stats()
					continue
				}
				m, err := playlist.ParseMedia(w.Body.String())
				if err != nil {
					t.Error(err)
					return
				}
				if last != nil && (m.MediaSequence < last.MediaSequence || m.MediaSequence+uint64(len(m.Segments)) < last.MediaSequence+uint64(len(last.Segments))) {
					t.Errorf("%s went back", name)
				}
				last = m
				for _, seg := range m.Segments {
					path := fmt.Sprintf("%s/%s", name, seg.URI)
					if w := s.get(path); !seg.Gap && (w.Code != 200 || w.Body.Len() == 0) {
						t.Errorf("%s is listed and answers %d", path, w.Code)
					}
				}
			}
		})
	}
	for n := range segments {
		if n > 0 {
			s.cut(uint64(1000+n), 1, time.Duration(n)*2*time.Second, time.Now())
		}
		for _, c := range step {
			c <- n
		}
		if n == segments/2 {
			s.Lost("360p")
		}
	}
	for _, c := range step {
		close(c)
	}
	writers.Wait()
	if err := s.End(); err != nil {
		t.Error(err)
	}
	close(done)
	readers.Wait()
	s.Close()
	if n := mediaFiles(t); n != 0 {
		t.Errorf("%d media files are open after Close", n)
	}
}
