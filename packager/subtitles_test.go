package packager

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/packager/webvtt"
)

func english() []Subtitles { return []Subtitles{{ID: "en", Language: "en", Title: "English"}} }

// texts are those of a file's cues, with their times, and its mapping.
func (s *sim) texts(path string) (m webvtt.Map, out []string) {
	s.t.Helper()
	w := s.get(path)
	f, err := webvtt.Read(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK || f.Map == nil {
		s.t.Fatalf("%s: %d, %v:\n%s", path, w.Code, err, w.Body)
	}
	for _, c := range f.Cues {
		out = append(out, fmt.Sprintf("%v-%v %s", c.Start, c.End, c.Text))
	}
	return *f.Map, out
}

// TestSubtitles follows cues into segments and parts: those that are shown in
// several are in each, whole, and what comes late is shown all the same.
func TestSubtitles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t, Config{LowLatency: true, Subtitles: english()})
		defer func() { s.Close() }()
		if c, err := s.Caption(media.Cue{Subtitles: "en", Text: "first", At: 500 * time.Millisecond}); err != nil || !c.Date.IsZero() {
			t.Fatalf("before the first cut: %+v, %v", c, err)
		}
		s.play(1)
		say := func(c media.Cue) media.Cue {
			t.Helper()
			c.Subtitles = "en"
			out, err := s.Caption(c)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		say(media.Cue{Text: "a <b> & --> c", At: 3 * time.Second, Duration: 4 * time.Second})
		say(media.Cue{Text: "now", Date: time.Now()})
		// The last part of the first segment is open: viewers have text up to 1.56 s.
		if late := say(media.Cue{Text: "late", At: 200 * time.Millisecond, Duration: time.Second}); late.At != 1560*time.Millisecond || !late.Date.Equal(s.start.Add(late.At)) || late.Duration != time.Second {
			t.Errorf("what comes late: %+v", late)
		}
		s.play(3)
		for _, c := range []struct {
			file string
			at   time.Duration
			want string
		}{
			{"100.vtt", 0, "[500ms-2.5s first 1.56s-2.56s late]"},
			{"101.vtt", 2 * time.Second, "[500ms-2.5s first 1.56s-2.56s late 2s-4s now 3s-7s a <b> & --> c]"},
			{"102.vtt", 4 * time.Second, "[3s-7s a <b> & --> c]"},
		} {
			m, got := s.texts("sub-en/" + c.file)
			if fmt.Sprint(got) != c.want || m != (webvtt.Map{MPEGTS: uint64(c.at / time.Second * 90000), Local: c.at}) {
				t.Errorf("%s: %v, %v, want %s", c.file, m, got, c.want)
			}
		}
		text, picture := s.playlist("sub-en"), s.playlist("720p")
		if text.MediaSequence != picture.MediaSequence || text.PartTarget != picture.PartTarget || *text.ServerControl != *picture.ServerControl {
			t.Errorf("text %+v, picture %+v", text, picture)
		}
		for i := range text.Segments {
			a, b := text.Segments[i], picture.Segments[i]
			if a.Duration != b.Duration || !a.ProgramDateTime.Equal(b.ProgramDateTime) || a.Discontinuities != b.Discontinuities || len(a.Parts) != len(b.Parts) {
				t.Errorf("text %+v, picture %+v", a, b)
			}
		}
		if reports := text.RenditionReports; len(reports) != 2 || len(picture.RenditionReports) != 2 {
			t.Errorf("reports %+v", reports)
		}
		hinted := text.PreloadHints[0].URI
		held := make(chan string, 1)
		go func() { held <- s.get("sub-en/" + hinted).Body.String() }()
		synctest.Wait()
		s.play(1)
		if got := <-held; got != "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:680400,LOCAL:00:00:07.560\n" {
			t.Errorf("the hinted part, %s, is %q", hinted, got)
		}
		w := s.get("sub-en/101.vtt", "Accept-Encoding", "gzip")
		if h := w.Header(); h.Get("Content-Type") != "text/vtt; charset=utf-8" || h.Get("Content-Encoding") != "gzip" || h.Get("Cache-Control") != cacheForever {
			t.Errorf("headers %v", h)
		}
		for _, path := range []string{"sub-en/99.vtt", "sub-en/105.vtt", "sub-en/101.m4s", "sub-de/101.vtt", "sub-en/init-0.mp4", "sub-en/part1.vtt"} {
			if w := s.get(path); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
		if err := s.Write("sub-en", media.Placed{Packet: &media.Packet{}}); !errors.Is(err, ErrUnknownRendition) {
			t.Errorf("a packet of text: %v", err)
		}
		if len(s.troubles) > 0 {
			t.Error(s.troubles)
		}
	})
}

// TestSubtitlesOverABreak has the publisher leave and come back: the text ends
// with the picture, and a cue is not shown beyond the discontinuity.
func TestSubtitlesOverABreak(t *testing.T) {
	for _, low := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newMarked(t, Config{LowLatency: low, Subtitles: english()})
			defer func() { s.Close() }()
			s.play(2)
			if _, err := s.Caption(media.Cue{Subtitles: "en", Text: "x", At: 3600 * time.Millisecond, Duration: time.Minute}); err != nil {
				t.Fatal(err)
			}
			s.Suspend()
			s.cut(102, 91, 7*time.Second, s.start.Add(7*time.Second))
			for _, pk := range video25().between(7*time.Second, 9*time.Second) {
				s.put("720p", 102, 91, pk)
			}
			s.cut(103, 91, 9*time.Second, s.start.Add(9*time.Second))
			s.put("720p", 103, 91, video25().between(9*time.Second, 10*time.Second)[0])
			if err := s.End(); err != nil {
				t.Fatal(err)
			}
			text, picture := s.playlist("sub-en"), s.playlist("720p")
			if !text.EndList || len(text.Segments) != 4 || text.Segments[2].Discontinuities != 1 {
				t.Fatalf("%+v", text)
			}
			for i := range text.Segments {
				if a, b := text.Segments[i], picture.Segments[i]; a.Duration != b.Duration || !a.ProgramDateTime.Equal(b.ProgramDateTime) {
					t.Errorf("text %+v, picture %+v", a, b)
				}
			}
			if m, got := s.texts("sub-en/101.vtt"); fmt.Sprint(got) != "[3.6s-1m3.6s x]" || m.MPEGTS != 180_000 {
				t.Errorf("before: %v, %v", m, got)
			}
			if m, got := s.texts("sub-en/102.vtt"); len(got) != 0 || m.MPEGTS != 630_000 {
				t.Errorf("behind: %v, %v", m, got)
			}
			if _, err := s.Caption(media.Cue{Subtitles: "en", Text: "x"}); !errors.Is(err, ErrEnded) {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}

// TestSubtitlesInTheMultivariantPlaylist holds them to §4.4.6.1.
func TestSubtitlesInTheMultivariantPlaylist(t *testing.T) {
	list := []Subtitles{
		{ID: "en", Language: "en", Title: "English"},
		{ID: "en-sdh", Language: "en", Title: "English", SDH: true, Default: true},
		{ID: "de-forced", Language: "de", Forced: true, Default: true},
	}
	want := []playlist.Rendition{
		{Type: "SUBTITLES", GroupID: "subs", Name: "English", Language: "en", Autoselect: true, URI: "sub-en/index.m3u8"},
		{Type: "SUBTITLES", GroupID: "subs", Name: "English (en-sdh)", Language: "en", Default: true, Autoselect: true, Characteristics: describesSound, URI: "sub-en-sdh/index.m3u8"},
		{Type: "SUBTITLES", GroupID: "subs", Name: "de", Language: "de", Autoselect: true, Forced: true, URI: "sub-de-forced/index.m3u8"},
	}
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		cfg, f := Config{Subtitles: list}, video25()
		if kind == media.Audio {
			cfg.Container, f = TS, aac()
		}
		s := newSim(t, cfg, Rendition{Name: "lead", Kind: kind, Copy: true})
		for n := range uint64(3) {
			at := time.Duration(n) * 2 * time.Second
			s.cut(10+n, 1, at, time.Now())
			for _, pk := range f.between(at, at+2*time.Second) {
				s.put("lead", 10+n, 1, pk)
			}
		}
		m, err := playlist.ParseMultivariant(s.get("index.m3u8").Body.String())
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(m.Renditions, func(r playlist.Rendition) bool { return r.Type != "SUBTITLES" })
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %+v", kind, got)
		}
		// MPEG-TS begins at ten seconds.
		if m, _ := s.texts("sub-en/11.vtt"); m.MPEGTS != map[media.Kind]uint64{media.Video: 180_000, media.Audio: 1_080_000}[kind] || m.Local != 2*time.Second {
			t.Errorf("%v: mapping %+v", kind, m)
		}
		lead := (*s.names.Load())["lead"].shown.bandwidth
		for _, v := range m.Variants {
			if v.Subtitles != "subs" || v.Bandwidth != lead+textBandwidth || v.AverageBandwidth > v.Bandwidth {
				t.Errorf("%v: %+v, alone %d", kind, v, lead)
			}
		}
		if err := s.SetRenditions([]Rendition{{Name: "sub-en", Kind: media.Video}}); err == nil {
			t.Error("a rendition took the name of subtitles")
		}
		s.Close()
	}
	for _, bad := range []Config{
		{Store: store.Memory{}, Subtitles: []Subtitles{{ID: "a/b"}}},
		{Store: store.Memory{}, Subtitles: []Subtitles{{ID: "a"}, {ID: "a"}}},
		{Store: store.Memory{}, VOD: true, Subtitles: english()},
	} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v is taken", bad.Subtitles)
		}
	}
}

func TestCuesAreBounded(t *testing.T) {
	s := newSim(t, Config{Subtitles: english()}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	say := func(c media.Cue) error {
		c.Subtitles, c.Text = "en", "x"
		_, err := s.Caption(c)
		return err
	}
	fill := func(most int) {
		t.Helper()
		n, err := 0, error(nil)
		for ; err == nil && n < 1000; n++ {
			err = say(media.Cue{})
		}
		if !errors.Is(err, ErrTooMany) || n != most+1 {
			t.Errorf("%d, %v", n, err)
		}
	}
	fill(maxWaitingCues)
	s.cut(100, 90, 0, time.Now())
	fill(maxCues - maxWaitingCues)
	if _, err := s.Caption(media.Cue{Subtitles: "de", Text: "x"}); !errors.Is(err, ErrNoSubtitles) {
		t.Errorf("no such subtitles: %v", err)
	}
	if _, err := s.Caption(media.Cue{Subtitles: "en"}); !errors.Is(err, media.ErrCue) {
		t.Errorf("no text: %v", err)
	}
	if err := say(media.Cue{Date: time.Now().Add(-time.Hour)}); !errors.Is(err, ErrLateCue) {
		t.Errorf("an hour ago: %v", err)
	}
}

// TestSubtitlesAreNewInThePast begins subtitles on a stream that has a past
// without them: its long playlist has gaps there, and the numbers of the others.
func TestSubtitlesAreNewInThePast(t *testing.T) {
	past := map[string][]Listed{}
	for n := range uint64(3) {
		f, err := store.Memory{}.Create("x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Append([]byte("media")); err != nil {
			t.Fatal(err)
		}
		past["720p"] = append(past["720p"], Listed{
			Rendition: "720p", Kind: media.Video, Number: 90 + n, Discontinuity: 80, Duration: 2 * time.Second,
			Wall: time.Now().Add(time.Duration(n)*2*time.Second - time.Minute), Init: "init-1.mp4", Section: []byte("x"), File: f, Size: 5,
		})
	}
	s := newSim(t, Config{DVR: time.Minute, Past: past, Subtitles: english()}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	for n := range uint64(3) {
		at := time.Duration(n) * 2 * time.Second
		s.cut(94+n, 81, at, time.Now().Add(at)) // one was lost
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put("720p", 94+n, 81, pk)
		}
	}
	lists := map[string]*playlist.Media{}
	for _, name := range []string{"720p", "sub-en"} {
		m, err := playlist.ParseMedia(s.get(name + "/dvr.m3u8").Body.String())
		if err != nil {
			t.Fatal(err)
		}
		lists[name] = m
	}
	text, picture := lists["sub-en"], lists["720p"]
	if text.MediaSequence != 90 || text.DiscontinuitySequence != picture.DiscontinuitySequence || len(text.Segments) != len(picture.Segments) || len(text.Segments) != 6 {
		t.Fatalf("text %+v\npicture %+v", text, picture)
	}
	for i, seg := range text.Segments {
		if seg.Gap != (i < 4) || seg.Duration != picture.Segments[i].Duration || seg.Discontinuities != picture.Segments[i].Discontinuities {
			t.Errorf("text %+v, picture %+v", seg, picture.Segments[i])
		}
	}
}
