package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

func TestStreamsAPI(t *testing.T) {
	f := newFake("cam/front", "demo")
	s := newTestServer(t, f)
	var got list
	w := do(s, local("GET", "/api/v1/streams"))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Streams) != 2 || got.Streams[0].Path != "cam/front" {
		t.Fatal(err, w.Body)
	}
	if want := (status.URLs{
		Watch: "http://localhost:8080/watch/cam/front", HLS: "http://localhost:8080/hls/cam/front/index.m3u8",
		Thumb: "http://localhost:8080/thumb/cam/front.jpg", RTSP: "rtsp://localhost:8554/cam/front",
	}); got.Streams[0].URLs != want {
		t.Errorf("%+v", got.Streams[0].URLs)
	}
	if strings.Contains(w.Body.String(), "null") {
		t.Errorf("null where a client expects a list: %s", w.Body)
	}
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/api/v1/streams?state=live", 200},
		{"GET", "/api/v1/streams?state=nonsense", 422},
		{"GET", "/api/v1/streams/demo", 200},
		{"GET", "/api/v1/streams/cam%2Ffront", 200},
		{"GET", "/api/v1/streams/cam%2ffront", 200},
		{"GET", "/api/v1/streams/cam/front", 200},
		{"GET", "/api/v1/streams/none", 404},
		{"GET", "/api/v1/streams/..%2F..%2Fetc", 400},
		{"GET", "/api/v1/streams/a%00b", 400},
		{"GET", "/api/v1/streams/a%252Fb", 400},
		{"GET", "/api/v1/streams/", 404},
		{"PUT", "/api/v1/streams/demo", 405},
		{"GET", "/api/v1/nothing", 404},
		{"GET", "/api/v2/streams", 404},
		{"POST", "/api/v1/streams/demo", 405},
		{"POST", "/api/v1/streams/none/kick", 404},
		{"POST", "/api/v1/streams/cam/front/kick", 204},
		{"DELETE", "/api/v1/streams/none", 404},
		{"DELETE", "/api/v1/streams/demo?reason=maintenance", 204},
	} {
		if w := do(s, local(c.method, c.target)); w.Code != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.target, w.Code, w.Body)
		} else if w.Code >= 400 {
			checkProblem(t, w)
		}
	}
	r := local("POST", "/api/v1/streams/demo/kick", header("Content-Type", "application/json"))
	r.Body = http.NoBody
	r2 := local("POST", "/api/v1/streams/demo/kick", header("Content-Type", "application/json"))
	r2.Body, r2.ContentLength = readCloser(`{"reason":"wrong camera"}`), 25
	r3 := local("POST", "/api/v1/streams/demo/kick", header("Content-Type", "application/json"))
	r3.Body = readCloser(`{"reason":`)
	for i, c := range []struct {
		r    *http.Request
		want int
	}{{r, 204}, {r2, 204}, {r3, 400}} {
		if w := do(s, c.r); w.Code != c.want {
			t.Errorf("kick %d: %d %s", i, w.Code, w.Body)
		}
	}
	if want := []string{"cam/front: kicked by the API", "demo: kicked by the API", "demo: wrong camera"}; !slices.Equal(f.kicked, want) {
		t.Errorf("%q", f.kicked)
	}
	if want := []string{"demo: maintenance"}; !slices.Equal(f.ended, want) {
		t.Errorf("%q", f.ended)
	}
}

type readCloserString struct{ *strings.Reader }

func (readCloserString) Close() error { return nil }

func readCloser(s string) readCloserString { return readCloserString{strings.NewReader(s)} }

func TestNoStreamsIsAnEmptyList(t *testing.T) {
	if body := do(newTestServer(t, newFake()), local("GET", "/api/v1/streams")).Body.String(); body != `{"streams":[]}`+"\n" {
		t.Errorf("%q", body)
	}
}

func TestURLsAreWhatTheClientSees(t *testing.T) {
	proxies, err := access.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	s := newTestServer(t, newFake("demo"), withToken, func(c *Config) { c.Proxies, c.RTMP, c.SRT = proxies, ":1935", ":8890" })
	for name, c := range map[string]struct {
		edit    []func(*http.Request)
		hls     string
		publish []string
	}{
		"direct":  {[]func(*http.Request){remote}, "http://media.example:8080/hls/demo/index.m3u8", []string{"rtsp://media.example:8554/", "rtmp://media.example/", "srt://media.example:8890?streamid=publish:"}},
		"IPv6":    {[]func(*http.Request){func(r *http.Request) { r.Host = "[2001:db8::1]:8080" }}, "http://[2001:db8::1]:8080/hls/demo/index.m3u8", []string{"rtsp://[2001:db8::1]:8554/", "rtmp://2001:db8::1/", "srt://[2001:db8::1]:8890?streamid=publish:"}},
		"proxied": {[]func(*http.Request){func(r *http.Request) { r.RemoteAddr = "10.1.1.1:1" }, header("X-Forwarded-For", "192.0.2.3"), header("X-Forwarded-Proto", "https"), header("X-Forwarded-Host", "tv.example")}, "https://tv.example/hls/demo/index.m3u8", []string{"rtsp://tv.example:8554/", "rtmp://tv.example/", "srt://tv.example:8890?streamid=publish:"}},
		"forged":  {[]func(*http.Request){remote, header("X-Forwarded-For", "192.0.2.3"), header("X-Forwarded-Host", "evil.example")}, "http://media.example:8080/hls/demo/index.m3u8", nil},
	} {
		edit := append(c.edit, header("Authorization", "Bearer "+token))
		var st status.Stream
		if err := json.Unmarshal(do(s, local("GET", "/api/v1/streams/demo", edit...)).Body.Bytes(), &st); err != nil || st.URLs.HLS != c.hls {
			t.Errorf("%s: %v %q", name, err, st.URLs.HLS)
		}
		var info serverInfo
		if err := json.Unmarshal(do(s, local("GET", "/api/v1/server", edit...)).Body.Bytes(), &info); err != nil || c.publish != nil && !slices.Equal(info.Publish, c.publish) {
			t.Errorf("%s: %v %q", name, err, info.Publish)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	s := newTestServer(t, newFake(), withToken)
	w := do(s, local("GET", "/api/v1/openapi.json", remote))
	var spec struct {
		OpenAPI string
		Servers []struct{ URL string }
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &spec); err != nil || spec.OpenAPI == "" || spec.Servers[0].URL != "/api/v1" {
		t.Fatal(err, w.Body)
	}
	for path, methods := range map[string][]string{
		"/streams": {"get"}, "/streams/{path}": {"get", "delete"}, "/streams/{path}/kick": {"post"}, "/server": {"get"}, "/events": {"get"},
	} {
		for _, m := range methods {
			if spec.Paths[path][m] == nil {
				t.Errorf("%s %s is not described", m, path)
			}
		}
	}
	if body := w.Body.String(); !strings.Contains(body, `"Problem`) || strings.Contains(body, "problem+json") {
		t.Error("errors are described in another shape than they have")
	}
	page := do(s, local("GET", "/api/docs", remote))
	for _, want := range []string{"/api/v1/streams/{path}/kick", "declaredBitrate", "waiting | live"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("docs do not tell of %s", want)
		}
	}
	if strings.Contains(page.Body.String(), "<script") || strings.Contains(page.Body.String(), "://cdn") {
		t.Error("docs load something")
	}
}

func TestHealth(t *testing.T) {
	f := newFake()
	s := newTestServer(t, f)
	for _, method := range []string{"GET", "HEAD"} {
		for _, target := range []string{"/healthz", "/readyz"} {
			if w := do(s, local(method, target, remote)); w.Code != 200 {
				t.Errorf("%s %s: %d", method, target, w.Code)
			}
		}
	}
	f.ready = errors.New("RTSP does not listen")
	if w := do(s, local("GET", "/readyz", remote)); w.Code != 503 || w.Body.String() != "RTSP does not listen\n" {
		t.Error(w.Code, w.Body)
	}
	if w := do(s, local("GET", "/healthz", remote)); w.Code != 200 {
		t.Error("alive, though not ready")
	}
}

func TestMetrics(t *testing.T) {
	s := newTestServer(t, newFake("demo"))
	do(s, local("GET", "/hls/demo/index.m3u8", remote))
	do(s, local("GET", "/api/v1/streams/none"))
	do(s, local("GET", "/whatever/the/client/likes", remote))
	body := do(s, local("GET", "/metrics")).Body.String()
	for _, want := range []string{
		`millrace_stream_viewers{path="demo"} 1`, `millrace_http_requests_total{class="api",code="404"} 1`,
		`millrace_http_request_seconds_count{class="playlist"} 1`, `millrace_http_requests_total{class="unknown",code="404"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in:\n%s", want, body)
		}
	}
	if strings.Contains(body, "likes") {
		t.Error("a client makes labels")
	}
}

func TestPanicIsAnsweredAndNotTold(t *testing.T) {
	f := newFake("demo")
	s := newTestServer(t, f)
	s.cfg.Backend = panicking{f}
	w := do(s, local("GET", "/api/v1/streams"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Fatal(w.Code, w.Body)
	}
}

type panicking struct{ Backend }

func (panicking) List() []status.Stream { panic("secret") }
