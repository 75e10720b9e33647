package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia/tools"
)

// binary is the server under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "millrace-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // some tests run it as somebody else
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "millrace")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "github.com/millrace/millrace/cmd/millrace")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server under test: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// server is a running `millrace serve`.
type server struct {
	*tools.Process
	t    *testing.T
	http string // host:port
	rtsp string // host:port
	srt  string // host:port
	dir  string // its configuration file and data are here
}

// serve starts a server with what the configuration is to say besides its
// listeners, and waits until it is ready. At the end of the test it is asked
// to stop, and must do so cleanly.
func serve(t *testing.T, config string) *server {
	t.Helper()
	return serveOn(t, "127.0.0.1", config)
}

// serveOn is serve on another address of this machine.
func serveOn(t *testing.T, host, config string) *server {
	t.Helper()
	return start(t, host, "serve", config)
}

// start runs one of the commands with a server in it, by way of another
// program where one is named, such as taskset.
func start(t *testing.T, host, command, config string, by ...string) *server {
	t.Helper()
	at := func() string { return net.JoinHostPort(host, strconv.Itoa(tools.FreePort(t))) }
	s := &server{t: t, http: at(), rtsp: at(), srt: at(), dir: t.TempDir()}
	s.configure(config)
	line := append(by, binary, command, "-c", s.configFile())
	s.Process = tools.Start(t, tools.Command{Path: line[0], Args: line[1:]})
	t.Cleanup(func() {
		if !s.Running() {
			return
		}
		if err := s.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		select {
		case <-s.Done():
			if code := s.ExitCode(); code != 0 {
				t.Errorf("the server ended with status %d", code)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server does not stop within 10 s of SIGTERM")
		}
	})
	s.eventually(10*time.Second, "the server is ready", func() error {
		_, err := s.get("/readyz")
		return err
	})
	return s
}

func (s *server) configFile() string { return filepath.Join(s.dir, "millrace.yaml") }

// configure writes the configuration file.
func (s *server) configure(config string) {
	s.t.Helper()
	text := fmt.Sprintf("http: {listen: %q}\nrtsp: {listen: %q}\nrtmp: {listen: \"off\"}\nsrt: {listen: %q}\ndata: %q\n%s\n",
		s.http, s.rtsp, s.srt, filepath.Join(s.dir, "data"), config)
	if err := os.WriteFile(s.configFile(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) url(path string) string { return "http://" + s.http + path }

func (s *server) hls(path string) string { return s.url("/hls/" + path + "/index.m3u8") }

func (s *server) dash(path string) string { return s.url("/dash/" + path + "/manifest.mpd") }

func (s *server) rtspURL(path string) string { return "rtsp://" + s.rtsp + "/" + path }

func (s *server) srtURL(path string) string { return "srt://" + s.srt + "?streamid=publish:" + path }

// publish loops a clip with ffmpeg, as it is.
func (s *server) publish(path, clip string) *tools.Process {
	s.t.Helper()
	return tools.PublishFFmpeg(s.t, tools.Publication{Input: clip, URL: s.rtspURL(path), Loop: true})
}

// get fetches a path of the server; any status but 200 is an error.
func (s *server) get(path string) ([]byte, error) { return fetch(s.url(path)) }

func fetch(url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &statusError{resp.StatusCode, url}
	}
	return body, err
}

type statusError struct {
	code int
	url  string
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: status %d", e.url, e.code) }

func isStatus(err error, code int) bool {
	var e *statusError
	return errors.As(err, &e) && e.code == code
}

// stream asks the API for one stream.
func (s *server) stream(path string) (status.Stream, error) {
	var st status.Stream
	body, err := s.get("/api/v1/streams/" + path)
	if err == nil {
		err = json.Unmarshal(body, &st)
	}
	return st, err
}

// live waits until the stream's multivariant playlist lists n variants (0: any
// number), and all renditions have a whole segment.
func (s *server) live(path string, variants int) *presentation {
	s.t.Helper()
	var p *presentation
	s.eventually(20*time.Second, fmt.Sprintf("%s is live in %d variants", path, variants), func() (err error) {
		p, err = load(s.hls(path))
		if err == nil && variants > 0 && len(p.multi.Variants) != variants {
			err = fmt.Errorf("it has %d", len(p.multi.Variants))
		}
		if err != nil {
			return err
		}
		for name, m := range p.media {
			if len(m.Segments) == 0 {
				return fmt.Errorf("%s has no segment yet", name)
			}
		}
		return nil
	})
	return p
}

// children lists the server's child processes.
func (s *server) children() []int {
	s.t.Helper()
	u, err := tools.UsageOf(s.PID())
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Children
}

// eventually polls until the condition has no error, and fails the test at
// once when the server is gone.
func (s *server) eventually(within time.Duration, what string, condition func() error) {
	s.t.Helper()
	var err error
	deadline := time.Now().Add(within)
	for {
		if s.Process != nil && !s.Running() {
			s.t.Fatalf("the server is gone, status %d; waited until %s", s.ExitCode(), what)
		}
		if err = condition(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %v until %s: %v", within, what, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}
