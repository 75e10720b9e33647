package tools

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/millrace/millrace/testmedia"
)

// programs are those that tests run: the names they go by, and Debian's
// packages that bring them.
var programs = map[string]struct {
	names    []string
	packages string
}{
	"chromium":       {[]string{"chromium", "chromium-browser", "google-chrome"}, "chromium"},
	"gst-launch-1.0": {[]string{"gst-launch-1.0"}, "gstreamer1.0-tools gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav"},
	"cvlc":           {[]string{"cvlc"}, "vlc-bin vlc-plugin-base"},
	"nginx":          {[]string{"nginx"}, "nginx-light"},
	"lame":           {[]string{"lame"}, "lame"},
}

// Lookup finds a program: "ffmpeg", "ffprobe", "chromium", "gst-launch-1.0",
// "cvlc", "nginx" or "lame". The error says how to get it.
func Lookup(program string) (string, error) {
	if program == "ffmpeg" || program == "ffprobe" {
		path, err := testmedia.FFmpeg(program)
		if err != nil {
			return "", fmt.Errorf("look up %s: %w", program, err)
		}
		return path, nil
	}
	p, ok := programs[program]
	if !ok {
		return "", fmt.Errorf("look up %s: tests know no such program", program)
	}
	for _, name := range p.names {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("look up %s: %w", program, err)
		}
	}
	return "", fmt.Errorf("this test needs %s: run `make setup-test`, or install Debian's %s", program, p.packages)
}

// Find is Lookup for tests: a program that is missing fails the test.
func Find(t testing.TB, program string) string {
	t.Helper()
	path, err := Lookup(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Clip returns the file of one of testmedia.Clips, after changes, together
// with its recipe.
func Clip(t testing.TB, name string, changes ...func(*testmedia.Recipe)) (string, testmedia.Recipe) {
	t.Helper()
	r, err := testmedia.Clip(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(&r)
	}
	path, err := r.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return path, r
}
