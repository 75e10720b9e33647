package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestRTSPReaders reads streams back by RTSP with what people have: every
// picture comes, in its order, and the sound with it. VLC is not among them:
// Debian builds it without RTSP.
func TestRTSPReaders(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams: [{path: "*", ladder: passthrough}]`)
	recipes := map[string]testmedia.Recipe{}
	for path, clip := range map[string]string{
		"cam": "h264-b", "hevc": "h265-b", "phone": "h264-pcma", "surround": "h264-aac-5.1", "talk": "opus", "vp9": "vp9",
	} {
		file, recipe := tools.Clip(t, clip)
		recipes[path] = recipe
		tools.PublishFFmpeg(t, tools.Publication{Input: file, URL: s.rtspURL(path), Loop: true, Options: []string{"-strict", "experimental"}})
	}
	for path := range recipes {
		s.eventually(20*time.Second, path+" is live", s.inState(path, status.Live))
	}
	for path, transport := range map[string]string{"cam": "tcp", "hevc": "udp", "phone": "tcp", "surround": "udp", "vp9": "tcp"} {
		t.Run("ffmpeg/"+path, func(t *testing.T) {
			r := tools.MustRead(t, 30*time.Second, s.rtspURL(path), tools.ReadOptions{
				Input: []string{"-rtsp_transport", transport}, Length: 5 * time.Second,
			})
			if err := r.Check(recipes[path].Frames()); err != nil {
				t.Error(err)
			}
			checkSkews(t, path, r, 3, maxSkew)
			if gaps := r.SoundGaps(maxSkew); len(gaps) > 0 {
				t.Errorf("holes in the sound: %v", gaps)
			}
		})
	}
	t.Run("ffprobe", func(t *testing.T) {
		for path, want := range map[string]string{
			"cam": "h264 640x360 aac 48000/2", "hevc": "hevc 640x360 aac 48000/2", "phone": "h264 640x360 pcm_alaw 8000/1",
			"surround": "h264 640x360 aac 48000/6", "talk": "opus 48000/2", "vp9": "vp9 640x360 opus 48000/2",
		} {
			for _, transport := range []string{"tcp", "udp"} {
				if got := probed(tools.MustProbe(t, s.rtspURL(path), "-rtsp_transport", transport)); got != want {
					t.Errorf("%s over %s is %q, want %q", path, transport, got, want)
				}
			}
		}
	})
	for _, scheme := range []string{"rtspt", "rtspu"} { // rtspsrc's words for TCP and UDP
		t.Run("GStreamer/"+scheme, func(t *testing.T) {
			checkGStreamer(t, strings.Replace(s.rtspURL("cam"), "rtsp", scheme, 1), recipes["cam"], 75)
		})
	}
}

// TestHLSReaders plays with players that are no browsers.
func TestHLSReaders(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	recipes := s.clips(map[string]string{"cam": "h264-b", "phone": "h264-pcma", "hevc": "h265", "talk": "opus"})
	for _, path := range []string{"cam", "phone", "hevc"} {
		t.Run("ffmpeg/"+path, func(t *testing.T) {
			checkFFmpeg(t, s.hls(path), recipes[path])
		})
	}
	t.Run("ffmpeg/talk", func(t *testing.T) {
		checkTalk(t, s.hls("talk"))
	})
	t.Run("GStreamer", func(t *testing.T) {
		checkGStreamer(t, s.hls("cam"), recipes["cam"], 125)
	})
	t.Run("VLC", func(t *testing.T) {
		checkVLC(t, s.hls("cam"), recipes["cam"])
	})
}

// probed is a line of what ffprobe found.
func probed(p *tools.Probed) string {
	var words []string
	for _, kind := range []string{"video", "audio"} {
		if s := p.Find(kind); s != nil {
			words = append(words, describe(*s))
		}
	}
	return strings.Join(words, " ")
}

// clips publishes a clip for each path and waits until all of them are live.
func (s *server) clips(byPath map[string]string) map[string]testmedia.Recipe {
	s.t.Helper()
	recipes := map[string]testmedia.Recipe{}
	for path, clip := range byPath {
		file, recipe := tools.Clip(s.t, clip)
		recipes[path] = recipe
		s.publish(path, file)
	}
	for path := range recipes {
		s.live(path, 0)
	}
	return recipes
}

// checkFFmpeg has ffmpeg read six seconds: every picture, and the sound with it.
func checkFFmpeg(t testing.TB, url string, recipe testmedia.Recipe) {
	t.Helper()
	r := tools.MustRead(t, 30*time.Second, url, tools.ReadOptions{Length: 6 * time.Second})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	checkSkews(t, url, r, 4, maxSkew)
}

// checkTalk has ffmpeg read six seconds of sound.
func checkTalk(t testing.TB, url string) {
	t.Helper()
	r := tools.MustRead(t, 30*time.Second, url, tools.ReadOptions{Length: 6 * time.Second, NoVideo: true})
	if len(r.Beeps) < 5 {
		t.Errorf("%d beeps in 6 s", len(r.Beeps))
	}
}

// checkGStreamer wants so many pictures in a row.
func checkGStreamer(t testing.TB, url string, recipe testmedia.Recipe, pictures int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	read := func() (*tools.Recording, error) {
		n := 0
		return tools.ReadGStreamer(ctx, url, func(tools.Seen) bool { n++; return n < pictures })
	}
	r, err := read()
	if err != nil && strings.Contains(err.Error(), "not-linked") {
		r, err = read() // its source begins now and then before its decoder is linked, on a busy machine
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// checkVLC has VLC play for some seconds and looks at what it saw. VLC counts
// the seconds from the start of an MPD's Period or of the media's timestamps as
// it finds them, so that it plays for longer where too little was seen. It
// writes at a fixed rate: where the clip begins again, half a picture late
// because its sound is longer, a picture may be lost or come twice.
func checkVLC(t testing.TB, url string, recipe testmedia.Recipe) {
	t.Helper()
	const enough = 75
	var r *tools.Recording
	for seconds := 6; seconds <= 24 && (r == nil || len(r.Pictures) < enough); seconds *= 2 {
		file, p := tools.RecordVLC(t, url, fmt.Sprintf("--run-time=%d", seconds))
		select {
		case <-p.Done():
		case <-time.After(60 * time.Second):
			t.Fatalf("VLC does not stop after %d s of play", seconds)
		}
		if err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		r = tools.MustRead(t, 30*time.Second, file, tools.ReadOptions{NoAudio: true})
	}
	c := testmedia.CheckContinuity(r.Frames(), uint32(recipe.Frames()))
	if c.Lost+c.Doubled > 1+c.Frames/recipe.Frames() || c.Backwards > 0 || r.Unreadable() > 0 || c.Frames < enough {
		t.Errorf("%v, %d unreadable", c, r.Unreadable())
	}
}

func describe(s tools.ProbedStream) string {
	if s.Kind == "video" {
		return fmt.Sprintf("%s %dx%d", s.Codec, s.Width, s.Height)
	}
	return fmt.Sprintf("%s %s/%d", s.Codec, s.SampleRate, s.Channels)
}
