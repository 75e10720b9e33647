package tools

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ServeVLC plays a file once, in real time, as an RTSP server that is not
// ours, and returns the URL it is pulled from. Nobody may come late: VLC does
// not wait for readers.
func ServeVLC(t testing.TB, clip string) (url string, p *Process) {
	t.Helper()
	dir := unprivilegedDir(t)
	content, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, filepath.Base(clip))            // the cache may lie where only this user may read
	if err := os.WriteFile(open, content, 0o644); err != nil { //nolint:gosec // for another user
		t.Fatal(err)
	}
	address := FreeAddress(t)
	url = fmt.Sprintf("rtsp://%s/vlc", address)
	p = Start(t, Command{
		Path: Find(t, "cvlc"), Unprivileged: true, Dir: dir, Env: []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir},
		Args: []string{"-I", "dummy", "--no-media-library", "--play-and-exit", "--sout", "#rtp{sdp=" + url + "}", open},
	})
	Listening(t, 20*time.Second, address)
	return url, p
}
