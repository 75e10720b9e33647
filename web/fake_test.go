package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Backend that a test sets by hand.
type fake struct {
	mu      sync.Mutex
	streams []status.Stream
	kicked  []string
	ended   []string
	marked  []string

	captioned []string
	handler   http.Handler
	decodes   int
	decode    func(ctx context.Context) ([]byte, error)
	ready     error
	subs      []chan status.Event
	subQueue  int // 0: 16
	licensed  bool
}

func newFake(paths ...string) *fake {
	f := &fake{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "public, max-age=1, s-maxage=2")
		_, _ = io.WriteString(w, "rest="+r.URL.Path+" query="+r.URL.RawQuery)
	})}
	for _, p := range paths {
		f.streams = append(f.streams, status.Stream{Path: p, State: status.Live, Since: time.Unix(1_700_000_000, 0).UTC()})
	}
	return f
}

func (f *fake) List() []status.Stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.streams)
}

func (f *fake) Get(path string) (status.Stream, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.streams {
		if s.Path == path {
			return s, true
		}
	}
	return status.Stream{}, false
}

func (f *fake) Kick(path, reason string) error {
	if _, ok := f.Get(path); !ok {
		return status.ErrNotFound
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kicked = append(f.kicked, path+": "+reason)
	return nil
}

func (f *fake) End(path, reason string) error {
	if _, ok := f.Get(path); !ok {
		return status.ErrNotFound
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, path+": "+reason)
	return nil
}

func (f *fake) Mark(path string, m status.Marker) (status.Marked, error) {
	if _, ok := f.Get(path); !ok {
		return status.Marked{}, status.ErrNotFound
	}
	if m.ID == "taken" {
		return status.Marked{}, fmt.Errorf("%w: no", status.ErrMarkerID)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.marked = append(f.marked, fmt.Sprintf("%s: %s %s %v %v", path, m.ID, m.Start, m.Attributes, m.ID3))
	return status.Marked{Kind: "daterange", ID: m.ID, Class: m.Class}, nil
}

func (f *fake) EndMarker(path, id string, end status.MarkerEnd) (status.Marked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == "gone" {
		return status.Marked{}, status.ErrNoMarker
	}
	f.marked = append(f.marked, fmt.Sprintf("%s: %s ends %s", path, id, end.End))
	return status.Marked{Kind: "daterange", ID: id}, nil
}

func (f *fake) Caption(path, subtitles string, ask status.Cue) (status.Shown, error) {
	if _, ok := f.Get(path); !ok {
		return status.Shown{}, status.ErrNotFound
	}
	if subtitles == "none" {
		return status.Shown{}, status.ErrNoSubtitles
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.captioned = append(f.captioned, fmt.Sprintf("%s %s: %s %s %s", path, subtitles, ask.Start, ask.Text, ask.Align))
	return status.Shown{Subtitles: subtitles, Text: ask.Text}, nil
}

func (f *fake) Markers(path string) ([]status.Marked, error) {
	if _, ok := f.Get(path); !ok {
		return nil, status.ErrNotFound
	}
	return []status.Marked{{Kind: "daterange", ID: "a"}}, nil
}

func (f *fake) Playback(urlPath string) (Playback, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	best := ""
	for _, s := range f.streams {
		if (urlPath == s.Path || strings.HasPrefix(urlPath, s.Path+"/")) && len(s.Path) > len(best) {
			best = s.Path
		}
	}
	return Playback{Path: best, Handler: f.handler, Target: 3 * time.Second, Licensed: f.licensed}, best != ""
}

func (f *fake) Thumbnail(ctx context.Context, _ string) ([]byte, error) {
	f.mu.Lock()
	f.decodes++
	decode := f.decode
	f.mu.Unlock()
	if decode != nil {
		return decode(ctx)
	}
	return []byte("\xff\xd8jpeg"), nil
}

func (f *fake) Events(ctx context.Context) <-chan status.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := f.subQueue
	if size == 0 {
		size = 16
	}
	ch := make(chan status.Event, size)
	f.subs = append(f.subs, ch)
	context.AfterFunc(ctx, func() { f.closeSub(ch) })
	return ch
}

func (f *fake) closeSub(ch chan status.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.subs, ch); i >= 0 {
		f.subs = slices.Delete(f.subs, i, i+1)
		close(ch)
	}
}

// emit sends an event as the contract says: never blocking.
func (f *fake) emit(e status.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.subs) - 1; i >= 0; i-- {
		select {
		case f.subs[i] <- e:
		default:
			close(f.subs[i])
			f.subs = slices.Delete(f.subs, i, i+1)
		}
	}
}

func (f *fake) subscribers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.subs)
}

func (f *fake) Ready() error { return f.ready }

// newTestServer makes a server that is shut down when the test ends.
func newTestServer(t testing.TB, f *fake, change ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Listen: "127.0.0.1:0", Backend: f, RTSP: ":8554", Version: "test", Metrics: prometheus.NewRegistry(),
		Logger: slog.New(slog.DiscardHandler), DrainTimeout: 200 * time.Millisecond,
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start makes the server listen for real and returns its address.
func start(t testing.TB, s *Server) string {
	t.Helper()
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr().String()
}

// local is a request from this machine; edit changes it.
func local(method, target string, edit ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8080"
	for _, e := range edit {
		e(r)
	}
	return r
}

func remote(r *http.Request) { r.RemoteAddr, r.Host = "192.0.2.1:40000", "media.example:8080" }

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func do(s http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// eventually waits for a condition, failing the test after 5 s.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
