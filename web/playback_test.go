package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPlaybackRouting(t *testing.T) {
	s := newTestServer(t, newFake("demo", "cam", "cam/front"))
	for _, c := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/hls/demo/index.m3u8", 200, "rest=index.m3u8 query="},
		{"GET", "/hls/demo/720p/index.m3u8?_HLS_msn=7", 200, "rest=720p/index.m3u8 query=_HLS_msn=7"},
		{"GET", "/hls/cam/front/1.m4s", 200, "rest=1.m4s query="}, // the longest path wins
		{"GET", "/hls/cam/fronts/1.m4s", 200, "rest=fronts/1.m4s query="},
		{"HEAD", "/hls/demo/index.m3u8", 200, "rest=index.m3u8 query="}, // net/http drops the body
		{"GET", "/hls/demo", 404, ""},
		{"GET", "/hls/other/index.m3u8", 404, ""},
		{"POST", "/hls/demo/index.m3u8", 405, ""},
		{"DELETE", "/hls/demo/index.m3u8", 405, ""},
		{"GET", "/hls/", 400, ""},
		{"GET", "/hls/demo/", 400, ""},
		{"GET", "/hls//demo/index.m3u8", 400, ""},
		{"GET", "/hls/../../etc/passwd", 400, ""},
		{"GET", "/hls/demo/../../../etc/passwd", 400, ""},
		{"GET", "/hls/demo/./index.m3u8", 400, ""},
		{"GET", "/hls/demo%2Findex.m3u8", 400, ""},
		{"GET", "/hls/demo/%2e%2e/%2e%2e/etc/passwd", 400, ""},
		{"GET", "/hls/demo/..%2f..%2fetc%2fpasswd", 400, ""},
		{"GET", "/hls/demo/..%5c..%5cetc", 400, ""},
		{"GET", "/hls/demo/index.m3u8%00.jpg", 400, ""},
		{"GET", "/hls/demo/%0d%0aSet-Cookie:x", 400, ""},
		{"GET", "/hls/demo/%69ndex.m3u8", 400, ""}, // one form only: caches and we agree
		{"GET", "/hls/" + strings.Repeat("a", 3000), 400, ""},
		{"GET", "/hls/" + strings.Repeat("a/", 200) + "b", 404, ""},
	} {
		r := local(c.method, "/", remote)
		u, err := r.URL.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		// Parse resolves dots, a raw request does not: put them back.
		raw, _, _ := strings.Cut(c.target, "?")
		if !strings.Contains(raw, "%") {
			u.Path = raw
		}
		r.URL = u
		w := do(s, r)
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.target, w.Code, w.Body)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: a player on another site cannot read why", c.method, c.target)
		}
	}
}

// The packager must see net/http's own writer: anything around it is where
// sendfile is lost.
func TestPlaybackHandsOverTheOriginalWriter(t *testing.T) {
	f := newFake("demo")
	var seen string
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { seen = fmt.Sprintf("%T", w) })
	addr := start(t, newTestServer(t, f))
	get(t, "http://"+addr+"/hls/demo/x.m4s")
	if seen != "*http.response" {
		t.Fatalf("the packager writes to a %s", seen)
	}
}

func get(t testing.TB, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serveFile answers one file, as the packager's stores do.
func serveFile(t testing.TB, size int) http.Handler {
	name := filepath.Join(t.TempDir(), "segment")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, err := os.Open(name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer func() { _ = file.Close() }()
		http.ServeContent(w, r, "segment.m4s", time.Unix(1, 0), file)
	})
}

func TestBytesAndRangesThroughRealSockets(t *testing.T) {
	const size = 1 << 20
	f := newFake("demo")
	f.handler = serveFile(t, size)
	s := newTestServer(t, f)
	addr := start(t, s)
	if got := len(get(t, "http://"+addr+"/hls/demo/1.m4s")); got != size {
		t.Fatal(got)
	}
	if _, sent := s.audiences.figures("demo"); sent < size || sent > size+4096 {
		t.Errorf("counted %d bytes of %d", sent, size)
	}
	if total := s.sent.Load(); total < size || total > size+4096 {
		t.Errorf("counted %d bytes in all", total)
	}
	for spec, want := range map[string]int{"bytes=0-99": 206, "bytes=-1": 206, "bytes=9999999-": 416, "bytes=x": 416} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/hls/demo/1.m4s", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Range", spec)
		r.Close = true
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", spec, resp.StatusCode)
		}
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	const size = 100_000
	f := newFake("demo")
	f.handler = serveFile(t, size)
	s := newTestServer(t, f)
	addr := start(t, s)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/hls/demo/1.m4s", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || len(b) != size || resp.ProtoMajor != 2 {
		t.Fatal(err, len(b), resp.Proto)
	}
	eventually(t, "bytes are counted", func() bool { _, sent := s.audiences.figures("demo"); return sent == size })
}

func TestAbortedAnswerIsCut(t *testing.T) {
	f := newFake("demo")
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	addr := start(t, newTestServer(t, f))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/hls/demo/1.m4s", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Fatal("a broken segment ended cleanly")
	}
}

func TestRawBadRequests(t *testing.T) {
	addr := start(t, newTestServer(t, newFake("demo")))
	for name, c := range map[string]struct{ send, want string }{
		"huge header":    {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		"no Host":        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
		"random bytes":   {strings.Repeat("\x00\x01\xff\xfe", 8) + "\r\n\r\n", "HTTP/1.1 400"},
		"raw traversal":  {"GET /hls/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"},
		"traversal page": {"GET /assets/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"},
		"null byte":      {"GET /watch/a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: application/json\r\n\r\n", "HTTP/1.1 400"},
		"absolute URI":   {"GET http://evil.example/api/v1/streams HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 403"},
		"OPTIONS *":      {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1"},
		"TRACE":          {"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405"},
	} {
		if got := exchange(t, addr, c.send); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// exchange sends raw bytes and returns the first line of the answer.
func exchange(t *testing.T, addr, send string) string {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(c, send) // a server that refuses early may have closed
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// BenchmarkSegment serves one 624 KB segment over a kept connection: by file
// (sendfile) and, to compare, through an echo-like writer without ReadFrom.
func BenchmarkSegment(b *testing.B) {
	for name, wrap := range map[string]bool{"sendfile": false, "copied": true} {
		b.Run(name, func(b *testing.B) {
			f := newFake("demo")
			inner := serveFile(b, 624_000)
			f.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if wrap {
					w = struct{ http.ResponseWriter }{w}
				}
				inner.ServeHTTP(w, r)
			})
			addr := start(b, newTestServer(b, f))
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			b.SetBytes(624_000)
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "http://"+addr+"/hls/demo/1.m4s", nil)
				r.RequestURI = ""
				resp, err := transport.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
