package recording

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// TestSubtitlesAreRecorded finds what was shown live in the recording, at the
// times of its media, in both containers.
func TestSubtitlesAreRecorded(t *testing.T) {
	for _, c := range []struct {
		in     packager.Container
		offset uint64 // at which the timeline begins
	}{{packager.FMP4, 0}, {packager.TS, 900_000}} {
		l, _ := open(t, t.TempDir())
		s := l.present(t, "cam", packager.Config{Container: c.in, Subtitles: []packager.Subtitles{{ID: "en", Language: "en", Title: "English"}}})
		if err := s.SetRenditions([]packager.Rendition{{Name: "audio", Kind: media.Audio, Copy: true}}); err != nil {
			t.Fatal(err)
		}
		s.only = "audio"
		s.play(3, 7)
		if _, err := s.Caption(media.Cue{Subtitles: "en", Text: "Good evening.", At: 7 * time.Second, Duration: 2 * time.Second}); err != nil {
			t.Fatal(err)
		}
		s.play(3, 7)
		s.play(3, 8)
		s.end(l)
		at := "cam/" + l.List()[0].ID
		multi, err := playlist.ParseMultivariant(get(l, at+"/index.m3u8").Body.String())
		if err != nil {
			t.Fatal(err)
		}
		if v := multi.Variants[0]; v.Subtitles != "subs" || multi.Renditions[len(multi.Renditions)-1].URI != "sub-en/index.m3u8" {
			t.Errorf("%+v", multi)
		}
		lists := map[string]*playlist.Media{}
		for _, name := range []string{"audio", "sub-en"} {
			m, err := playlist.ParseMedia(get(l, at+"/"+name+"/index.m3u8").Body.String())
			if err != nil {
				t.Fatal(err)
			}
			lists[name] = m
		}
		sound, text := lists["audio"], lists["sub-en"]
		if text.MediaSequence != sound.MediaSequence || len(text.Segments) != len(sound.Segments) || text.Version != 3 || !text.EndList {
			t.Fatalf("text %+v, sound %+v", text, sound)
		}
		var found []string
		for i, seg := range text.Segments {
			w := get(l, at+"/sub-en/"+seg.URI)
			f, err := webvtt.Read(w.Body.Bytes())
			if err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != webvtt.ContentType {
				t.Fatalf("%s: %d %v %v", seg.URI, w.Code, w.Header(), err)
			}
			begins := time.Duration(i) * 2 * time.Second
			if seg.Gap || seg.Map != nil || seg.Discontinuities != sound.Segments[i].Discontinuities || *f.Map != webvtt.MapAt(begins, c.offset) {
				t.Errorf("%+v, mapping %+v", seg, f.Map)
			}
			for _, cue := range f.Cues {
				found = append(found, fmt.Sprintf("%s %v %s", strings.TrimSuffix(seg.URI, ".vtt"), cue.Start, cue.Text))
			}
		}
		if got := strings.Join(found, ", "); got != "1003 7s Good evening., 1004 7s Good evening." {
			t.Errorf("found %s", got)
		}
	}
}

// TestSubtitlesSurviveARestart finds the texts of before a restart in the long
// playlist behind it.
func TestSubtitlesSurviveARestart(t *testing.T) {
	for _, in := range []packager.Container{packager.FMP4, packager.TS} {
		dir := t.TempDir()
		cfg := packager.Config{Container: in, Subtitles: []packager.Subtitles{{ID: "en", Language: "en"}}}
		renditions := shiftRenditions[1:]
		first, shift := shifts(dir, began.Add(time.Minute)).present(t, renditions, cfg)
		first.only = "audio"
		first.play(3, 7)
		if _, err := first.Caption(media.Cue{Subtitles: "en", Text: "before", At: 7 * time.Second, Duration: time.Second}); err != nil {
			t.Fatal(err)
		}
		first.play(3, 7) // the last one is not listed yet
		first.Close()
		shift.Close()

		second, _ := shifts(dir, began.Add(2*time.Minute)).present(t, renditions, cfg)
		second.only = "audio"
		second.play(3, 8)
		text, sound := second.list("sub-en/dvr.m3u8"), second.list("audio/dvr.m3u8")
		if text.MediaSequence != 1000 || text.MediaSequence != sound.MediaSequence || len(text.Segments) != len(sound.Segments) {
			t.Fatalf("text %+v, sound %+v", text, sound)
		}
		for i, seg := range text.Segments {
			if other := sound.Segments[i]; seg.Gap != other.Gap || seg.Discontinuities != other.Discontinuities || seg.Map != nil {
				t.Errorf("text %+v, sound %+v", seg, other)
			}
			w := second.fetch("sub-en/" + seg.URI)
			if has := strings.Contains(w.Body.String(), "before"); !seg.Gap && (w.Code != http.StatusOK || w.Header().Get("Content-Type") != webvtt.ContentType || has != (i == 3)) {
				t.Errorf("%s: %d %v %q", seg.URI, w.Code, w.Header(), w.Body)
			}
		}
	}
}
