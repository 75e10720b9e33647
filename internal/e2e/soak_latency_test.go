//go:build soak

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestSoakLatency opens the player page again and again, and tells how far the
// picture is behind the camera's clock after ten seconds of play, and behind
// what the playlist holds back. A stall is an error, whatever the machine does.
func TestSoakLatency(t *testing.T) {
	for _, c := range []struct {
		name, ladder, part string
		starts             int
	}{
		{"passed through, parts of 500 ms", "passthrough", "500ms", 3},
		{"ladder, parts of 500 ms", "auto", "500ms", 3},
		{"passed through, parts of 200 ms", "passthrough", "200ms", 3},
		{"ladder, parts of 200 ms", "[{height: 720}]", "200ms", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "127.0.0.1", "demo", fmt.Sprintf("streams: [{path: demo, ladder: %s, hls: {part: %s}}]", c.ladder, c.part))
			reserve(s, "demo")
			var behind, beyond []time.Duration
			for range c.starts {
				b, e := opened(t, s, "demo")
				behind, beyond = append(behind, b), append(beyond, e)
			}
			t.Logf("glass to glass %v, beyond the hold-back %v", behind, beyond)
		})
	}
	t.Run("twenty starts, sound by ffmpeg, parts of 200 ms", func(t *testing.T) {
		s := serve(t, "streams: [{path: cam, ladder: passthrough, hls: {part: 200ms}}]")
		clip, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 10 * time.Minute })
		s.publish("cam", clip)
		reserve(s, "cam")
		var beyond []time.Duration
		for range 20 {
			_, e := opened(t, s, "cam")
			beyond = append(beyond, e)
		}
		t.Logf("beyond the hold-back: at most %v of %v", slices.Max(beyond), beyond)
	})
}

// opened opens the player page, plays for ten seconds and tells how far behind
// the clock of the camera the picture is then, and how far behind where the
// playlist wants it to be.
func opened(t *testing.T, s *server, path string) (behind, beyond time.Duration) {
	t.Helper()
	page := browser.Open(t, s.url("/watch/"+path))
	defer page.Goto("about:blank")
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	begin := video.State().Time
	tools.Eventually(t, 30*time.Second, "ten seconds of play", func() bool { return video.State().Time > begin+10 })
	var latency, target float64
	page.Eval("window.millracePlayer.hls.latency", &latency)
	page.Eval("window.millracePlayer.hls.targetLatency", &target)
	video.Shown()
	shown := video.Collect(30, 20*time.Second)
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
	return median(shown).Round(10 * time.Millisecond), time.Duration((latency - target) * float64(time.Second)).Round(10 * time.Millisecond)
}
