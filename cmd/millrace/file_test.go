package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
	"github.com/millrace/millrace/transcode"
)

// finished runs the program to its end.
func finished(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	r := start(t, nil, args...)
	code = r.ends(time.Minute)
	return code, r.out.String(), r.errs.String()
}

func TestProbe(t *testing.T) {
	film, recipe := tools.Clip(t, "h264-29.97")
	code, out, errs := finished(t, "probe", film)
	if code != exitDone || errs != "" {
		t.Fatal(code, errs)
	}
	got := regexp.MustCompile(`[\d.]+ [kM]bit/s`).ReplaceAllString(strings.ReplaceAll(out, film, "FILM"), "RATE")
	got = regexp.MustCompile(`[\d.]+ [kM]B`).ReplaceAllString(got, "SIZE")
	want := `FILM  mov  0:06.0  RATE  SIZE
  #0  video  h264  High  640x360  29.97 fps  B-frames  RATE
  #1  audio  aac   LC  48000 Hz  stereo  RATE
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	code, out, _ = finished(t, "probe", "--json", film)
	var info transcode.Info
	if err := json.Unmarshal([]byte(out), &info); err != nil || code != exitDone {
		t.Fatal(code, err)
	}
	if v := info.Streams[0]; v.Codec != "h264" || v.FrameRate != "30000/1001" || v.Width != recipe.Video.Width && v.Width != 640 {
		t.Errorf("%+v", v)
	}
}

// broken files, by name.
func broken(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	film, _ := tools.Clip(t, "h264-720p30")
	whole, err := os.ReadFile(film)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty.mp4": nil, "cut.mp4": whole[:len(whole)/3], "text.mp4": []byte("hello, this is no film\n"),
		"zeros.mp4": make([]byte, 100_000),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBadInputs(t *testing.T) {
	dir := broken(t)
	for input, want := range map[string]string{
		"none.mp4":  `DIR/none\.mp4: there is no such file`,
		"empty.mp4": `DIR/empty\.mp4 is empty`,
		".":         `DIR is a folder; name a file`,
		"cut.mp4":   `DIR/cut\.mp4: (the input|it) is cut off: .*`,
		"text.mp4":  `DIR/text\.mp4: .*it is no media file, or it is damaged or cut off`,
		"zeros.mp4": `DIR/zeros\.mp4: .*it is no media file, or it is damaged or cut off`,
	} {
		want = "^millrace: " + strings.ReplaceAll(want, "DIR", regexp.QuoteMeta(dir)) + "\n$"
		file, out := filepath.Join(dir, input), filepath.Join(dir, "out")
		for _, args := range [][]string{{"probe", file}, {"transcode", file, out}} {
			code, stdout, stderr := finished(t, args...)
			if code != exitFailed || !regexp.MustCompile(want).MatchString(stderr) || stdout != "" && input != "cut.mp4" {
				t.Errorf("%s: exit %d, stdout %q\ngot  %q\nwant %s", args, code, stdout, stderr, want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Errorf("%s: a folder is left", args)
			}
		}
	}
}

// A password in a URL is never repeated.
func TestSecretsStaySecret(t *testing.T) {
	for _, url := range []string{"rtsp://user:s3cret@127.0.0.1:1/x?key=s3cret", "http://user:s3cret@127.0.0.1:1/x?key=s3cret"} {
		for _, args := range [][]string{{"probe", url}, {"transcode", url, filepath.Join(t.TempDir(), "out")}} {
			code, stdout, stderr := finished(t, args...)
			if code != exitFailed || strings.Contains(stdout+stderr, "s3cret") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "Connection refused") {
				t.Errorf("exit %d: %s", code, stderr)
			}
		}
	}
}

// presentation parses what transcode made, and checks what holds for all.
func presentation(t *testing.T, dir string) map[string]*playlist.Media {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "index.m3u8"))
	if err != nil {
		t.Fatal(err)
	}
	multi, err := playlist.ParseMultivariant(string(text))
	if err != nil {
		t.Fatal(err)
	}
	uris := make(map[string]bool)
	for _, v := range multi.Variants {
		uris[v.URI] = true
	}
	for _, r := range multi.Renditions {
		uris[r.URI] = true
	}
	media := make(map[string]*playlist.Media)
	for uri := range uris {
		text, err := os.ReadFile(filepath.Join(dir, uri))
		if err != nil {
			t.Fatal(err)
		}
		m, err := playlist.ParseMedia(string(text))
		if err != nil {
			t.Fatal(uri, err)
		}
		name := filepath.Dir(uri)
		media[name] = m
		if !strings.Contains(string(text), "#EXT-X-PLAYLIST-TYPE:VOD") || !strings.HasSuffix(string(text), "#EXT-X-ENDLIST\n") {
			t.Errorf("%s is no VOD playlist", uri)
		}
		for _, s := range m.Segments {
			if _, err := os.Stat(filepath.Join(dir, name, s.URI)); err != nil {
				t.Error(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "storyboard") })
	if len(entries) != len(media)+1 {
		t.Errorf("there are other things in the folder: %v", entries)
	}
	return media
}

func names[V any](m map[string]V) string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestTranscode(t *testing.T) {
	film, recipe := tools.Clip(t, "h264-720p30")
	dir := filepath.Join(t.TempDir(), "a", "film")
	code, out, errs := finished(t, "transcode", film, dir, "--ladder", "[{codec: copy}, {height: 240, bitrate: 300k}]")
	if code != exitDone || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if !regexp.MustCompile(`^` + regexp.QuoteMeta(dir) + `/index\.m3u8  0:06\.0 in 0:\d\d\.\d, [\d.]+x\n$`).MatchString(out) {
		t.Errorf("it says %q", out)
	}
	media := presentation(t, dir)
	if names(media) != "240p 720p audio" {
		t.Fatal("renditions:", names(media))
	}
	for name, m := range media {
		if len(m.Segments) != 3 {
			t.Errorf("%s has %d segments of 2 s", name, len(m.Segments))
		}
	}
	for i := range 2 {
		r := tools.MustRead(t, time.Minute, filepath.Join(dir, "index.m3u8"), tools.ReadOptions{Video: fmt.Sprintf("0:v:%d", i)})
		if err := r.Check(recipe.Frames()); err != nil {
			t.Errorf("video %d: %v", i, err)
		}
	}

	checkStoryboard(t, dir, media["240p"])

	// The folder is not empty any more.
	code, _, errs = finished(t, "transcode", film, dir, "--ladder", "passthrough")
	if code != exitFailed || errs != "millrace: "+dir+" is not empty; choose another folder, or add --force to replace what is in it\n" {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs = finished(t, "transcode", film, dir, "--ladder", "passthrough", "--force"); code != exitDone {
		t.Errorf("--force: exit %d: %s", code, errs)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 {
		t.Errorf("720p, audio, index.m3u8 and the storyboard should be there: %v, %v", entries, err)
	}
}

// checkStoryboard has each picture of a storyboard show what the film shows when its
// segment begins.
func checkStoryboard(t *testing.T, dir string, m *playlist.Media) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "storyboard.vtt"))
	if err != nil {
		t.Fatal(err)
	}
	cues, err := tools.Storyboard(string(text))
	if err != nil || len(cues) == 0 || cues[0].From != 0 {
		t.Fatalf("%v, %v:\n%s", cues, err, text)
	}
	starts, at := map[time.Duration]bool{}, time.Duration(0)
	for _, s := range m.Segments {
		starts[at] = true
		at += s.Duration
	}
	for i, c := range cues {
		sheet, err := os.ReadFile(filepath.Join(dir, c.Sheet))
		if err != nil {
			t.Fatal(err)
		}
		seen, err := c.Stamp(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if drawn := seen.Wall.Sub(testmedia.Epoch); drawn < c.From || drawn > c.To || i > 0 && drawn != c.From || !starts[drawn] {
			t.Errorf("the picture from %v to %v was drawn at %v", c.From, c.To, drawn)
		}
	}
	if last := cues[len(cues)-1].To; (last - at).Abs() > time.Millisecond {
		t.Errorf("the storyboard lasts %v, the film %v", last, at)
	}
}

// A film whose keyframes are close at its beginning and far apart later is
// encoded from its beginning: nothing in it shows that it was found out late.
func TestTranscodeFilmOfUnevenGOPs(t *testing.T) {
	dir := t.TempDir()
	film, out := filepath.Join(dir, "film.mp4"), filepath.Join(dir, "out")
	encode := tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{
		"-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=14", "-c:v", "libx264", "-preset", "ultrafast",
		"-pix_fmt", "yuv420p", "-g", "500", "-sc_threshold", "0", "-force_key_frames", "0,1,2,3,4,5,6", film,
	}})
	if err := encode.Wait(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := finished(t, "transcode", film, out); code != exitDone || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	media := presentation(t, out)
	if names(media) != "360p" {
		t.Fatal("renditions:", names(media))
	}
	for i, s := range media["360p"].Segments {
		if s.Discontinuities > 0 || s.Gap || s.Duration != 2*time.Second {
			t.Errorf("segment %d: %+v", i, s)
		}
	}
	if n := len(media["360p"].Segments); n != 7 {
		t.Errorf("%d segments", n)
	}
}

func TestTranscodeSettings(t *testing.T) {
	dir := t.TempDir()
	film, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	file := filepath.Join(dir, "m.yaml")
	write(t, file, "streams:\n  - {path: other, ladder: passthrough}\n  - {path: '*', ladder: [{height: 180}], hls: {segment: 4s}}\n")
	ladder := filepath.Join(dir, "ladder.yaml")
	write(t, ladder, "- {name: small, height: 120}\n")
	for _, c := range []struct {
		out, want string
		segments  int
		args      []string
	}{
		{"one", "180p audio", 1, []string{"-c", file}},
		{"other", "360p audio", 2, []string{"-c", file}},
		{"two", "120p audio", 1, []string{"-c", file, "--ladder", "120:100k"}},
		{"three", "audio small", 2, []string{"-c", file, "--ladder", ladder, "--segment", "2s"}},
		{"four", "360p audio", 2, []string{"--ladder", "passthrough"}},
	} {
		out := filepath.Join(dir, c.out)
		code, _, errs := finished(t, append([]string{"transcode", film, out}, c.args...)...)
		if code != exitDone {
			t.Errorf("%s: exit %d: %s", c.out, code, errs)
			continue
		}
		media := presentation(t, out)
		if names(media) != c.want || len(media["audio"].Segments) != c.segments {
			t.Errorf("%s: %s, %d segments; want %s, %d", c.out, names(media), len(media["audio"].Segments), c.want, c.segments)
		}
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, `--ladder:1:1: "fast" is not a ladder; write auto, passthrough or a list`, []string{"--ladder", "fast"}},
		{exitUsage, `millrace: --ladder: there is no file no.yaml`, []string{"--ladder", "no.yaml"}},
		{exitUsage, `millrace: --segment: 1ms is out of range; 500ms to 1m`, []string{"--segment", "1ms"}},
		{exitUsage, `millrace: --segment: expected duration but got "two": time: invalid duration "two"; see millrace help transcode`, []string{"--segment", "two"}},
		{exitFailed, `millrace: encoding to h265 is not in this version`, []string{"--ladder", "[{height: 120, codec: h265}]"}},
	} {
		code, _, errs := finished(t, append([]string{"transcode", film, filepath.Join(dir, "none")}, c.args...)...)
		if code != c.code || errs != c.want+"\n" {
			t.Errorf("%q: exit %d, want %d\ngot  %q\nwant %q", c.args, code, c.code, errs, c.want)
		}
	}
}

func TestTranscodeToNowhere(t *testing.T) {
	film, _ := tools.Clip(t, "h264")
	for out, want := range map[string]string{
		film:         film + ": not a directory",
		film + "/x":  film + "/x: not a directory",
		"/dev/null":  "/dev/null: not a directory",
		"/proc/none": "mkdir /proc/none: ",
	} {
		code, stdout, errs := finished(t, "transcode", film, out, "--ladder", "passthrough")
		if code != exitFailed || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 || stdout != "" {
			t.Errorf("%s: exit %d: %q", out, code, errs)
		}
	}
}

func TestTranscodeInterrupted(t *testing.T) {
	film, _ := tools.Clip(t, "h264-720p30", func(r *testmedia.Recipe) { r.Duration = 30 * time.Second })
	dir := filepath.Join(t.TempDir(), "out")
	r := start(t, nil, "transcode", film, dir, "--ladder", "720:2500k")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if files, _ := filepath.Glob(filepath.Join(dir, ".millrace-*", "*", "*", "*.m4s")); len(files) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no segment was begun")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "index.m3u8")); err == nil {
		t.Error("a playlist is there before the end")
	}
	r.signals <- syscall.SIGTERM
	if code := r.ends(5 * time.Second); code != exitFailed || r.errs.String() != "millrace: stopped by signal: terminated; nothing was written\n" {
		t.Errorf("exit %d: %q", code, r.errs.String())
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder that it made is left")
	}
}

func TestProgressLines(t *testing.T) {
	var text strings.Builder
	begin := time.Now().Add(-10 * time.Second)
	p := &progress{name: "transcode", w: &text, begin: begin, shown: begin}
	p.show(25*time.Second, 100*time.Second)
	p.show(26*time.Second, 100*time.Second) // too soon for another line
	if got := text.String(); got != "transcode:  25%  2.5x  0:29 left\n" && got != "transcode:  25%  2.5x  0:30 left\n" {
		t.Errorf("%q", got)
	}
	if got := p.total(50 * time.Second); got != "1:40.0 in 0:50.0, 2.0x" {
		t.Errorf("%q", got)
	}
	text.Reset()
	unknown := &progress{name: "x", w: &text, begin: begin, shown: begin}
	unknown.show(3661*time.Second, 0)
	if got := text.String(); !strings.HasPrefix(got, "x: 1:01:01.0 done  36") {
		t.Errorf("%q", got)
	}
}

func TestProgressBar(t *testing.T) {
	var text strings.Builder
	w := &world{stderr: &text, errTerminal: true, width: 100}
	p := w.progress("transcode")
	p.begin, p.shown = time.Now().Add(-10*time.Second), time.Time{}
	p.show(50*time.Second, 100*time.Second)
	p.close()
	if got := text.String(); !strings.Contains(got, "50%") || !strings.Contains(got, "5.0x") || !strings.Contains(got, "left") {
		t.Errorf("%q", got)
	}
}
