package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
)

func TestThumbnailIsDecodedOncePerFiveSeconds(t *testing.T) {
	f := newFake("demo", "cam/front")
	s := newTestServer(t, f)
	now := time.Now()
	s.thumbs.now = func() time.Time { return now }
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if w := do(s, local("GET", "/thumb/demo.jpg", remote)); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
				t.Error(w.Code)
			}
		})
	}
	wg.Wait()
	if f.decodes != 1 {
		t.Fatalf("%d decodes for 50 viewers", f.decodes)
	}
	w := do(s, local("GET", "/thumb/demo.jpg"))
	etag := w.Header().Get("ETag")
	if known := do(s, local("GET", "/thumb/demo.jpg", header("If-None-Match", "W/"+etag))); known.Code != http.StatusNotModified || known.Body.Len() != 0 {
		t.Errorf("known picture: %d", known.Code)
	}
	if got := w.Header().Get("Cache-Control"); got != "public, max-age=5" {
		t.Error(got)
	}
	now = now.Add(thumbAge + time.Millisecond)
	do(s, local("GET", "/thumb/demo.jpg"))
	if f.decodes != 2 {
		t.Errorf("%d decodes after 5 s", f.decodes)
	}
	if w := do(s, local("GET", "/thumb/cam/front.jpg")); w.Code != 200 || f.decodes != 3 {
		t.Error(w.Code, f.decodes)
	}
}

func TestThumbnailErrors(t *testing.T) {
	f := newFake("demo")
	s := newTestServer(t, f)
	now := time.Now()
	s.thumbs.now = func() time.Time { return now }
	for _, c := range []struct {
		err  error
		want int
	}{{status.ErrNoPicture, 404}, {status.ErrNotFound, 404}, {errors.New("secret /path"), 500}} {
		f.decode = func(context.Context) ([]byte, error) { return nil, c.err }
		now = now.Add(time.Minute)
		w := do(s, local("GET", "/thumb/demo.jpg"))
		if w.Code != c.want {
			t.Errorf("%v: %d", c.err, w.Code)
		}
		if c.want == 500 && w.Body.String() != "something went wrong in the server (the server's log says what)\n" {
			t.Errorf("tells too much: %s", w.Body)
		}
	}
	n := f.decodes
	do(s, local("GET", "/thumb/demo.jpg"))
	if f.decodes != n {
		t.Error("a broken picture is tried at each request")
	}
	for target, want := range map[string]int{
		"/thumb/none.jpg": 404, "/thumb/demo.png": 404, "/thumb/demo": 404, "/thumb/..%2fdemo.jpg": 400, "/thumb/.jpg": 404, "/thumb/a//b.jpg": 400,
	} {
		if w := do(s, local("GET", target)); w.Code != want {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if f.decodes != n {
		t.Error("decoded for nothing")
	}
}

func TestThumbnailOutlivesTheViewerWhoAsked(t *testing.T) {
	f := newFake("demo")
	release := make(chan struct{})
	f.decode = func(ctx context.Context) ([]byte, error) {
		select {
		case <-release:
			return []byte("jpeg"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s := newTestServer(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		do(s, local("GET", "/thumb/demo.jpg").WithContext(ctx))
	}()
	eventually(t, "decoding", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.decodes == 1 })
	cancel()
	<-gone
	close(release)
	if w := do(s, local("GET", "/thumb/demo.jpg")); w.Code != 200 || f.decodes != 1 {
		t.Error(w.Code, f.decodes)
	}
}

func TestThumbnailsAreForgotten(t *testing.T) {
	f := newFake("a", "b")
	s := newTestServer(t, f)
	now := time.Now()
	s.thumbs.now = func() time.Time { return now }
	do(s, local("GET", "/thumb/a.jpg"))
	now = now.Add(2 * thumbKeep)
	do(s, local("GET", "/thumb/b.jpg"))
	if len(s.thumbs.kept) != 1 {
		t.Error(len(s.thumbs.kept))
	}
}

func TestShutdownStopsDecoding(t *testing.T) {
	f := newFake("demo")
	f.decode = func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
	s := newTestServer(t, f)
	answered := make(chan int, 1)
	go func() { answered <- do(s, local("GET", "/thumb/demo.jpg")).Code }()
	eventually(t, "decoding", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.decodes == 1 })
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := <-answered; code != 500 {
		t.Error(code)
	}
}
