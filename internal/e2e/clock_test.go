package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia/tools"
)

// TestSenderClock publishes with clocks that are an hour and a century off, as
// RTCP sender reports of real tools tell them: where the configuration says so
// PROGRAM-DATE-TIME follows them, in all renditions, and elsewhere it does not.
func TestSenderClock(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "front.js")
	const words = `import { hls } from 'millrace';
export default async function (source) { source.pipe(hls()); }`
	if err := os.WriteFile(script, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, `streams:
  - {path: "theirs/script", clock: sender, pipeline: `+script+`, hls: {window: 60s}}
  - {path: "theirs/*", clock: sender, hls: {window: 60s}}
  - {path: "*", ladder: passthrough}`)
	clip, recipe := tools.Clip(t, "h264-720p30")
	begin := time.Now()
	past := begin.Add(-time.Hour) // its reports relate the time now to RTP times, which wrap
	for _, path := range []string{"theirs/ffmpeg", "theirs/script", "ours"} {
		tools.PublishFFmpeg(t, tools.Publication{
			Input: clip, URL: s.rtspURL(path), Loop: true,
			Options: []string{"-start_time_realtime", strconv.FormatInt(past.UnixMicro(), 10)},
		})
	}
	tools.PublishGStreamer(t, tools.Publication{
		Input: clip, URL: s.rtspURL("theirs/gst"), Sink: []string{"ntp-time-source=running-time"},
	}, recipe)
	for path, zero := range map[string]time.Time{
		"theirs/ffmpeg": past,
		"theirs/script": past,
		"theirs/gst":    time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), // its reports count from the pipeline's start
		"ours":          begin,
	} {
		t.Run(path, func(t *testing.T) {
			var p *presentation
			s.eventually(30*time.Second, "two segments are listed", func() (err error) {
				if p, err = load(s.hls(path)); err != nil {
					return err
				}
				for name, m := range p.media {
					if len(m.Segments) < 2 {
						return fmt.Errorf("%s has %d", name, len(m.Segments))
					}
				}
				return nil
			})
			for name, m := range p.media {
				for i, seg := range m.Segments {
					if off := seg.ProgramDateTime.Sub(zero); off < -2*time.Second || off > 30*time.Second {
						t.Errorf("%s: segment %d is dated %v, expected some time after %v", name, i, seg.ProgramDateTime, zero)
					}
				}
			}
		})
	}
}
