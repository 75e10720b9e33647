package pipeline

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// Texts of the API appear where viewers are, at their time.
func TestCaptionsReachViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := config.Parse("x", []byte("streams: [{path: cam, ladder: passthrough, hls: {subtitles: [{language: pt-BR, sdh: true}]}}, {path: none, ladder: passthrough}]"))
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, "", nil, c.Streams...)
		if _, err := r.Caption("cam", "en", status.Cue{Text: "x"}); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("no stream: %v", err)
		}
		r.begin("none", h264(180)).send(100 * time.Millisecond)
		pub := r.begin("cam", h264(180), aac())
		pub.send(3100 * time.Millisecond)
		time.Sleep(3100 * time.Millisecond)
		duration, line := 1.5, 80.0
		shown, err := r.Caption("cam", "pt-BR-SDH", status.Cue{Text: "a\r\n<b>", Start: "+100ms", Duration: &duration, Line: &line})
		if err != nil || shown.Duration != 1.5 || shown.Subtitles != "pt-br-sdh" {
			t.Fatalf("%+v, %v", shown, err)
		}
		for _, bad := range []struct {
			path, subtitles string
			cue             status.Cue
			want            error
		}{
			{"cam", "en", status.Cue{Text: "x"}, status.ErrNoSubtitles},
			{"none", "en", status.Cue{Text: "x"}, status.ErrNoSubtitles},
			{"cam", "pt-br-sdh", status.Cue{Text: "\x00"}, status.ErrBadCue},
			{"cam", "pt-br-sdh", status.Cue{Text: "x", Start: "soon"}, status.ErrBadCue},
			{"cam", "pt-br-sdh", status.Cue{Text: "x", Start: "-10m"}, status.ErrBadCue},
		} {
			if _, err := r.Caption(bad.path, bad.subtitles, bad.cue); !errors.Is(err, bad.want) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		pub.send(8100 * time.Millisecond)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		code, text := r.get("cam/index.m3u8")
		multi, err := playlist.ParseMultivariant(text)
		if err != nil || code != http.StatusOK || multi.Variants[0].Subtitles == "" {
			t.Fatalf("%d %v\n%s", code, err, text)
		}
		_, text = r.get("cam/sub-pt-br-sdh/index.m3u8")
		m, err := playlist.ParseMedia(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		found := 0
		for _, s := range m.Segments {
			_, body := r.get("cam/sub-pt-br-sdh/" + s.URI)
			f, err := webvtt.Read([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			for _, cue := range f.Cues {
				found++
				at := s.ProgramDateTime.Add(cue.Start - f.Map.Local)
				if off := at.Sub(shown.Start); cue.Text != "a\n<b>" || *cue.Line != 80 || off.Abs() > 2*time.Millisecond || cue.End-cue.Start != 1500*time.Millisecond {
					t.Errorf("%+v at %v, was to be at %v", cue, at, shown.Start)
				}
			}
		}
		if found == 0 {
			t.Errorf("the cue is in none of %d segments", len(m.Segments))
		}
		if !r.has("cam", "sub-pt-br-sdh") {
			t.Error("the rendition's name is free for another stream")
		}
	})
}

// has reports whether a stream has a rendition of that name.
func (r *rig) has(path, name string) bool { return r.lookup(path).has(name) }
