package web

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/millrace/millrace/internal/status"
)

const (
	thumbAge     = 5 * time.Second // a stream is decoded at most once in this time
	thumbRetry   = time.Second     // after an error
	thumbTimeout = 10 * time.Second
	thumbKeep    = time.Minute // pictures nobody asked for are let go after this
)

// thumbs keeps the newest picture of each stream that somebody looks at, so
// that a thousand viewers cost one decode.
type thumbs struct {
	s    *Server
	now  func() time.Time
	mu   sync.Mutex
	kept map[string]*picture
}

// picture is one decode: done closes when data and err are there.
type picture struct {
	done   chan struct{}
	expire time.Time // zero while decoding
	asked  time.Time
	data   []byte
	etag   string
	err    error
}

func newThumbs(s *Server) *thumbs {
	return &thumbs{s: s, now: time.Now, kept: map[string]*picture{}}
}

// get returns a picture not older than thumbAge, waiting for it if need be.
func (t *thumbs) get(ctx context.Context, path string) (*picture, error) {
	t.mu.Lock()
	now := t.now()
	p := t.kept[path]
	if p == nil || !p.expire.IsZero() && now.After(p.expire) {
		if !t.s.begin() {
			t.mu.Unlock()
			return nil, problem(http.StatusServiceUnavailable, "shutting_down", "the server is shutting down", "")
		}
		t.forget(now)
		p = &picture{done: make(chan struct{})}
		t.kept[path] = p
		// Not only on behalf of this viewer, who may leave: others wait too.
		go t.decode(context.WithoutCancel(ctx), path, p)
	}
	p.asked = now
	t.mu.Unlock()
	select {
	case <-p.done:
		return p, p.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for picture: %w", ctx.Err())
	}
}

// decode runs in a goroutine of its own, which Shutdown waits for.
func (t *thumbs) decode(ctx context.Context, path string, p *picture) {
	defer t.s.work.Done()
	ctx, cancel := context.WithTimeout(ctx, thumbTimeout)
	defer cancel()
	defer context.AfterFunc(t.s.alive, cancel)() //nolint:contextcheck // the server ends, whoever asked
	data, err := t.s.cfg.Backend.Thumbnail(ctx, path)
	t.mu.Lock()
	defer t.mu.Unlock()
	p.data, p.err = data, err
	p.expire = t.now().Add(thumbAge)
	switch {
	case errors.Is(err, status.ErrNotFound), errors.Is(err, status.ErrNoPicture):
		p.expire = t.now().Add(thumbRetry)
	case err != nil:
		p.err = fmt.Errorf("make thumbnail of %s: %w", path, err)
	default:
		h := fnv.New64a()
		_, _ = h.Write(data) // a hash takes everything
		p.etag = fmt.Sprintf(`"%016x"`, h.Sum64())
	}
	close(p.done)
}

// forget lets go of pictures nobody looks at; the caller holds mu.
func (t *thumbs) forget(now time.Time) {
	for path, p := range t.kept {
		if !p.expire.IsZero() && now.Sub(p.asked) > thumbKeep {
			delete(t.kept, path)
		}
	}
}

// thumb answers /thumb/{path}.jpg to whoever may watch the stream or use the
// API.
func (s *Server) thumb(c echo.Context) error {
	r := c.Request()
	h := c.Response().Header()
	s.allowOrigin(h, r)
	p, refused := mediaPath(r.URL, "/thumb/")
	if refused != nil {
		return refused
	}
	path, ok := strings.CutSuffix(p, ".jpg")
	if !ok {
		return problem(http.StatusNotFound, "not_found", "pictures are named PATH.jpg", "")
	}
	_, exists := s.cfg.Backend.Get(path)
	_, guarded, refused := s.admitView(r, path, exists)
	if refused != nil && s.admitAPI(r) != nil {
		return refused
	}
	if !exists {
		return status.ErrNotFound
	}
	pic, err := s.thumbs.get(r.Context(), path)
	if err != nil {
		return err
	}
	scope := "public"
	if guarded {
		scope = "private"
		h.Add("Vary", "Authorization, Cookie")
	}
	h.Set("Cache-Control", fmt.Sprintf("%s, max-age=%d", scope, int(thumbAge/time.Second)))
	h.Set("ETag", pic.etag)
	h.Set("X-Content-Type-Options", "nosniff")
	if etagMatches(r.Header.Get("If-None-Match"), pic.etag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, "image/jpeg", pic.data)
}

// etagMatches is the weak comparison of If-None-Match (RFC 9110 §13.1.2).
func etagMatches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == etag {
			return true
		}
	}
	return false
}
