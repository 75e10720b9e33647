package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// contender is a media server under test, ready to be published to.
type contender struct {
	*server
	name       string
	http, rtsp string // host:port
}

// playlist is the URL of a path's multivariant playlist.
func (c *contender) playlist(path string) string {
	if c.name == "mediamtx" {
		return fmt.Sprintf("http://%s/%s/index.m3u8", c.http, path)
	}
	return fmt.Sprintf("http://%s/hls/%s/index.m3u8", c.http, path)
}

// startContender starts a server that packages every path to fMP4 HLS of 2 s
// segments, holding as many as window has; lowLatency is for Millrace alone.
func startContender(ctx context.Context, e *env, name string, window time.Duration, lowLatency bool, stream string) (*contender, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	c := &contender{name: name, http: ports[0], rtsp: ports[1]}
	config := filepath.Join(e.dir, name+".yaml")
	var text, binary string
	var args []string
	switch name {
	case "mediamtx":
		binary, args = e.mediamtx, []string{config}
		text = fmt.Sprintf("logLevel: warn\nrtspTransports: [tcp]\nrtspAddress: %s\nhlsAddress: %s\nhlsAlwaysRemux: yes\nhlsVariant: fmp4\nhlsSegmentCount: %d\nhlsSegmentDuration: 2s\nrtmp: no\nwebrtc: no\nsrt: no\napi: no\nmoq: no\npaths:\n  all_others:\n",
			c.rtsp, c.http, window/(2*time.Second))
	default:
		binary, args = e.millrace, []string{"serve", "-c", config}
		text = fmt.Sprintf("http: {listen: %q}\nrtsp: {listen: %q, transports: [tcp]}\nrtmp: {listen: \"off\"}\nsrt: {listen: \"off\"}\ndata: %q\nstreams:\n  - path: \"*\"\n    hold: 10m\n    hls: {segment: 2s, window: %s, lowLatency: %v}\n    %s\n",
			c.http, c.rtsp, filepath.Join(e.dir, "data"), window, lowLatency, stream)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if c.server, err = startServer(e, name, binary, args...); err != nil {
		return nil, err
	}
	if err := until(ctx, 10*time.Second, func() bool {
		conn, derr := net.Dial("tcp", c.rtsp) //nolint:noctx // loopback, answers at once
		if derr == nil {
			conn.Close()
		}
		return derr == nil
	}); err != nil {
		return nil, fmt.Errorf("%s does not listen: %w\n%s", name, err, c.stop())
	}
	return c, nil
}

// publish loops a clip to a path in real time until the returned stop.
func publish(ctx context.Context, clip, url string) (stop func(), err error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip,
		"-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp", url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}

// firstSegment follows playlists from url down to the first media segment and
// returns its URL and size, or an error while there is none.
func firstSegment(ctx context.Context, url string) (segment string, size int64, err error) {
	for range 3 {
		body, err := get(ctx, url)
		if err != nil {
			return "", 0, err
		}
		if !strings.HasPrefix(string(body), "#EXTM3U") {
			return url, int64(len(body)), nil
		}
		next := ""
		for line := range strings.Lines(string(body)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				next = line
				break
			}
		}
		if next == "" {
			return "", 0, fmt.Errorf("%s lists nothing", url)
		}
		url = url[:strings.LastIndexByte(url, '/')+1] + next
	}
	return "", 0, fmt.Errorf("%s is not a segment", url)
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// until polls a condition until it holds.
func until(ctx context.Context, limit time.Duration, ok func() bool) error {
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v", limit)
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func freePorts(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
