package main

import (
	"context"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// benchClip is one minute of 720p30 with sound.
func benchClip(ctx context.Context) (string, error) { return testmedia.BenchClip().Make(ctx) }

// liveClip is what publishers send: 720p30 at 2.5 Mbit/s with sound and a
// keyframe each two seconds.
func liveClip(ctx context.Context) (string, error) { return gopClip(ctx, 2*time.Second) }

// gopClip is liveClip with keyframes that far apart.
func gopClip(ctx context.Context, gop time.Duration) (string, error) {
	r := testmedia.Recipe{
		Name: "live", Duration: 20 * time.Second, Audio: &testmedia.AudioRecipe{Codec: "aac"},
		Video: &testmedia.VideoRecipe{
			Codec: "h264", Width: 1280, Height: 720, Rate: testmedia.FPS30, Bitrate: 2_400_000, Detail: 0.6,
			GOP: int(testmedia.FPS30.Frame(gop)),
		},
	}
	return r.Make(ctx)
}
