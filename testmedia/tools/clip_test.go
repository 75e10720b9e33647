package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// TestClips makes every ready clip and checks that it is what its recipe says.
func TestClips(t *testing.T) {
	for _, r := range testmedia.Clips() {
		t.Run(r.Name, func(t *testing.T) {
			path, r := Clip(t, r.Name, func(r *testmedia.Recipe) { r.Duration = min(r.Duration, 12*time.Second) })
			probed := MustProbe(t, path, "-show_packets")
			checkVideo(t, r, probed)
			checkAudio(t, r, probed)
			rec := MustRead(t, time.Minute, path, ReadOptions{NoVideo: r.Video == nil, NoAudio: r.Audio == nil})
			if r.Video != nil {
				checkPictures(t, r, rec)
			}
			if r.Audio != nil {
				checkSound(t, r, rec)
			}
		})
	}
}

func checkVideo(t *testing.T, r testmedia.Recipe, p *Probed) {
	t.Helper()
	s := p.Find("video")
	if r.Video == nil {
		if s != nil {
			t.Errorf("has a picture: %+v", s)
		}
		return
	}
	if s == nil {
		t.Fatal("has no picture")
	}
	v := r.Complete().Video
	format := fmt.Sprintf("yuv%sp", v.Chroma)
	if v.BitDepth == 10 {
		format += "10le"
	}
	codec := map[string]string{"h265": "hevc"}[v.Codec]
	if codec == "" {
		codec = v.Codec
	}
	width, height := v.Width, v.Height
	rotation := 0
	if v.Rotation%180 == 90 {
		width, height = height, width
	}
	if v.Rotation != 0 {
		if len(s.SideData) == 0 {
			t.Fatal("is not rotated")
		}
		rotation = (360 - s.SideData[0].Rotation) % 360 // ffprobe counts against the clock
	}
	order := "progressive"
	if v.Interlaced {
		order = "tt"
	}
	got := fmt.Sprint(s.Codec, " ", s.PixelFormat, " ", s.Width, "x", s.Height, " ", rotation, " ", s.FieldOrder, " ", s.SampleAspect)
	want := fmt.Sprint(codec, " ", format, " ", width, "x", height, " ", v.Rotation, " ", order, " ", v.SampleAspectNum, ":", v.SampleAspectDen)
	if got != want {
		t.Errorf("picture is %s, want %s", got, want)
	}
	if (s.ReorderDepth > 0) != (v.BFrames > 0) {
		t.Errorf("reorder depth is %d with %d B-frames", s.ReorderDepth, v.BFrames)
	}
	var keys []int64
	n := int64(0)
	for _, pk := range p.Packets {
		if pk.Stream != s.Index {
			continue
		}
		if pk.Key() {
			keys = append(keys, n)
		}
		n++
	}
	if int(n) != r.Frames() || len(keys) != (r.Frames()+v.GOP-1)/v.GOP {
		t.Errorf("%d packets with keys at %v, want %d with a key each %d", n, keys, r.Frames(), v.GOP)
	}
}

func checkAudio(t *testing.T, r testmedia.Recipe, p *Probed) {
	t.Helper()
	s := p.Find("audio")
	if r.Audio == nil {
		if s != nil {
			t.Errorf("has sound: %+v", s)
		}
		return
	}
	if s == nil {
		t.Fatal("has no sound")
	}
	a := r.Complete().Audio
	codec := map[string]string{"pcma": "pcm_alaw", "pcmu": "pcm_mulaw", "mp2": "mp3"}[a.Codec] // mp4 has one name for all layers
	if codec == "" {
		codec = a.Codec
	}
	if s.Codec != codec || s.SampleRate != fmt.Sprint(a.Rate) || s.Channels != a.Channels {
		t.Errorf("sound is %s at %s Hz with %d channels, want %+v", s.Codec, s.SampleRate, s.Channels, a)
	}
}

func checkPictures(t *testing.T, r testmedia.Recipe, rec *Recording) {
	t.Helper()
	if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() {
		t.Fatalf("%d pictures of %d: %v", len(rec.Pictures), r.Frames(), err)
	}
	v := r.Complete().Video
	if rec.Width != v.Width || rec.Height != v.Height {
		t.Errorf("decoded upright as %dx%d, want %dx%d", rec.Width, rec.Height, v.Width, v.Height)
	}
	for i, s := range rec.Pictures {
		if int(s.Frame) != i || s.Wall.Sub(testmedia.Epoch) != r.PTS(i).Truncate(time.Millisecond) {
			t.Fatalf("picture %d says %v, want the time %v", i, s.Stamp, r.PTS(i))
		}
		if d := s.PTS - r.PTS(i); d.Abs() > 50*time.Microsecond {
			t.Fatalf("picture %d at %v, want %v", i, s.PTS, r.PTS(i))
		}
	}
}

func checkSound(t *testing.T, r testmedia.Recipe, rec *Recording) {
	t.Helper()
	if want := int(r.Complete().Duration/time.Second) - 1; len(rec.Beeps) != want {
		t.Errorf("%d beeps, want %d, all but the first: %v", len(rec.Beeps), want, rec.Beeps)
	}
	for i, b := range rec.Beeps {
		if d := b.PTS - time.Duration(i+1)*time.Second; d.Abs() > 2*time.Millisecond || b.Second != i+1 {
			t.Errorf("beep %d of second %d is at %v, %v too late", i, b.Second, b.PTS, d)
		}
	}
	if gaps := testmedia.FindSilence(rec.PCM, rec.Rate, 1, 5*time.Millisecond); len(gaps) > 1 || len(gaps) == 1 && gaps[0][0] > 30*time.Millisecond && gaps[0][1] < r.Complete().Duration {
		t.Errorf("sound is broken at %v", gaps)
	}
	if r.Video != nil {
		skews := rec.Skews()
		if len(skews) < len(rec.Beeps) {
			t.Errorf("%d beeps could be compared with pictures, of %d", len(skews), len(rec.Beeps))
		}
		for _, s := range skews {
			if s.Abs() > 2*time.Millisecond {
				t.Errorf("sound is %v later than the picture", s)
			}
		}
	}
}

// TestStripSurvivesTranscoding sends clips through what a ladder's lowest
// rungs do to them.
func TestStripSurvivesTranscoding(t *testing.T) {
	for _, c := range []struct {
		clip, filter, rate string
	}{
		{"h264-720p30", "scale=-2:360", "300k"},
		{"h264-720p30", "scale=-2:240", "150k"},
		{"h264-60", "scale=-2:360", "300k"},
		{"h264-portrait", "scale=240:-2", "200k"},
		{"h264-4x3", "scale=trunc(iw*sar/2)*2:ih,scale=-2:240,setsar=1", "150k"},
		{"h264-interlaced", "bwdif=mode=send_frame,scale=-2:360", "300k"},
	} {
		t.Run(c.clip+" "+c.filter, func(t *testing.T) {
			path, r := Clip(t, c.clip)
			out := filepath.Join(t.TempDir(), "out.mp4")
			p := Start(t, Command{Path: Find(t, "ffmpeg"), Args: []string{
				"-v", "error", "-nostdin", "-i", path, "-vf", c.filter, "-c:v", "libx264", "-preset", "veryfast",
				"-b:v", c.rate, "-maxrate", c.rate, "-bufsize", c.rate, "-g", "60", "-c:a", "aac", "-b:a", "64k", out,
			}})
			if err := p.Wait(); err != nil {
				t.Fatal(err)
			}
			rec := MustRead(t, time.Minute, out, ReadOptions{})
			if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() {
				t.Errorf("%d pictures of %d: %v", len(rec.Pictures), r.Frames(), err)
			}
			for _, s := range rec.Skews() {
				if s.Abs() > 3*time.Millisecond {
					t.Errorf("sound is %v later than the picture", s)
				}
			}
			if len(rec.Skews()) < 4 {
				t.Errorf("only %d beeps: %v", len(rec.Skews()), rec.Beeps)
			}
		})
	}
}

func TestClipIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	r := testmedia.Recipe{Name: "short", Duration: time.Second, Video: &testmedia.VideoRecipe{Codec: "h264", Width: 192, Height: 108}, Audio: &testmedia.AudioRecipe{Codec: "aac"}}
	paths := make([]string, 8)
	var wg sync.WaitGroup
	for i := range paths {
		wg.Go(func() {
			var err error
			if paths[i], err = r.MakeIn(t.Context(), dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if paths = slices.Compact(paths); len(paths) != 1 {
		t.Fatalf("paths are %v", paths)
	}
	before, err := os.Stat(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.MakeIn(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(paths[0])
	if err != nil || !os.SameFile(before, after) {
		t.Error("the clip was made again")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".making-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	first, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.MakeIn(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(second)
	if err != nil || !bytes.Equal(first, again) {
		t.Error("the same recipe made another file")
	}
}

func TestClipThatFails(t *testing.T) {
	dir := t.TempDir()
	r := testmedia.Recipe{Name: "impossible", Video: &testmedia.VideoRecipe{Codec: "h264", Preset: "no such preset", Width: 192, Height: 108}}
	if _, err := r.MakeIn(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "preset") {
		t.Errorf("got %v, want what ffmpeg says about the preset", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (testmedia.Recipe{Name: "cancelled", Video: &testmedia.VideoRecipe{Codec: "h264"}}).MakeIn(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.mp4"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
