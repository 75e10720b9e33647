package tools

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/millrace/millrace/testmedia"
)

// FilmFFmpeg feeds a camera's pictures, without sound, to ffmpeg in real time.
// The options say what ffmpeg makes of them; the last one is the file or URL.
// The channel is closed when the camera has ended, which it does with ffmpeg.
func FilmFFmpeg(t testing.TB, c *testmedia.Camera, width, height int, rate testmedia.Rate, options ...string) (*Process, <-chan struct{}) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-hide_banner", "-nostats", "-loglevel", "warning", "-probesize", "32",
		"-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", fmt.Sprintf("%dx%d", width, height), "-framerate", rate.String(), "-i", "pipe:0",
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { // runs after ffmpeg was killed, so that no write blocks
		cancel()
		<-done
	})
	p := Start(t, Command{Path: Find(t, "ffmpeg"), Args: append(args, options...), Stdin: in})
	in.Close()
	go func() { // ends when ffmpeg does: nobody reads the pipe then
		defer close(done)
		defer out.Close()
		_ = c.WriteRaw(ctx, out, nil) // the end of ffmpeg is no fault of the camera's
	}()
	return p, done
}
