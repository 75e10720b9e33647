package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// say shows a text in the subtitles of a stream.
func (s *server) say(path, subtitles string, ask status.Cue) (status.Shown, error) {
	return askAPI[status.Shown](s, http.MethodPost, path+"/subtitles/"+subtitles, ask)
}

// listenForSubtitles has the player page remember when subtitles appear.
const listenForSubtitles = `(() => {
	const seen = window.__subtitles = [];
	const { video } = window.millracePlayer;
	const follow = (track) => {
		if (track.kind !== 'subtitles') return;
		track.addEventListener('cuechange', () => {
			for (const cue of track.activeCues ?? []) {
				if (seen.some((c) => c.text === cue.text)) continue;
				seen.push({ text: cue.text, label: track.label, mode: track.mode, start: cue.startTime, end: cue.endTime, at: video.currentTime });
			}
		});
	};
	for (const track of video.textTracks) follow(track);
	video.textTracks.addEventListener('addtrack', (e) => follow(e.track));
})()`

// appeared is a text that a viewer has seen.
type appeared struct {
	Text, Label, Mode string
	Start, End, At    float64
}

// browserShowsSubtitles shows texts while hls.js plays in low latency: each is
// on the screen with the picture that it was meant for, in both containers.
func browserShowsSubtitles(t *testing.T) {
	for _, container := range []string{"fmp4", "ts"} {
		t.Run(container, func(t *testing.T) { browserShowsSubtitlesIn(t, container) })
	}
}

func browserShowsSubtitlesIn(t *testing.T, container string) {
	s := start(t, "127.0.0.1", "demo", fmt.Sprintf(
		"streams: [{path: demo, ladder: passthrough, hls: {container: %s, subtitles: [{language: en, name: English, default: true}, {language: de}]}}]", container))
	s.eventually(20*time.Second, "the hold-back is in reserve", func() error {
		m, err := mediaPlaylist(s.url("/hls/demo/sub-en/index.m3u8"))
		if err == nil && len(m.Segments) < 1 {
			err = fmt.Errorf("no segment yet")
		}
		return err
	})
	page := browser.Open(t, s.url("/watch/demo"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.hls")
	page.Eval(listenForSubtitles, nil)
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	page.Eventually(10*time.Second, "the menu of subtitles",
		"!!document.querySelector('media-captions-menu-button[mediasubtitleslist]')?.getBoundingClientRect().width && document.querySelectorAll('media-captions-menu').length === 1")
	video.Shown()

	four := 4.0
	at := time.Now().Add(time.Second).UTC().Truncate(time.Millisecond)
	ahead, err := s.say("demo", "en", status.Cue{Text: "ahead <i>of</i> time", Start: at.Format(time.RFC3339Nano), Duration: &four})
	if err != nil {
		t.Fatal(err)
	}
	if !ahead.Start.Equal(at) {
		t.Errorf("a text for %v is shown at %v", at, ahead.Start)
	}
	if _, err := s.say("demo", "de", status.Cue{Text: "unseen", Start: at.Format(time.RFC3339Nano)}); err != nil {
		t.Fatal(err)
	}
	late, err := s.say("demo", "en", status.Cue{Text: "late", Start: "-3s", Duration: &four})
	if err != nil {
		t.Fatal(err)
	}
	var seen []appeared
	tools.Eventually(t, 20*time.Second, "both texts", func() bool {
		page.Eval("window.__subtitles", &seen)
		return len(seen) >= 2
	})
	shown := video.Shown()
	starts := map[string]time.Time{"late": late.Start, "ahead &lt;i&gt;of&lt;/i&gt; time": ahead.Start}
	for _, c := range seen {
		want, said := starts[c.Text]
		if !said {
			t.Fatalf("seen: %+v", seen)
		}
		if length := c.End - c.Start; c.Label != "English" || c.Mode != "showing" || length < 3.99 || length > 4.01 {
			t.Errorf("%+v lasts %.3f s", c, length)
		}
		// A browser tells of it up to a quarter of a second later.
		if behind := c.At - c.Start; behind < -0.05 || behind > 0.75 {
			t.Errorf("%q came %.3f s after its time", c.Text, behind)
		}
		drawn, ok := drawnAt(shown, c.Start)
		if !ok {
			t.Fatalf("no readable picture around %.3f s among %d", c.Start, len(shown))
		}
		// Drawn then, but for the way from the camera to the server.
		way := want.Sub(drawn)
		t.Logf("%q: %.3f s after its time, the picture was drawn %v before it", c.Text, c.At-c.Start, way)
		if way < -40*time.Millisecond || way > 500*time.Millisecond {
			t.Errorf("the picture at %q was drawn %v before it", c.Text, way)
		}
	}
}

// drawnAt is when the picture of a time of play was drawn, by the nearest one
// that a busy browser has shown: the camera draws by the clock.
func drawnAt(shown []browser.Shown, at float64) (drawn time.Time, ok bool) {
	nearest := 2 * time.Second
	for _, p := range shown {
		off := time.Duration(at*float64(time.Second)) - p.MediaTime
		if p.Readable && off.Abs() < nearest {
			nearest, drawn, ok = off.Abs(), p.Wall.Add(off), true
		}
	}
	return drawn, ok
}
