package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func builtUI() *assets {
	a, err := loadAssets(fstest.MapFS{
		"index.html":            {Data: []byte("<html>console</html>")},
		"watch.html":            {Data: []byte("<html>player</html>")},
		"assets/main-abc123.js": {Data: []byte(strings.Repeat("console.log(1);", 100))},
		"assets/docs.css":       {Data: []byte("body{}")},
		".gitkeep":              {},
	})
	if err != nil {
		panic(err)
	}
	return a
}

func TestPages(t *testing.T) {
	s := newTestServer(t, newFake("demo"))
	s.ui = builtUI()
	for _, c := range []struct {
		target, accept string
		status         int
		want           string
	}{
		{"/", "text/html", 200, "console"},
		{"/watch/demo", "text/html", 200, "player"},
		{"/watch/cam/not/yet", "text/html", 200, "player"},
		{"/watch/demo?embed", "text/html", 200, "player"},
		{"/watch/bad path", "text/html", 404, "player"},
		{"/watch/a/b/c/d/e/f/g/h/i", "text/html", 404, "player"},
		{"/watch/demo", "application/json", 200, `"state":"live"`},
		{"/watch/nobody", "application/json", 200, `"state":"waiting"`},
		{"/watch/..%2f", "application/json", 400, "bad_path"},
		{"/assets/main-abc123.js", "*/*", 200, "console.log"},
		{"/assets/none.js", "*/*", 404, ""},
		{"/assets/.gitkeep", "*/*", 404, ""},
		{"/.gitkeep", "*/*", 404, ""},
		{"/nothing", "text/html", 404, "not found"},
	} {
		r := local("GET", "/", remote, header("Accept", c.accept))
		r.URL.Path = c.target
		if path, query, ok := strings.Cut(c.target, "?"); ok {
			r.URL.Path, r.URL.RawQuery = path, query
		}
		if w := do(s, r); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.target, w.Code, w.Body)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	s := newTestServer(t, newFake("demo"))
	s.ui = builtUI()
	for target, frame := range map[string]string{"/": "frame-ancestors 'none'", "/api/docs": "frame-ancestors 'none'", "/watch/demo": "frame-ancestors *"} {
		h := do(s, local("GET", target)).Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, frame) || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src 'self' 'unsafe") {
			t.Errorf("%s: %s", target, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", target)
		}
	}
	w := do(s, local("GET", "/assets/main-abc123.js", header("Accept-Encoding", "br, gzip")))
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Error(w.Header())
	}
	if refuses := do(s, local("GET", "/assets/main-abc123.js", header("Accept-Encoding", "gzip;q=0"))); refuses.Header().Get("Content-Encoding") != "" {
		t.Error("gzip to who refuses it")
	}
	if known := do(s, local("GET", "/assets/main-abc123.js", header("If-None-Match", w.Header().Get("ETag")))); known.Code != http.StatusNotModified {
		t.Error(known.Code)
	}
}

// A checkout without node must still compile, serve, and say what to do.
func TestUINotBuilt(t *testing.T) {
	s := newTestServer(t, newFake("demo"))
	s.ui = &assets{}
	for _, target := range []string{"/", "/watch/demo"} {
		if w := do(s, local("GET", target)); w.Code != 404 || !strings.Contains(w.Body.String(), "make ui") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
