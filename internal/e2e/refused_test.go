package e2e

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// Exit codes, as the manual has them.
const (
	failed = 1
	usage  = 2
)

// refused runs the program, which must end by itself, with the given status
// and one line that matches.
func refused(t *testing.T, code int, line string, c tools.Command) {
	t.Helper()
	c.Path = cmp.Or(c.Path, binary)
	p := tools.Start(t, c)
	select {
	case <-p.Done():
	case <-time.After(30 * time.Second):
		t.Fatalf("millrace %q does not end", c.Args)
	}
	out := strings.TrimSuffix(p.Output(), "\n")
	if i := strings.LastIndex(out, "\nmillrace: "); i >= 0 && c.Args[0] == "probe" {
		out = out[i+1:] // behind what it did find
	}
	if p.ExitCode() != code || strings.Contains(out, "\n") || !regexp.MustCompile(line).MatchString(out) {
		t.Errorf("millrace %q: status %d, it says\n%s\nwant status %d and one line with %q", c.Args, p.ExitCode(), out, code, line)
	}
}

// TestServeRefuses starts servers that cannot be.
func TestServeRefuses(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	serve := func(args ...string) tools.Command {
		return tools.Command{Dir: dir, Args: append([]string{
			"serve", "--rtmp", "off", "--srt", "off", "--http", tools.FreeAddress(t), "--rtsp", tools.FreeAddress(t),
		}, args...)}
	}
	for _, c := range []struct {
		name string
		code int
		line string
		args []string
	}{
		{"http port in use", failed, regexp.QuoteMeta(busy) + ".*in use.*choose another", []string{"--http", busy}},
		{"rtsp port in use", failed, regexp.QuoteMeta(busy) + ".*in use.*choose another", []string{"--rtsp", busy}},
		{"not this machine's address", failed, "no such address", []string{"--http", "203.0.113.1:80"}},
		{"no address", usage, "http", []string{"--http", "nonsense"}},
		{"unknown flag", usage, "--htp", []string{"--htp", ":80"}},
		{"no such file", failed, `no file .*none\.yaml`, []string{"-c", filepath.Join(dir, "none.yaml")}},
		{"unknown key", failed, `key\.yaml:1:1: htpp.*"http"`, []string{"-c", file("key.yaml", "htpp: {}\n")}},
		{"wrong type", failed, `type\.yaml:2:\d+: .*takeover`, []string{"-c", file("type.yaml", "streams:\n  - {path: x, takeover: 12}\n")}},
		{"bad value", failed, `value\.yaml:1:\d+: .*segment`, []string{"-c", file("value.yaml", "streams: [{path: x, hls: {segment: 1h}}]\n")}},
		{"no YAML", failed, `yaml\.yaml:\d+`, []string{"-c", file("yaml.yaml", "streams: [}\n")}},
		{"binary", failed, `binary\.yaml`, []string{"-c", file("binary.yaml", "\x00\x01\x02\xff")}},
		{"a folder", failed, regexp.QuoteMeta(dir), []string{"-c", dir}},
		{"certificate that is none", failed, `cert`, []string{"-c", file("tls.yaml", fmt.Sprintf("http: {tls: {cert: %q, key: %q}}\n", file("c.pem", "x"), file("k.pem", "y")))}},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.code, c.line, serve(c.args...)) })
	}
}

// TestFilesRefused gives probe and transcode what is no media, and transcode
// nowhere to put it.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 3 * time.Second })
	whole, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, content := range map[string][]byte{
		"empty.mp4":  nil,
		"text.mp4":   []byte(strings.Repeat("this is no film\n", 1000)),
		"cut.mp4":    whole[:len(whole)/3], // its index stands at the end
		"header.mp4": whole[:40],
	} {
		t.Run(name, func(t *testing.T) {
			in, out := file(name, content), filepath.Join(dir, name+".out")
			refused(t, failed, name, tools.Command{Args: []string{"probe", in}})
			refused(t, failed, name, tools.Command{Args: []string{"transcode", in, out}})
			if _, err := os.Stat(out); err == nil {
				t.Error("it leaves a folder")
			}
		})
	}
	t.Run("output below a file", func(t *testing.T) {
		refused(t, failed, "not a directory", tools.Command{Args: []string{"transcode", clip, filepath.Join(clip, "out")}})
	})
	t.Run("output without rights", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("needs root, to be somebody with less")
		}
		open := filepath.Join(openDir(t), "clip.mp4")
		if err := os.WriteFile(open, whole, 0o644); err != nil { //nolint:gosec // for another user
			t.Fatal(err)
		}
		refused(t, failed, "permission denied", tools.Command{Args: []string{"transcode", open, "/millrace-test-out"}, Unprivileged: true, Dir: "/"})
	})
	t.Run("full disk", func(t *testing.T) {
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=200k"); err != nil {
			t.Skipf("a full disk cannot be had here: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
		for _, ladder := range []string{"passthrough", "240:2M"} {
			refused(t, failed, "the disk is full", tools.Command{Args: []string{"transcode", "--ladder", ladder, clip, filepath.Join(disk, "out")}})
			if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
				t.Errorf("%s: it leaves %v, %v", ladder, left, err)
			}
		}
	})
	t.Run("limited files", func(t *testing.T) {
		prlimit, err := exec.LookPath("prlimit")
		if err != nil {
			t.Skip("prlimit is not installed")
		}
		parent := t.TempDir()
		refused(t, failed, "ulimit -f", tools.Command{Path: prlimit, Args: []string{
			"--fsize=50000", binary, "transcode", "--ladder", "passthrough", clip, filepath.Join(parent, "out"),
		}})
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("it leaves %v, %v", left, err)
		}
	})
}

// openDir is a folder that everybody may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "millrace-open-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	return dir
}
