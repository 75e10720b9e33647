package rtsp

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// fakeGate is the smallest Manager: it lets everybody in who passes check.
type fakeGate struct {
	opts  ingest.StreamOptions
	check func(ingest.Request) error

	attached func(*ingest.Stream) // called for a new stream; may be nil

	mu      sync.Mutex
	streams map[string]*ingest.Stream
}

func (g *fakeGate) Publish(_ context.Context, r ingest.Request, tracks []*media.Track) (*ingest.Publisher, error) {
	if g.check != nil {
		if err := g.check(r); err != nil {
			return nil, err
		}
	}
	if len(tracks) == 0 {
		return nil, ingest.NoTracks(r.Unused)
	}
	g.mu.Lock()
	s := g.streams[r.Path]
	if s != nil {
		if s.State() == ingest.Ended {
			s = nil
		}
	}
	if s == nil {
		s = ingest.NewStream(r.Path, g.opts)
		if g.streams == nil {
			g.streams = map[string]*ingest.Stream{}
		}
		g.streams[r.Path] = s
		if g.attached != nil {
			g.attached(s)
		}
	}
	g.mu.Unlock()
	return s.Attach(ingest.PublisherInfo{Protocol: r.Protocol, Remote: r.Remote, Agent: r.Agent}, tracks)
}

func (g *fakeGate) Read(_ context.Context, r ingest.Request) (*ingest.Stream, error) {
	if g.check != nil {
		if err := g.check(r); err != nil {
			return nil, err
		}
	}
	if s := g.stream(r.Path); s != nil {
		return s, nil
	}
	return nil, ingest.ErrNotFound
}

func (g *fakeGate) stream(path string) *ingest.Stream {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.streams[path]
}

func (g *fakeGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.streams {
		s.Close(nil)
	}
}

// testLog writes the server's log to the test's.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", b[:len(b)-1])
	return len(b), nil
}

// startServer runs a server on free ports for the length of the test.
func startServer(t testing.TB, cfg Config, gate *fakeGate) (*Server, string) {
	t.Helper()
	cfg.Listen, cfg.RTPListen = "127.0.0.1:0", "127.0.0.1:0"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if gate.opts.Logger == nil {
		gate.opts.Logger = cfg.Logger
	}
	s, err := New(cfg, gate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		gate.close()
	})
	return s, "rtsp://" + s.Addr().String()
}

// waitState waits until a stream is there and in a state.
func waitState(t testing.TB, gate *fakeGate, path string, want ingest.State) *ingest.Stream {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if s := gate.stream(path); s != nil {
			changed := s.Changed()
			if s.State() == want {
				return s
			}
			select {
			case <-changed:
			case <-time.After(time.Until(deadline)):
			}
			continue
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s never got %v", path, want)
	return nil
}
