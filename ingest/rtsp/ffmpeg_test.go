package rtsp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// ffmpeg runs the real thing until the test ends or it does.
func ffmpeg(t testing.TB, args ...string) (wait func() error) {
	t.Helper()
	bin, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, append([]string{"-nostdin", "-hide_banner", "-loglevel", "warning"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	var result error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result = cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if out.Len() > 0 {
			t.Logf("ffmpeg: %s", out.Bytes())
		}
	})
	return func() error { <-done; return result }
}

func camera(extra ...string) []string {
	return append([]string{
		"-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
	}, extra...)
}

type probed struct {
	Streams []struct {
		CodecName  string `json:"codec_name"`
		Width      int    `json:"width"`
		SampleRate string `json:"sample_rate"`
	} `json:"streams"`
	Packets []struct {
		Stream int    `json:"stream_index"`
		PTS    int64  `json:"pts"`
		DTS    int64  `json:"dts"`
		Flags  string `json:"flags"`
	} `json:"packets"`
}

func ffprobe(t testing.TB, args ...string) probed {
	t.Helper()
	bin, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("no ffprobe")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, bin, append([]string{"-v", "error", "-of", "json"}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("ffprobe: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var p probed
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// collect reads packets until enough of each kind are there.
func collect(t testing.TB, s *ingest.Stream, video, audio int) (v, a []*media.Packet) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	sub := s.Subscribe(media.SubscribeOptions{Name: "test", Backlog: true})
	defer sub.Close()
	for len(v) < video || len(a) < audio {
		p, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("after %d video and %d audio packets: %v", len(v), len(a), err)
		}
		if p.Track.Kind == media.Video {
			v = append(v, p)
		} else {
			a = append(a, p)
		}
	}
	return v, a
}

func TestFFmpegPublishes(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			gate := &fakeGate{}
			_, url := startServer(t, Config{}, gate)
			ffmpeg(t, camera("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-c:a", "aac",
				"-f", "rtsp", "-rtsp_transport", transport, url+"/live/cam?key=x")...)
			s := waitState(t, gate, "live/cam", ingest.Live)
			video, audio := collect(t, s, 60, 90)
			checkVideo(t, video, 3600)
			for i := range audio[1:] {
				if d := audio[i+1].DTS - audio[i].DTS; d != 1024 {
					t.Errorf("audio frame %d: distance %d", i, d)
				}
			}
			p := ffprobe(t, "-rtsp_transport", transport, "-show_streams", "-show_packets", "-read_intervals", "%+#60", url+"/live/cam")
			if len(p.Streams) != 2 || p.Streams[0].CodecName != "h264" || p.Streams[0].Width != 320 || p.Streams[1].CodecName != "aac" {
				t.Errorf("read back: %+v", p.Streams)
			}
			readSmoothly(t, url+"/live/cam", transport)
		})
	}
}

// readSmoothly decodes two seconds of a stream with ffmpeg and expects every
// picture, one frame apart.
func readSmoothly(t *testing.T, url, transport string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "frames")
	if err := ffmpeg(t, "-rtsp_transport", transport, "-i", url, "-map", "0:v", "-frames:v", "50",
		"-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "framecrc", out)(); err != nil {
		t.Fatal(err)
	}
	frames, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	checkFrames(t, string(frames), 50)
}

// checkFrames reads the output of ffmpeg's framecrc muxer: stream 0 must have
// so many pictures, 3600 ticks apart. ffmpeg sets its zero behind the first
// one, when it has seen that the audio begins earlier.
func checkFrames(t *testing.T, frames string, want int) (streams map[int]int) {
	t.Helper()
	streams = map[int]int{}
	last := int64(0)
	for line := range strings.Lines(frames) {
		var stream int
		var dts, pts int64
		if n, _ := fmt.Sscanf(line, "%d, %d, %d,", &stream, &dts, &pts); n != 3 {
			continue // a comment
		}
		if stream == 0 {
			if streams[0] > 1 && pts-last != 3600 {
				t.Errorf("picture %d: %d ticks after the one before", streams[0], pts-last)
			}
			last = pts
		}
		streams[stream]++
	}
	if streams[0] < want {
		t.Errorf("%d pictures, want %d", streams[0], want)
	}
	return streams
}

// checkVideo expects strictly increasing decode times, no presentation before
// decoding, and presentation times exactly step apart.
func checkVideo(t *testing.T, video []*media.Packet, step int64) {
	t.Helper()
	seen := map[int64]bool{}
	first, last := video[0].PTS, int64(0)
	for i, p := range video {
		if i > 0 && p.DTS <= video[i-1].DTS {
			t.Errorf("picture %d: DTS %d after %d", i, p.DTS, video[i-1].DTS)
		}
		if p.PTS < p.DTS || p.DTS < 0 {
			t.Errorf("picture %d: PTS %d, DTS %d", i, p.PTS, p.DTS)
		}
		if (p.PTS-first)%step != 0 || seen[p.PTS] {
			t.Errorf("picture %d: PTS %d does not fit a step of %d from %d", i, p.PTS, step, first)
		}
		seen[p.PTS] = true
		last = max(last, p.PTS)
	}
	if !video[0].Key {
		t.Error("the first picture is no keyframe")
	}
}

// ffmpeg answers the challenge, as a publisher and as a reader.
func TestFFmpegPassword(t *testing.T) {
	gate := &fakeGate{check: func(r ingest.Request) error {
		if r.Verify == nil || !r.Verify(r.User, "secret") {
			return ingest.ErrUnauthorized
		}
		return nil
	}}
	_, url := startServer(t, Config{}, gate)
	with := func(password string) string { return strings.Replace(url, "://", "://me:"+password+"@", 1) + "/cam" }
	ffmpeg(t, camera("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-f", "rtsp", with("secret"))...)
	waitState(t, gate, "cam", ingest.Live)
	if p := ffprobe(t, "-show_streams", with("secret")); len(p.Streams) != 2 {
		t.Errorf("%+v", p.Streams)
	}
	if err := ffmpeg(t, "-i", with("wrong"), "-frames:v", "1", "-f", "null", "-")(); err == nil {
		t.Error("the wrong password was let in")
	}
}
