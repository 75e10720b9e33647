package e2e

import (
	"os/exec"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestTransportStreams plays MPEG-TS segments, with low latency and without,
// with players that are no browsers. What TS cannot carry is encoded.
func TestTransportStreams(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams: [{path: "plain/*", hls: {container: ts, lowLatency: false}}, {path: "*", hls: {container: ts}}]`)
	recipes := s.clips(map[string]string{"cam": "h264-b", "plain/cam": "h264-b", "hevc": "h265", "talk": "opus"})
	for _, path := range []string{"cam", "plain/cam", "hevc"} {
		t.Run("ffmpeg/"+path, func(t *testing.T) {
			checkFFmpeg(t, s.hls(path), recipes[path])
		})
	}
	t.Run("ffmpeg/talk", func(t *testing.T) {
		checkTalk(t, s.hls("talk"))
	})
	t.Run("ffprobe", func(t *testing.T) {
		p := tools.MustProbe(t, s.hls("hevc"))
		if v := p.Find("video"); v == nil || v.Codec != "h264" {
			t.Errorf("HEVC became %+v", v)
		}
	})
	for _, path := range []string{"cam", "plain/cam"} {
		t.Run("check/"+path, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), binary, "check", "--for", "8s", s.hls(path)).CombinedOutput()
			if err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
	t.Run("GStreamer", func(t *testing.T) {
		checkGStreamer(t, s.hls("cam"), recipes["cam"], 125)
	})
	t.Run("VLC", func(t *testing.T) {
		checkVLC(t, s.hls("cam"), recipes["cam"])
	})
}

// browserPlaysTransport is hls.js with MPEG-TS, which it makes fMP4 of itself:
// every picture in its place, and no stall.
func browserPlaysTransport(t *testing.T) {
	s := serve(t, `streams: [{path: "*", ladder: passthrough, hls: {container: ts}}]`)
	clip, recipe := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	s.publish("cam", clip)
	s.live("cam", 1)
	video := watch(t, s, "cam")
	video.Shown()
	c := browser.CheckShown(video.Collect(200, 20*time.Second), recipe.Complete().Video.Rate, recipe.Frames())
	t.Log(c)
	if !c.Perfect() {
		t.Error(c)
	}
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
	if end := video.State(); end.Error != "" {
		t.Errorf("%+v", end)
	}
}
