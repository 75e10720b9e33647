package tools

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
)

func TestPublish(t *testing.T) {
	for _, c := range []struct {
		name, clip, transport string
		gstreamer             bool
	}{
		{name: "ffmpeg over TCP", clip: "h264-b"},
		{name: "ffmpeg over UDP", clip: "h264", transport: "udp"},
		{name: "ffmpeg H.265", clip: "h265"},
		{name: "ffmpeg G.711", clip: "h264-pcma"},
		{name: "ffmpeg sound only", clip: "opus"},
		{name: "GStreamer over TCP", clip: "h264", gstreamer: true},
		{name: "GStreamer over UDP", clip: "h265", gstreamer: true, transport: "udp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, r := Clip(t, c.clip, func(r *testmedia.Recipe) { r.Duration = 3 * time.Second })
			server := newRecorder(t)
			p := Publication{Input: path, URL: server.url, Transport: c.transport}
			start := time.Now()
			var publisher *Process
			if c.gstreamer {
				publisher = PublishGStreamer(t, p, r)
			} else {
				publisher = PublishFFmpeg(t, p)
			}
			// As often as not rtspclientsink does not see the end of its clip.
			if ended := publisher.Ends(10 * time.Second); !ended && !c.gstreamer {
				t.Fatal("the publisher does not come to its end")
			} else if err := publisher.Wait(); ended && err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d < r.Duration-500*time.Millisecond {
				t.Errorf("it took %v: not in real time", d)
			}
			got := server.result(t)
			want := 0
			if r.Video != nil {
				want++
			}
			if r.Audio != nil {
				want++
			}
			if got.tracks != want || len(got.packets) != want {
				t.Fatalf("announced %d tracks and sent %v packets, want %d tracks", got.tracks, got.packets, want)
			}
			if strings.Contains(got.transport, "TCP") == (c.transport == "udp") {
				t.Errorf("transport is %q, want %q", got.transport, c.transport)
			}
			if r.Video != nil && got.marked[0] < r.Frames()*9/10 {
				t.Errorf("%d pictures of %d", got.marked[0], r.Frames())
			}
		})
	}
}

func TestPublishInALoop(t *testing.T) {
	path, _ := Clip(t, "h264-silent", func(r *testmedia.Recipe) { r.Duration = time.Second })
	server := newRecorder(t)
	p := PublishFFmpeg(t, Publication{Input: path, URL: server.url, Loop: true, Codecs: []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"}})
	Eventually(t, time.Minute, "more pictures than the clip has", func() bool { return server.pictures() > 30 })
	p.Kill()
}

func TestReadStopsAtLength(t *testing.T) {
	path, _ := Clip(t, "h264")
	for _, o := range []ReadOptions{{}, {NoAudio: true}} {
		o.Input = []string{"-re", "-stream_loop", "-1"}
		o.Length = 2 * time.Second
		rec := MustRead(t, time.Minute, path, o)
		if len(rec.Pictures) != 50 || rec.Check(0) != nil {
			t.Errorf("%d pictures, %v", len(rec.Pictures), rec.Check(0))
		}
		if o.NoAudio == (len(rec.PCM) == 2*soundRate) {
			t.Errorf("%d samples", len(rec.PCM))
		}
	}
	n := 0
	rec := MustRead(t, time.Minute, path, ReadOptions{Input: []string{"-re", "-stream_loop", "-1"}, Each: func(Seen) bool { n++; return n < 10 }})
	if len(rec.Pictures) < 10 || len(rec.Pictures) > 30 {
		t.Errorf("%d pictures after Each said no", len(rec.Pictures))
	}
}

func TestReadFails(t *testing.T) {
	if _, err := Read(t.Context(), "/no/such/file", ReadOptions{}); err == nil {
		t.Error("read what is not there")
	}
	if _, err := Probe(t.Context(), "/no/such/file"); err == nil {
		t.Error("probed what is not there")
	}
	path, _ := Clip(t, "aac")
	if _, err := Read(t.Context(), path, ReadOptions{}); err == nil {
		t.Error("read pictures of a file without")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := Read(ctx, path, ReadOptions{NoVideo: true, Input: []string{"-re"}}); err == nil {
		t.Error("no word about the time that ran out")
	}
}

func TestCameraThroughFFmpeg(t *testing.T) {
	camera, err := testmedia.NewCamera(testmedia.CameraOptions{
		Picture: testmedia.PictureOptions{Width: 640, Height: 360}, Rate: testmedia.PAL,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "camera.mkv")
	p, done := FilmFFmpeg(t, camera, 640, 360, testmedia.PAL, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-t", "2", out)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	<-done
	rec := MustRead(t, time.Minute, out, ReadOptions{NoAudio: true})
	if err := rec.Check(0); err != nil || len(rec.Pictures) != 50 {
		t.Errorf("%d pictures: %v", len(rec.Pictures), err)
	}
	if age := time.Since(rec.Pictures[0].Wall); age < 0 || age > time.Minute {
		t.Errorf("the first picture is %v old", age)
	}
}

func TestVLC(t *testing.T) {
	path, r := Clip(t, "h264")
	open := filepath.Join(unprivilegedDir(t), "clip.mp4") // VLC does not run as root
	clip, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(open, clip, 0o644); err != nil {
		t.Fatal(err)
	}
	file, p := RecordVLC(t, open)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	rec := MustRead(t, time.Minute, file, ReadOptions{NoAudio: true})
	if err := rec.Check(0); err != nil || len(rec.Pictures) < r.Frames()-5 {
		t.Errorf("%d pictures of %d: %v", len(rec.Pictures), r.Frames(), err)
	}
}

func TestGStreamer(t *testing.T) {
	path, r := Clip(t, "h264")
	rec, err := ReadGStreamer(t.Context(), "file://"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() || rec.Width != 640 {
		t.Errorf("%d pictures of %d: %v", len(rec.Pictures), r.Frames(), err)
	}
	n := 0
	if _, err := ReadGStreamer(t.Context(), "file://"+path, func(Seen) bool { n++; return n < 5 }); err != nil || n != 5 {
		t.Errorf("stopped after %d: %v", n, err)
	}
	if _, err := ReadGStreamer(t.Context(), "file:///no/such/file", nil); err == nil {
		t.Error("read what is not there")
	}
}
