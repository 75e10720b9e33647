package e2e

import (
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// browserPlaysDASH has dash.js and shaka-player play the MPD of a live stream:
// every picture in its place, and again in the next Period, after the
// publisher was away. shaka plays the HLS of the same segments too.
func browserPlaysDASH(t *testing.T) {
	s := serve(t, `streams: [{path: "low/*", ladder: passthrough}, {path: "*", ladder: passthrough, hls: {lowLatency: false}}]`)
	clip, recipe := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	rate, loop := recipe.Complete().Video.Rate, recipe.Frames()
	for _, c := range []struct {
		name   string
		player browser.Player
		path   string
		url    func(path string) string
	}{
		{"dash.js", browser.DashJS, "a", s.dash},
		{"shaka", browser.Shaka, "b", s.dash},
		{"dash.js with low latency", browser.DashJS, "low/a", s.dash},
		{"shaka with HLS", browser.Shaka, "low/b", s.hls},
	} {
		t.Run(c.name, func(t *testing.T) {
			publisher := s.publish(c.path, clip)
			reserve(s, c.path)
			video := browser.Play(t, c.player, c.url(c.path))
			video.Shown()
			shown := video.Collect(100, 30*time.Second)
			if got := browser.CheckShown(shown, rate, loop); !got.Perfect() {
				t.Error(got)
			}
			before := shown[len(shown)-1].Frame
			publisher.Kill()
			s.eventually(10*time.Second, "the loss is noticed", s.inState(c.path, status.Lost))
			s.publish(c.path, clip)
			s.eventually(10*time.Second, "the return is noticed", s.inState(c.path, status.Live))
			tools.Eventually(t, 60*time.Second, "what came after the return is shown", func() bool {
				video.Shown()
				shown = video.Collect(1, 30*time.Second)
				last := shown[len(shown)-1]
				return last.Readable && last.Frame < before // the clip began again
			})
			video.Shown()
			shown = video.Collect(60, 30*time.Second)
			if got := browser.CheckShown(shown, rate, loop); !got.Perfect() {
				t.Errorf("after the return: %v", got)
			}
		})
	}
}

// TestDASHReaders plays the MPD with players that are no browsers.
func TestDASHReaders(t *testing.T) {
	t.Parallel()
	s := serve(t, "streams: [{path: cam, ladder: passthrough}]")
	clip, recipe := tools.Clip(t, "h264-b")
	s.publish("cam", clip)
	s.live("cam", 1)
	t.Run("VLC", func(t *testing.T) {
		checkVLC(t, s.dash("cam"), recipe)
	})
	t.Run("GStreamer", func(t *testing.T) {
		checkGStreamer(t, s.dash("cam"), recipe, 125)
	})
}
