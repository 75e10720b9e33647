package e2e

import (
	"bytes"
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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
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
	t    *testing.T
	cmd  *exec.Cmd
	http string // host:port
	rtsp string // host:port
	log  *lockedBuffer
	done chan struct{}
}

// serve starts a server with the given streams section and whatever else the
// configuration is to say, and waits until it is ready. It is stopped, and
// must stop cleanly, at the end of the test.
func serve(t *testing.T, config string) *server {
	t.Helper()
	s := &server{t: t, http: freeAddr(t), rtsp: freeAddr(t), log: &lockedBuffer{}, done: make(chan struct{})}
	dir := t.TempDir()
	file := filepath.Join(dir, "millrace.yaml")
	text := fmt.Sprintf("http: {listen: %q}\nrtsp: {listen: %q}\nrtmp: {listen: \"off\"}\nsrt: {listen: \"off\"}\ndata: %q\n%s\n",
		s.http, s.rtsp, filepath.Join(dir, "data"), config)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(binary, "serve", "-c", file)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var exit error
	go func() {
		exit = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.done:
			if exit != nil {
				t.Errorf("the server ended badly: %v", exit)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server does not stop within 10 s of SIGTERM")
			_ = s.cmd.Process.Kill()
			<-s.done
		}
		if t.Failed() {
			t.Logf("server log:\n%s", s.log.String())
		}
	})
	waitFor(t, 10*time.Second, "the server to be ready", func() error {
		_, err := s.get("/readyz")
		return err
	})
	return s
}

// running fails the test when the server is gone.
func (s *server) running() {
	s.t.Helper()
	select {
	case <-s.done:
		s.t.Fatal("the server is gone")
	default:
	}
}

func (s *server) url(path string) string { return "http://" + s.http + path }

func (s *server) hls(path string) string { return s.url("/hls/" + path + "/index.m3u8") }

func (s *server) publishURL(path string) string { return "rtsp://" + s.rtsp + "/" + path }

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

// live waits until the stream is live and its multivariant playlist is there.
func (s *server) live(path string) {
	s.t.Helper()
	waitFor(s.t, 20*time.Second, path+" to be live", func() error {
		s.running()
		_, err := fetch(s.hls(path))
		return err
	})
}

// workers lists the server's child processes.
func (s *server) workers() []int {
	var pids []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(text)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// waitFor polls until the condition has no error.
func waitFor(t *testing.T, limit time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", limit, what, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
