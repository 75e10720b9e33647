package packager

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// id3 is an empty tag but for a byte that tells it from others.
func id3(n byte) []byte { return []byte{'I', 'D', '3', 4, 0, 0, 0, 0, 0, 1, n} }

// marked is a live presentation of one picture rendition and sound that can be
// marked, 2 s a segment.
type marked struct {
	*sim
	start    time.Time
	segments uint64
}

func newMarked(t *testing.T, cfg Config) *marked {
	cfg.Markers = true
	s := newSim(t, cfg, Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	return &marked{sim: s, start: time.Now()}
}

// play puts out so many segments in real time.
func (s *marked) play(segments int) {
	for range segments {
		from, to := time.Duration(s.segments)*2*time.Second, time.Duration(s.segments+1)*2*time.Second
		s.cut(100+s.segments, 90, from, s.start.Add(from))
		sound := aac().between(from, to)
		for _, pk := range video25().between(from, to) {
			time.Sleep(time.Until(s.start.Add(media.Duration(pk.DTS, 90000) + 40*time.Millisecond)))
			s.put("720p", 100+s.segments, 90, pk)
			for len(sound) > 0 && media.Duration(sound[0].PTS, 48000) < media.Duration(pk.DTS, 90000) {
				s.put("audio", 100+s.segments, 90, sound[0])
				sound = sound[1:]
			}
		}
		for _, pk := range sound {
			s.put("audio", 100+s.segments, 90, pk)
		}
		s.segments++
	}
}

func (s *marked) mark(m media.Marker) media.Marker {
	s.t.Helper()
	out, err := s.Mark(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func ids(list []playlist.DateRange) string {
	var out []string
	for _, d := range list {
		out = append(out, d.ID)
	}
	return strings.Join(out, " ")
}

// TestDateRangesComeAndGo follows date ranges through the life of a live
// playlist and of the long one beside it.
func TestDateRangesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{LowLatency: true, Window: 12 * time.Second, DVR: time.Minute})
		defer func() { s.Close() }()
		waiting := s.mark(media.Marker{Kind: media.DateRange, ID: "first", At: 500 * time.Millisecond})
		if !waiting.Date.IsZero() {
			t.Fatalf("dated before the first cut: %v", waiting.Date)
		}
		s.play(3)
		listed := func(file string) string {
			t.Helper()
			var all []string
			for _, name := range []string{"720p", "audio"} {
				m, err := playlist.ParseMedia(s.get(name + "/" + file).Body.String())
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, ids(m.DateRanges))
			}
			if all[0] != all[1] {
				t.Errorf("§6.2.4: %s lists %q for the picture, %q for the sound", file, all[0], all[1])
			}
			return all[0]
		}
		want := func(file, ids string) {
			t.Helper()
			if got := listed(file); got != ids {
				t.Errorf("%s lists %q, want %q", file, got, ids)
			}
		}
		want("index.m3u8", "first")
		s.mark(media.Marker{Kind: media.DateRange, ID: "break", Class: "ad", Duration: -1, Planned: 4 * time.Second, Out: []byte{0xfc}, Date: time.Now()})
		s.mark(media.Marker{Kind: media.DateRange, ID: "song", Class: "song", Duration: -1, EndOnNext: true, Date: s.start.Add(time.Second)})
		want("index.m3u8", "first")
		s.play(1)
		want("index.m3u8", "first song break")
		ended := s.mark(media.Marker{Kind: media.DateRangeEnd, ID: "break", In: []byte{0xfd}, Date: time.Now()})
		if ended.Duration != 2*time.Second || string(ended.Out) != "\xfc" || string(ended.In) != "\xfd" {
			t.Errorf("the break that has ended: %+v", ended)
		}
		if _, err := s.Mark(media.Marker{Kind: media.DateRangeEnd, ID: "break", Date: time.Now()}); !errors.Is(err, ErrNoRange) {
			t.Errorf("ended twice: %v", err)
		}
		// The window holds 12 s: what ended within the first 0.5 s goes first.
		s.play(5)
		want("index.m3u8", "song break")
		want("dvr.m3u8", "first song break")
		s.mark(media.Marker{Kind: media.DateRange, ID: "song 2", Class: "song", Duration: -1, EndOnNext: true, Date: s.start.Add(8 * time.Second)})
		s.play(5) // 28 s; the break ended at 8 s, and so did the song
		want("index.m3u8", "song 2")
		s.play(25)
		want("index.m3u8", "song 2")
		want("dvr.m3u8", "song 2")
		if _, err := s.Mark(media.Marker{Kind: media.DateRange, ID: "break", Date: time.Now()}); !errors.Is(err, ErrMarkerID) {
			t.Errorf("§6.2.1: an ID came again: %v", err)
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		want("index.m3u8", "song 2")
		if len(s.troubles) > 0 {
			t.Error(s.troubles)
		}
	})
}

// TestDeltaUpdatesWithoutDateRanges merges what a client knows with a delta
// update that leaves date ranges out (§6.2.5.1).
func TestDeltaUpdatesWithoutDateRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{LowLatency: true, Window: time.Minute})
		defer func() { s.Close() }()
		s.play(1)
		known := map[string]string{} // by ID, as a client remembers
		skipped, removals := false, 0
		for i := range 60 {
			s.mark(media.Marker{Kind: media.DateRange, ID: fmt.Sprint("m", i), Date: time.Now(), Duration: time.Second})
			s.play(1)
			full := s.playlist("720p")
			if c := full.ServerControl; !c.CanSkipDateRanges {
				t.Fatalf("§4.4.3.8: %+v", c)
			}
			text := s.get("720p/index.m3u8?_HLS_skip=v2").Body.String()
			d, err := playlist.ParseMedia(text)
			if err != nil {
				t.Fatal(err)
			}
			if d.Skip == nil {
				known = map[string]string{}
			} else {
				if !d.Skip.DateRanges {
					t.Fatalf("§4.4.5.2: no RECENTLY-REMOVED-DATERANGES:\n%s", text)
				}
				left := len(full.DateRanges) - len(d.DateRanges)
				skipped = skipped || left > 0
				if want := map[bool]int{false: 9, true: 10}[left > 0]; d.Version != want {
					t.Fatalf("§8: version %d where %d date ranges are left out", d.Version, left)
				}
				for _, id := range d.Skip.Removed {
					if _, ok := known[id]; ok {
						removals++
					}
					delete(known, id)
				}
			}
			for _, r := range d.DateRanges {
				known[r.ID] = fmt.Sprint(r)
			}
			want := map[string]string{}
			for _, r := range full.DateRanges {
				want[r.ID] = fmt.Sprint(r)
			}
			if fmt.Sprint(known) != fmt.Sprint(want) {
				t.Fatalf("merged %v, the playlist has %v", known, want)
			}
			yes, err := playlist.ParseMedia(s.get("720p/index.m3u8?_HLS_skip=YES").Body.String())
			if err != nil || ids(yes.DateRanges) != ids(full.DateRanges) || yes.Skip != nil && (yes.Skip.DateRanges || yes.Version != 9) {
				t.Fatalf("_HLS_skip=YES: %v, %+v", err, yes.Skip)
			}
		}
		if !skipped || removals == 0 {
			t.Errorf("left out: %v, removed: %d", skipped, removals)
		}
	})
}

// TestMarkAgain adds to date ranges, and is refused what contradicts them.
func TestMarkAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{})
		defer func() { s.Close() }()
		s.play(1)
		at := time.Now()
		base := media.Marker{Kind: media.DateRange, ID: "a", Class: "c", Date: at, Duration: -1, Attributes: map[string]any{"X-A": "1"}}
		s.mark(base)
		with := func(f func(*media.Marker)) error {
			m := base
			f(&m)
			_, err := s.Mark(m)
			return err
		}
		for name, f := range map[string]func(*media.Marker){
			"class":     func(m *media.Marker) { m.Class = "d" },
			"start":     func(m *media.Marker) { m.Date = at.Add(time.Second) },
			"attribute": func(m *media.Marker) { m.Attributes = map[string]any{"X-A": "2"} },
		} {
			if err := with(f); !errors.Is(err, ErrMarkerID) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if err := with(func(m *media.Marker) { m.Planned, m.Attributes = time.Minute, map[string]any{"X-B": 2.0} }); err != nil {
			t.Error(err)
		}
		if err := with(func(m *media.Marker) { m.Duration = 3 * time.Second }); err != nil {
			t.Error(err)
		}
		if err := with(func(m *media.Marker) { m.Duration = 4 * time.Second }); !errors.Is(err, ErrMarkerID) {
			t.Errorf("another duration: %v", err)
		}
		s.play(1)
		got := s.playlist("720p").DateRanges
		want := playlist.DateRange{
			ID: "a", Class: "c", Start: at.UTC(), Duration: 3 * time.Second, Planned: time.Minute,
			Attributes: []playlist.Attribute{{Name: "X-A", Value: "1", Quoted: true}, {Name: "X-B", Value: "2"}},
		}
		if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// TestEventsAreInTheirPart finds each event in the part that is shown at its
// time, once in all, in the picture and not in the sound.
func TestEventsAreInTheirPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{LowLatency: true})
		defer func() { s.Close() }()
		s.play(1)
		ats := []time.Duration{2 * time.Second, 2*time.Second + 40*time.Millisecond, 3999 * time.Millisecond, 4 * time.Second, 5500 * time.Millisecond}
		for i, at := range ats {
			s.mark(media.Marker{Kind: media.Metadata, At: at, ID3: id3(byte(i))})
		}
		s.play(1)
		s.mark(media.Marker{Kind: media.Metadata, At: time.Second, ID3: id3(9)}) // too late
		s.play(3)
		found := map[byte][]time.Duration{}
		for number := uint64(100); number < 104; number++ {
			whole := s.get(fmt.Sprintf("720p/%d.m4s", number)).Body.Bytes()
			if events, err := fmp4.ReadEvents(s.get(fmt.Sprintf("audio/%d.m4s", number)).Body.Bytes()); err != nil || len(events) > 0 {
				t.Errorf("the sound has events: %v, %v", events, err)
			}
			for _, p := range (*s.names.Load())["720p"].window.Load().segment(number).parts {
				b := whole[p.offset : p.offset+p.size]
				events, err := fmp4.ReadEvents(b)
				if err != nil {
					t.Fatal(err)
				}
				fs, err := fmp4.ReadFragments(b)
				if err != nil {
					t.Fatal(err)
				}
				from := media.Duration(int64(fs[0].Base), 90000)
				for _, e := range events {
					at := media.Duration(int64(e.Time), int(e.Timescale))
					if e.Scheme != fmp4.SchemeID3 || at < from || at >= from+p.duration {
						t.Errorf("event %+v at %v in the part from %v to %v", e, at, from, from+p.duration)
					}
					n := e.Message[10]
					found[n] = append(found[n], at)
				}
			}
		}
		for i, at := range ats {
			if got := found[byte(i)]; !slices.Equal(got, []time.Duration{at}) {
				t.Errorf("the event at %v was found at %v", at, got)
			}
		}
		if got := found[9]; len(got) != 1 || got[0] < 3500*time.Millisecond || got[0] > 4500*time.Millisecond {
			t.Errorf("the late event was found at %v", got)
		}
	})
}

// TestEventsWithSoundAlone finds them in the sound where there is no picture.
func TestEventsWithSoundAlone(t *testing.T) {
	s := newSim(t, Config{Markers: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	defer s.Close()
	s.cut(100, 90, 0, time.Now())
	if _, err := s.Mark(media.Marker{Kind: media.Metadata, At: time.Second, ID3: id3(1)}); err != nil {
		t.Fatal(err)
	}
	for _, pk := range aac().between(0, 2*time.Second) {
		s.put("audio", 100, 90, pk)
	}
	s.cut(101, 90, 2*time.Second, time.Now().Add(2*time.Second))
	s.put("audio", 101, 90, aac().between(2*time.Second, 4*time.Second)[0])
	events, err := fmp4.ReadEvents(s.get("audio/100.m4s").Body.Bytes())
	if err != nil || len(events) != 1 || events[0].Time != 48000 || events[0].Timescale != 48000 {
		t.Errorf("events %+v, %v", events, err)
	}
}

func TestMarkersAreBounded(t *testing.T) {
	s := newSim(t, Config{Markers: true}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = s.Mark(media.Marker{Kind: media.Metadata, ID3: id3(1)})
	}
	if !errors.Is(err, ErrTooMany) || n != maxWaitingMarkers+1 {
		t.Errorf("before the first cut: %d, %v", n, err)
	}
	s.cut(100, 90, 0, time.Now())
	for n, err = 0, nil; err == nil && n < 10000; n++ {
		_, err = s.Mark(media.Marker{Kind: media.Metadata, ID3: id3(1)})
	}
	if !errors.Is(err, ErrTooMany) || n != maxEvents-maxWaitingMarkers+1 {
		t.Errorf("events: %d, %v", n, err)
	}
	for n, err = 0, nil; err == nil && n < 10000; n++ {
		_, err = s.Mark(media.Marker{Kind: media.DateRange, ID: fmt.Sprint(n), Duration: -1})
	}
	if !errors.Is(err, ErrTooMany) || n != maxDateRanges+1 {
		t.Errorf("date ranges: %d, %v", n, err)
	}
	if s := newSim(t, Config{}); true {
		defer s.Close()
		if _, err := s.Mark(media.Marker{Kind: media.DateRange, ID: "a"}); !errors.Is(err, ErrNoMarks) {
			t.Errorf("a presentation that is not to be marked: %v", err)
		}
	}
}
