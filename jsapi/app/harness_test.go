package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/app"
	"github.com/millrace/millrace/jsapi/host"
	worker "github.com/millrace/millrace/transcode/wire"
)

// TestMain lets the test binary be the app's process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(beWorker())
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func beWorker() int {
	lifeline := worker.NewReader(os.NewFile(child.LifelineFD, "lifeline"), worker.FromLifeline)
	m, err := lifeline.Read()
	if err != nil {
		return worker.ExitUsage
	}
	conn, err := net.FileConn(os.NewFile(child.SocketFD, "socket"))
	if err != nil {
		return worker.ExitUsage
	}
	go func() {
		_, _ = lifeline.Read()
		os.Exit(worker.ExitOrphan)
	}()
	config, _ := m.(*worker.Config)
	return app.Serve(context.Background(), config, conn)
}

// server is what the app stands in, with streams made by hand.
type server struct {
	bus *pipeline.Bus

	mu      sync.Mutex
	streams []status.Stream
	done    []string // what was asked for
	sent    chan pipeline.Message
	said    chan pipeline.Message
}

func (s *server) List() []status.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams
}

func (s *server) Get(path string) (status.Stream, bool) {
	for _, st := range s.List() {
		if st.Path == path {
			return st, true
		}
	}
	return status.Stream{}, false
}

func (s *server) did(what ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, strings.Join(what, " "))
	return nil
}

func (s *server) Kick(path, reason string) error {
	if _, ok := s.Get(path); !ok {
		return status.ErrNotFound
	}
	return s.did("kick", path, reason)
}

func (s *server) Start(path string, o pipeline.Order) error {
	return s.did("start", path, o.Source, o.Ladder, filepath.Base(o.Pipeline))
}

func (s *server) Mark(path string, m status.Marker) (status.Marked, error) {
	if m.ID == "taken" {
		return status.Marked{}, status.ErrMarkerID
	}
	out, out35 := status.Marked{ID: m.ID, Kind: "daterange"}, ""
	if m.SCTE35 != nil {
		out35 = string(m.SCTE35.Out)
	}
	return out, s.did("mark", path, m.ID, m.Start, fmt.Sprint(m.Attributes), string(m.ID3), out35)
}

func (s *server) EndMarker(path, id string, end status.MarkerEnd) (status.Marked, error) {
	return status.Marked{ID: id}, s.did("endMark", path, id, end.End)
}

func (s *server) Caption(path, subtitles string, ask status.Cue) (status.Shown, error) {
	if subtitles == "none" {
		return status.Shown{}, status.ErrNoSubtitles
	}
	return status.Shown{Subtitles: subtitles, Text: ask.Text}, s.did("caption", path, subtitles, ask.Text, ask.Start, ask.Align)
}

func (s *server) Markers(string) ([]status.Marked, error) {
	return []status.Marked{{ID: "a"}}, nil
}

func (s *server) Stop(path string) error { return s.did("stop", path) }
func (s *server) Send(m pipeline.Message) error {
	s.sent <- m
	return nil
}
func (s *server) Events(ctx context.Context) <-chan status.Event { return s.bus.Events(ctx) }

func (s *server) Messages(ctx context.Context) <-chan pipeline.Message {
	out := make(chan pipeline.Message)
	go func() {
		defer close(out)
		for {
			select {
			case m := <-s.said:
				select {
				case out <- m:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// running is an app under test.
type running struct {
	*host.Host
	t      testing.TB
	server *server
	path   string
	log    *logged
}

// logged is a log that tests wait for.
type logged struct {
	mu     sync.Mutex
	text   strings.Builder
	change chan struct{}
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.change)
	l.change = make(chan struct{})
	return l.text.Write(b)
}

// start runs a script as an app.
func start(t testing.TB, script string, change ...func(*host.Options)) *running {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.js")
	write(t, path, script)
	log := &logged{change: make(chan struct{})}
	bus := pipeline.NewBus()
	o := host.Options{
		Command: []string{os.Args[0], "worker"}, Script: path, Env: map[string]string{"KEY": "s3cret"}, Version: "test",
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Tell:   bus.Send, Pause: 10 * time.Millisecond, Poll: 20 * time.Millisecond,
	}
	for _, f := range change {
		f(&o)
	}
	r := &running{
		Host: host.New(o), t: t, path: path, log: log,
		server: &server{bus: bus, sent: make(chan pipeline.Message, 16), said: make(chan pipeline.Message)},
	}
	r.Start(r.server)
	t.Cleanup(r.Close)
	t.Cleanup(func() {
		if t.Failed() {
			log.mu.Lock()
			defer log.mu.Unlock()
			t.Log(log.text.String())
		}
	})
	return r
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// logs waits until the log has a text.
func (r *running) logs(text string) {
	r.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		r.log.mu.Lock()
		found, change := strings.Contains(r.log.text.String(), text), r.log.change
		r.log.mu.Unlock()
		if found {
			return
		}
		select {
		case <-change:
		case <-limit:
			r.t.Fatalf("the log never had %q", text)
		}
	}
}

func (r *running) publish(v pipeline.Visitor) (pipeline.Grant, error) {
	return r.Decide(r.t.Context(), pipeline.AskPublish, v)
}
