package e2e

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// example is the file of an example.
func example(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// piped is a server whose stream cam goes through an example. The variables
// are in its environment, and the script may see them.
func piped(t *testing.T, name string, variables ...string) *server {
	t.Helper()
	var names []string
	for _, v := range variables {
		key, _, _ := strings.Cut(v, "=")
		names = append(names, key)
	}
	config := fmt.Sprintf("env: [%s]\nstreams: [{path: cam, pipeline: %q, hls: {window: 120s}, hold: 60s}]",
		strings.Join(names, ", "), example(t, name))
	return start(t, "127.0.0.1", "serve", config, append([]string{"env"}, variables...)...)
}

// longClip is what cameras of these tests send: 360p, in a loop.
func longClip(t *testing.T) (string, testmedia.Recipe) {
	t.Helper()
	return tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 20 * time.Second })
}

// listed waits until a rendition lists n segments.
func (s *server) listed(path, rendition string, n int) *presentation {
	s.t.Helper()
	var p *presentation
	s.eventually(60*time.Second, fmt.Sprintf("%s lists %d segments of %s", path, n, rendition), func() (err error) {
		if p, err = load(s.hls(path)); err != nil {
			return err
		}
		m := p.media[rendition]
		if m == nil || len(m.Segments) < n {
			err = fmt.Errorf("there are %v", p.names())
		}
		return err
	})
	return p
}

// pictures decodes every nth picture of a file, at the size of a 360p stream.
func pictures(t *testing.T, file string, nth int) []*image.Gray {
	t.Helper()
	const width, height = 640, 360
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tools.Find(t, "ffmpeg"), "-v", "error", "-i", file,
		"-vf", fmt.Sprintf("select=not(mod(n\\,%d)),scale=%d:%d", nth, width, height),
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
	var all []*image.Gray
	for ; len(out) >= width*height; out = out[width*height:] {
		all = append(all, &image.Gray{Pix: out[:width*height], Stride: width, Rect: image.Rect(0, 0, width, height)})
	}
	return all
}

// letters counts the pixels of a region that are as bright as burnt-in text
// and lie on the darkened box behind it.
func letters(img *image.Gray, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if img.GrayAt(x, y).Y > 200 {
				n++
			}
		}
	}
	return n
}

// mean is the mean brightness of a region.
func mean(img *image.Gray, r image.Rectangle) int {
	sum := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			sum += int(img.GrayAt(x, y).Y)
		}
	}
	return sum / (r.Dx() * r.Dy())
}

// differ counts the pixels of a region that are letters in one picture only.
func differ(a, b *image.Gray, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if (a.GrayAt(x, y).Y > 200) != (b.GrayAt(x, y).Y > 200) {
				n++
			}
		}
	}
	return n
}

// TestExampleWatermark sees a text and a clock that runs in the picture, and
// that nothing else of it has changed.
func TestExampleWatermark(t *testing.T) {
	t.Parallel()
	s := piped(t, "watermark.js", "WATERMARK=it's 100%: [Mill pond]")
	clip, recipe := longClip(t)
	s.publish("cam", clip)
	p := s.listed("cam", "360p", 3)
	text, clock := image.Rect(10, 310, 330, 350), image.Rect(470, 310, 635, 350)
	files := p.save(t, "360p")
	second := int(recipe.Complete().Video.Rate.Frame(time.Second))
	marked := pictures(t, files[0], second)
	for i, img := range marked {
		if letters(img, text) < 300 || letters(img, clock) < 150 {
			t.Errorf("second %d: %d pixels of the text, %d of the clock", i, letters(img, text), letters(img, clock))
		}
	}
	// The first pictures may have come all at once.
	first, last := marked[0], marked[len(marked)-1]
	if ran, stood := differ(first, last, clock), differ(first, last, text); ran < 15 || stood > letters(last, text)/3 {
		t.Errorf("%d pixels of the clock have changed, and %d of the text", ran, stood)
	}
	if plain := pictures(t, clip, second)[1]; letters(plain, text)+letters(plain, clock) > 200 {
		t.Errorf("the clip has %d pixels that pass for letters", letters(plain, text)+letters(plain, clock))
	}
	r, _ := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	checkSkews(t, "watermark", r, 2, maxSkew)
}

// TestExampleMotion finds pictures of what moved in a folder.
func TestExampleMotion(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "motion")
	s := piped(t, "motion-snapshots.js", "SNAPSHOTS="+folder)
	clip, _ := longClip(t)
	s.publish("cam", clip)
	var shots []string
	s.eventually(40*time.Second, "three pictures were saved", func() (err error) {
		if shots, err = filepath.Glob(filepath.Join(folder, "cam-*.jpg")); err == nil && len(shots) < 3 {
			err = fmt.Errorf("%d were", len(shots))
		}
		return err
	})
	f, err := os.Open(shots[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil || img.Bounds().Dx() != 640 {
		t.Fatalf("%s: %v, %v", shots[0], img.Bounds(), err)
	}
	if _, err := testmedia.DecodeStrip(img, img.Bounds()); err != nil {
		t.Errorf("the picture is not the camera's: %v", err)
	}
	s.live("cam", 1)
}

// TestExampleSilence says a word on a socket, and hears nothing any more until
// another one.
func TestExampleSilence(t *testing.T) {
	t.Parallel()
	moderator, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer moderator.Close()
	s := piped(t, "silence-keyword.js", "KEYWORDS="+moderator.Addr().String())
	clip, _ := longClip(t)
	s.publish("cam", clip)
	conn, err := moderator.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i, word := range []string{"mute", "unmute", ""} {
		s.listed("cam", "audio", 3*(i+1))
		fmt.Fprintln(conn, word)
	}
	p := s.listed("cam", "audio", 9)
	var heard []time.Duration
	for _, file := range p.save(t, "audio") {
		for _, b := range tools.MustRead(t, time.Minute, file, tools.ReadOptions{NoVideo: true}).Beeps {
			heard = append(heard, b.PTS)
		}
	}
	longest := time.Duration(0)
	for i := 1; i < len(heard); i++ {
		longest = max(longest, heard[i]-heard[i-1])
	}
	if len(heard) < 5 || longest < 3*time.Second || longest > 12*time.Second {
		t.Errorf("the beep of each second was heard at %v", heard)
	}
}

// TestExampleDrop finds no sound in what is served.
func TestExampleDrop(t *testing.T) {
	t.Parallel()
	s := piped(t, "drop-track.js")
	clip, recipe := longClip(t)
	s.publish("cam", clip)
	p := s.listed("cam", "360p", 3)
	for _, v := range p.multi.Variants {
		if len(p.multi.Renditions) > 0 || strings.Contains(v.Codecs, "mp4a") {
			t.Errorf("%s has sound: %v", v.URI, v.Codecs)
		}
	}
	r, _ := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
}

// TestExampleRestream finds the stream on a second server, too.
func TestExampleRestream(t *testing.T) {
	t.Parallel()
	second := serve(t, "")
	address := tools.FreeAddress(t)
	s := piped(t, "restream.js", "RESTREAM=http://"+address+"/cam")
	tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{
		"-nostdin", "-v", "warning", "-listen", "1", "-i", "http://" + address + "/cam", "-c", "copy", "-f", "rtsp", second.rtspURL("copy"),
	}})
	clip, recipe := longClip(t)
	s.publish("cam", clip)
	s.live("cam", 1)
	p := second.listed("copy", "360p", 3)
	r, _ := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	if len(r.Beeps) == 0 {
		t.Error("the second server has no sound")
	}
}

// TestExampleRestreamRung finds one rung on a second server, and all of them
// here.
func TestExampleRestreamRung(t *testing.T) {
	t.Parallel()
	second := serve(t, "")
	address := tools.FreeAddress(t)
	s := piped(t, "restream-rung.js", "RESTREAM=http://"+address+"/cam", "RUNG=180p")
	tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{
		"-nostdin", "-v", "warning", "-listen", "1", "-i", "http://" + address + "/cam", "-c", "copy", "-f", "rtsp", second.rtspURL("copy"),
	}})
	clip, recipe := longClip(t)
	s.publish("cam", clip)
	s.live("cam", 2)
	p := second.listed("copy", "180p", 3)
	r, _ := p.decode(t, p.multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	if p.media["360p"] != nil || len(r.Beeps) == 0 {
		t.Errorf("the second server has %d playlists, and %d beeps", len(p.media), len(r.Beeps))
	}
	here := s.listed("cam", "360p", 3)
	here.checkAligned(t, frame30)
}

// TestExampleTranscode makes a small file of a large one and reads how far it
// is.
func TestExampleTranscode(t *testing.T) {
	t.Parallel()
	clip, recipe := tools.Clip(t, "h264-720p30")
	small := filepath.Join(t.TempDir(), "small.mp4")
	cmd := exec.CommandContext(t.Context(), binary, "run", example(t, "transcode-progress.js"), clip, small)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	last, steps := -1, 0
	for _, part := range strings.Split(string(said), "\r") {
		percent, _, ok := strings.Cut(strings.TrimSpace(part), " %")
		if n, err := strconv.Atoi(percent); ok && err == nil {
			if n <= last && n < 100 {
				t.Errorf("progress went from %d to %d %%", last, n)
			}
			last = n
			steps++
		}
	}
	if last != 100 || steps < 20 {
		t.Errorf("progress ended at %d %%: %s", last, said)
	}
	r := tools.MustRead(t, time.Minute, small, tools.ReadOptions{})
	if err := r.Check(recipe.Frames()); err != nil {
		t.Error(err)
	}
	if len(r.Beeps) < 4 {
		t.Errorf("%d beeps are in it", len(r.Beeps))
	}
	if r.Height != 360 {
		t.Errorf("it is %d x %d", r.Width, r.Height)
	}
}

// TestExampleSlate pulls the camera's plug, sees the slate, and the camera
// again, in the same playlists.
func TestExampleSlate(t *testing.T) {
	t.Parallel()
	s := piped(t, "slate.js")
	clip, _ := longClip(t)
	camera := s.publish("cam", clip)
	s.listed("cam", "360p", 3)
	camera.Kill()
	s.eventually(20*time.Second, "the camera is missed", s.inState("cam", status.Lost))
	middle := image.Rect(140, 150, 500, 210)
	newest := func() *image.Gray {
		p := s.listed("cam", "360p", 1)
		files := p.save(t, "360p")
		all := pictures(t, files[len(files)-1], 1)
		if len(all) == 0 {
			t.Fatal("there are no pictures")
		}
		return all[len(all)-1]
	}
	whole := image.Rect(0, 0, 640, 360)
	s.eventually(30*time.Second, "the slate is shown", func() error {
		if img := newest(); letters(img, middle) < 500 || letters(img, whole)-letters(img, middle) > 500 {
			return fmt.Errorf("%d bright pixels in the middle, %d elsewhere", letters(img, middle), letters(img, whole)-letters(img, middle))
		}
		return nil
	})
	s.publish("cam", clip)
	s.eventually(30*time.Second, "the camera is back", func() error {
		img := newest()
		if _, err := testmedia.DecodeStrip(img, img.Bounds()); err != nil {
			return err
		}
		if n := mean(img, whole); n < 40 {
			return fmt.Errorf("the picture is dark: %d", n)
		}
		return nil
	})
}
