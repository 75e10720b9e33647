package tspull

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("s3cret")) {
		l.t.Errorf("the log tells a key")
	}
	l.t.Logf("%s", b[:len(b)-1])
	return len(b), nil
}

// pull pulls a source until the test ends.
func pull(t *testing.T, source string) *ingest.Stream {
	t.Helper()
	s := ingest.NewStream("film", ingest.StreamOptions{Hold: -1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Pull(ctx, Config{
			URL: source, ReadTimeout: 2 * time.Second, Retry: ingest.Retry{Backoff: 20 * time.Millisecond, Max: 50 * time.Millisecond},
			Logger: slog.New(slog.NewTextHandler(testLog{t}, nil)),
		}, s)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close(nil)
	})
	return s
}

// film checks that a film comes: pictures a frame apart.
func film(t *testing.T, s *ingest.Stream) {
	t.Helper()
	sub := s.Subscribe(media.SubscribeOptions{Name: "test", Backlog: true})
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	last, uneven := int64(-1), 0
	for n := 0; n < 40; {
		p, err := sub.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if p.Track.Kind != media.Video {
			continue
		}
		if last >= 0 && p.DTS-last != 3600 {
			uneven++
		}
		last = p.DTS
		n++
	}
	if uneven > 1 { // one may be where the clip begins again
		t.Errorf("%d pictures are not a frame behind the one before", uneven)
	}
}

func inState(s *ingest.Stream, want ingest.State) func() bool {
	return func() bool { return s.State() == want }
}

// ffmpeg sends to a port; when it is killed, the source is waited for.
func TestUDP(t *testing.T) {
	address := tools.FreeAddress(t)
	s := pull(t, "udp://"+address)
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	send := func() *tools.Process {
		return tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{
			"-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "mpegts", "udp://" + address + "?pkt_size=1316",
		}})
	}
	first := send()
	film(t, s)
	first.Kill()
	tools.Eventually(t, 20*time.Second, "the silence is noticed", inState(s, ingest.Lost))
	send()
	tools.Eventually(t, 20*time.Second, "it goes on", inState(s, ingest.Live))
}

// counter counts lines of a log.
type counter struct{ n atomic.Int32 }

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(1)
	return len(b), nil
}

// However long nothing comes, a UDP source is listened for again soon.
func TestUDPPause(t *testing.T) {
	s := ingest.NewStream("film", ingest.StreamOptions{Hold: -1})
	defer s.Close(nil)
	ctx, cancel := context.WithCancel(t.Context())
	source := "udp://" + tools.FreeAddress(t)
	var lines counter
	done := make(chan error, 1)
	go func() {
		done <- Pull(ctx, Config{
			URL: source, ReadTimeout: 10 * time.Millisecond,
			Retry:  ingest.Retry{Backoff: 10 * time.Millisecond, Max: time.Hour},
			Logger: slog.New(slog.NewTextHandler(&lines, nil)),
		}, s)
	}()
	// With pauses that double these would take hours.
	tools.Eventually(t, 30*time.Second, "it is listened for again and again", func() bool { return lines.n.Load() > 25 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A server that refuses, then sends, then ends.
func TestHTTP(t *testing.T) {
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		cmd := exec.CommandContext(r.Context(), tools.Find(t, "ffmpeg"), "-v", "error", "-nostdin", "-re", "-i", clip, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", "-")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		flush(w, out)
		_ = cmd.Wait() // it may have been hung up on
	}))
	defer server.Close()
	s := pull(t, server.URL+"/s3cret/live.ts?token=s3cret")
	film(t, s)
	tools.Eventually(t, 20*time.Second, "it comes back", func() bool { return asked.Load() > 2 })
}

// flush passes on what comes, as it comes.
func flush(w http.ResponseWriter, r io.Reader) {
	b := make([]byte, 7*188)
	for {
		n, err := r.Read(b)
		if _, werr := w.Write(b[:n]); err != nil || werr != nil {
			return
		}
		_ = http.NewResponseController(w).Flush() // Write tells
	}
}

// What cannot be opened is told to the stream.
func TestUnavailable(t *testing.T) {
	for _, source := range []string{"http://127.0.0.1:1/a.ts", "udp://198.51.100.1:9"} {
		s := pull(t, source)
		tools.Eventually(t, 20*time.Second, "the reason is told", func() bool { return s.Reason() != nil })
	}
}
