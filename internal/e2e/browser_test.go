package e2e

import (
	"fmt"
	"path"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestBrowser has a browser do one thing after the other, beside the tests that
// need none: two at a time would be one too many for two cores.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"plays", browserPlays},
		{"plays MPEG-TS", browserPlaysTransport},
		{"recovers", browserRecovers},
		{"at the beginning", browserAtTheBeginning},
		{"low latency", browserWithLowLatency},
		{"looks back", browserLooksBack},
		{"sees markers", browserSeesMarkers},
		{"shows subtitles", browserShowsSubtitles},
		{"decrypts", browserDecrypts},
		{"decrypts samples", browserDecryptsSamples},
		{"plays DASH", browserPlaysDASH},
		{"decrypts DASH", browserDecryptsDASH},
		{"switches languages", browserSwitchesLanguages},
		{"chooses a codec", browserChoosesCodec},
		{"checks", browserChecks},
	} {
		t.Run(c.name, c.test)
	}
}

// browserPlays is the main job as a viewer sees it: hls.js in Chromium on
// the player page, thirty seconds without a stall, every picture in its
// place, all quality levels.
func browserPlays(t *testing.T) {
	s := serve(t, "")
	// Longer than the test: where a clip starts again its frame numbers and
	// its timestamps do not go on together.
	clip, recipe := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	s.publish("cam", clip)
	s.live("cam", 3)
	// A stream that has just begun has nothing in reserve yet.
	s.eventually(20*time.Second, "four segments are listed", func() error {
		p, err := load(s.hls("cam"))
		if err == nil && len(p.media["720p"].Segments) < 4 {
			err = fmt.Errorf("%d are", len(p.media["720p"].Segments))
		}
		return err
	})
	video := watch(t, s, "cam")
	video.Shown()

	rate, loop := recipe.Complete().Video.Rate, recipe.Frames()
	began := time.Now()
	seen := 0
	for _, height := range []int{360, 720, 480} {
		video.SwitchTo(height, 20*time.Second)
		video.Shown()
		shown := video.Collect(100, 20*time.Second)
		c := browser.CheckShown(shown, rate, loop)
		t.Logf("%dp: %v", height, c)
		if !c.Perfect() {
			t.Errorf("%dp: %v", height, c)
		}
		seen += len(shown)
	}
	start := video.State()
	tools.Eventually(t, 40*time.Second, "thirty seconds of play", func() bool { return time.Since(began) > 30*time.Second })
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
	if end := video.State(); end.Time <= start.Time || end.Error != "" || seen < 300 {
		t.Errorf("after thirty seconds: %+v, %d pictures seen", end, seen)
	}
}

// browserRecovers takes the publisher away and brings it back within hold,
// then kills the worker: the page plays on by itself.
func browserRecovers(t *testing.T) {
	s := serve(t, "")
	clip, _ := tools.Clip(t, "h264-720p30")
	publisher := s.publish("cam", clip)
	s.live("cam", 3)
	video := watch(t, s, "cam")

	publisher.Kill()
	s.eventually(10*time.Second, "the loss is noticed", s.inState("cam", status.Lost))
	s.publish("cam", clip)
	s.eventually(10*time.Second, "the return is noticed", s.inState("cam", status.Live))
	p, err := load(s.hls("cam"))
	if err != nil {
		t.Fatal(err)
	}
	name := path.Dir(p.multi.Variants[0].URI)
	back := newest(p, name)
	s.eventually(20*time.Second, "two segments after the return", func() error {
		p, err := load(s.hls("cam"))
		if err == nil && newest(p, name) < back+2 {
			err = fmt.Errorf("the newest is %d", newest(p, name))
		}
		return err
	})
	video.Playing(20 * time.Second)

	for _, pid := range s.children() {
		kill(t, pid)
	}
	s.eventually(10*time.Second, "the worker is replaced", func() error {
		st, err := s.stream("cam")
		if err == nil && (st.Worker == nil || st.Worker.Restarts == 0) {
			err = fmt.Errorf("not yet")
		}
		return err
	})
	video.Playing(20 * time.Second)
}

// watch opens the player page and waits until it plays.
func watch(t *testing.T, s *server, stream string) *browser.Video {
	t.Helper()
	page := browser.Open(t, s.url("/watch/"+stream))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	return video
}

// newest is the number of the last listed segment.
func newest(p *presentation, name string) uint64 {
	m := p.media[name]
	return m.MediaSequence + uint64(len(m.Segments)) - 1
}

// browserAtTheBeginning has a viewer wait for a stream that then begins: the
// picture moves soon, and goes on moving.
func browserAtTheBeginning(t *testing.T) {
	s := serve(t, `streams: [{path: low}, {path: high, hls: {lowLatency: false}}]`)
	clip, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	for _, path := range []string{"low", "high"} {
		t.Run(path, func(t *testing.T) {
			page := browser.Open(t, s.url("/watch/"+path))
			page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
			video := page.Watch("video")
			begun := time.Now()
			s.publish(path, clip)
			video.Playing(20 * time.Second)
			t.Logf("plays %v after the publisher came", time.Since(begun).Round(100*time.Millisecond))
			start := video.State()
			tools.Eventually(t, 30*time.Second, "eight seconds of play", func() bool { return video.State().Time > start.Time+8 })
			for _, stall := range video.Stalls() {
				t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
			}
		})
	}
}
