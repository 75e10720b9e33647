package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/access"
)

const token = "t0ken"

func withToken(c *Config) { c.Token = token }

// Every door of the API, with every key that should not fit.
func TestAPIAccess(t *testing.T) {
	proxies, err := access.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	doors := []struct{ method, target string }{
		{"GET", "/api/v1/streams"},
		{"GET", "/api/v1/streams/demo"},
		{"POST", "/api/v1/streams/demo/kick"},
		{"POST", "/api/v1/streams/demo/check"},
		{"DELETE", "/api/v1/streams/demo"},
		{"GET", "/api/v1/server"},
		{"GET", "/api/v1/events"},
		{"GET", "/metrics"},
	}
	sub := func(token string) func(*http.Request) {
		return header("Sec-WebSocket-Protocol", "millrace.v1, bearer."+base64.RawURLEncoding.EncodeToString([]byte(token)))
	}
	for name, c := range map[string]struct {
		configured string
		edit       []func(*http.Request)
		open       bool
		status     int
	}{
		"local":                           {"", nil, true, 0},
		"local, a token is configured":    {token, nil, true, 0},
		"local, right token":              {token, []func(*http.Request){header("Authorization", "Bearer "+token)}, true, 0},
		"local, wrong token":              {token, []func(*http.Request){header("Authorization", "Bearer nope")}, false, 401},
		"local, token but none exists":    {"", []func(*http.Request){header("Authorization", "Bearer x")}, false, 401},
		"remote, none exists":             {"", []func(*http.Request){remote}, false, 403},
		"remote, empty token":             {"", []func(*http.Request){remote, header("Authorization", "Bearer ")}, false, 401},
		"remote, right":                   {token, []func(*http.Request){remote, header("Authorization", "Bearer "+token)}, true, 0},
		"remote, scheme in lower case":    {token, []func(*http.Request){remote, header("Authorization", "bearer "+token)}, true, 0},
		"remote, by subprotocol":          {token, []func(*http.Request){remote, sub(token)}, true, 0},
		"remote, none":                    {token, []func(*http.Request){remote}, false, 401},
		"remote, wrong":                   {token, []func(*http.Request){remote, header("Authorization", "Bearer t0kem")}, false, 401},
		"remote, prefix":                  {token, []func(*http.Request){remote, header("Authorization", "Bearer t0ke")}, false, 401},
		"remote, longer":                  {token, []func(*http.Request){remote, header("Authorization", "Bearer t0ken1")}, false, 401},
		"remote, Basic":                   {token, []func(*http.Request){remote, header("Authorization", "Basic "+token)}, false, 401},
		"remote, two headers":             {token, []func(*http.Request){remote, header("Authorization", "Bearer x"), header("Authorization", "Bearer "+token)}, false, 401},
		"remote, wrong subprotocol":       {token, []func(*http.Request){remote, sub("nope")}, false, 401},
		"local, broken subprotocol":       {token, []func(*http.Request){header("Sec-WebSocket-Protocol", "bearer.!!!")}, false, 401},
		"remote, in the query":            {token, []func(*http.Request){remote, func(r *http.Request) { r.URL.RawQuery = "token=" + token }}, false, 401},
		"remote, in a cookie":             {token, []func(*http.Request){remote, header("Cookie", "token="+token+"; millrace_view="+token)}, false, 401},
		"DNS rebinding":                   {"", []func(*http.Request){func(r *http.Request) { r.Host = "evil.example:8080" }}, false, 403},
		"DNS rebinding, token configured": {token, []func(*http.Request){func(r *http.Request) { r.Host = "evil.example:8080" }}, false, 401},
		"forged X-Forwarded-For":          {"", []func(*http.Request){remote, header("X-Forwarded-For", "127.0.0.1")}, false, 403},
		"untrusted proxy on this machine": {"", []func(*http.Request){header("X-Forwarded-For", "192.0.2.9")}, false, 403},
		"trusted proxy, remote client":    {"", []func(*http.Request){func(r *http.Request) { r.RemoteAddr = "10.0.0.1:1" }, header("X-Forwarded-For", "127.0.0.1, 192.0.2.9")}, false, 403},
		"foreign page":                    {"", []func(*http.Request){header("Origin", "https://evil.example")}, false, 403},
		"foreign page, no Origin":         {"", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, false, 403},
		"foreign page with the token":     {token, []func(*http.Request){header("Origin", "https://ops.example"), header("Authorization", "Bearer "+token)}, true, 0},
	} {
		f := newFake("demo")
		s := newTestServer(t, f, func(cfg *Config) { cfg.Token, cfg.Proxies = c.configured, proxies })
		for _, door := range doors {
			w := do(s, local(door.method, door.target, c.edit...))
			open := w.Code != 401 && w.Code != 403
			if open != c.open || !open && w.Code != c.status {
				t.Errorf("%s: %s %s: %d %s", name, door.method, door.target, w.Code, w.Body)
			}
			if !open && strings.HasPrefix(door.target, "/api/") {
				checkProblem(t, w)
			}
		}
		if n := len(f.kicked) + len(f.ended); (n > 0) != c.open {
			t.Errorf("%s: %d publishers kicked", name, n)
		}
	}
}

// checkProblem holds an error answer of the API to its shape.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Error struct{ Code, Message, Hint string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Error.Code == "" || p.Error.Message == "" {
		t.Errorf("not the shape of an error: %s", w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("error as %q", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("error may be cached: %q", got)
	}
}

func TestNobodyIsLoopbackInAContainer(t *testing.T) {
	s := newTestServer(t, newFake("demo"), func(c *Config) { c.NoLoopback = true })
	if w := do(s, local("GET", "/api/v1/streams")); w.Code != 403 {
		t.Fatal(w.Code)
	}
}

// The API must not be readable by other sites' pages, with or without CORS
// preflight; playback must be.
func TestCORSIsForPlaybackOnly(t *testing.T) {
	s := newTestServer(t, newFake("demo"), withToken)
	for _, target := range []string{"/api/v1/streams", "/api/v1/streams/demo", "/metrics", "/", "/watch/demo"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			w := do(s, local(method, target, header("Origin", "https://evil.example"), header("Access-Control-Request-Method", "DELETE")))
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s: %s", method, target, name)
				}
			}
		}
	}
	w := do(s, local("GET", "/hls/demo/index.m3u8", remote, header("Origin", "https://any.example")))
	if w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("playback: %d %v", w.Code, w.Header())
	}
	w = do(s, local("OPTIONS", "/hls/demo/index.m3u8", remote, header("Origin", "https://any.example"), header("Access-Control-Request-Headers", "range")))
	if w.Code != 204 || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Range") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

func TestOriginsAreAList(t *testing.T) {
	s := newTestServer(t, newFake("demo"), func(c *Config) { c.Origins = []string{"https://good.example"} })
	for origin, want := range map[string]string{
		"https://good.example": "https://good.example", "https://GOOD.example": "https://GOOD.example",
		"https://good.example.evil.example": "", "http://good.example": "", "null": "", "": "",
	} {
		w := do(s, local("GET", "/hls/demo/index.m3u8", header("Origin", origin)))
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%q: %q", origin, got)
		}
		if w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q: no Vary: a cache would answer everybody alike", origin)
		}
	}
}

func TestViewAccess(t *testing.T) {
	rules := access.Rules{{Path: "private/*", Key: "v13w"}, {Path: "private/vip", Key: "gold"}}
	s := newTestServer(t, newFake("open", "private/cam", "private/vip", "private/cam/deep"), func(c *Config) { c.View = rules })
	for _, c := range []struct {
		target string
		edit   func(*http.Request)
		want   int
	}{
		{"/hls/open/index.m3u8", nil, 200},
		{"/hls/private/cam/index.m3u8", nil, 401},
		{"/hls/private/cam/720p/1.m4s", nil, 401},
		{"/hls/private/cam/deep/index.m3u8", nil, 401},
		{"/hls/private/cam/index.m3u8?token=v13w", nil, 200},
		{"/hls/private/cam/720p/1.m4s?x=1&token=v13w", nil, 200},
		{"/hls/private/cam/index.m3u8", header("Authorization", "Bearer v13w"), 200},
		{"/hls/private/cam/index.m3u8", header("Cookie", "millrace_view=v13w"), 200},
		{"/hls/private/cam/index.m3u8?token=wrong", nil, 403},
		{"/hls/private/cam/index.m3u8?token=", nil, 401},
		{"/hls/private/cam/index.m3u8?token=wrong", header("Cookie", "millrace_view=v13w"), 403},
		{"/hls/private/cam/index.m3u8?token=gold", nil, 403},
		{"/hls/private/vip/index.m3u8?token=gold", nil, 200},
		{"/hls/private/vip/index.m3u8?token=v13w", nil, 200},
		{"/hls/private/nothing/index.m3u8", nil, 401}, // does not say that nothing is there
		{"/hls/private/nothing/index.m3u8?token=v13w", nil, 404},
		{"/hls/private", nil, 404},
		{"/hls/nothing/index.m3u8", nil, 404},
		{"/thumb/private/cam.jpg", remote, 401},
		{"/thumb/private/cam.jpg?token=v13w", remote, 200},
		{"/thumb/private/cam.jpg?token=nope", remote, 403},
		{"/thumb/private/cam.jpg", nil, 200}, // the console of whoever may use the API
		{"/thumb/open.jpg", remote, 200},
	} {
		edit := c.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		if w := do(s, local("GET", c.target, edit)); w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.target, w.Code, c.want, w.Body)
		}
	}
}

// What is guarded must not be kept by a cache that serves everybody.
func TestGuardedPlaybackIsPrivate(t *testing.T) {
	s := newTestServer(t, newFake("open", "private/cam"), func(c *Config) { c.View = access.Rules{{Path: "private/*", Key: "k"}} })
	w := do(s, local("GET", "/hls/private/cam/index.m3u8", header("Authorization", "Bearer k")))
	if got := w.Header().Get("Cache-Control"); got != "private, no-store" { // its URLs are this viewer's
		t.Errorf("guarded: %q", got)
	}
	w = do(s, local("GET", "/hls/private/cam/720p/index.m3u8", header("Authorization", "Bearer k")))
	if got := w.Header().Get("Cache-Control"); got != "private, max-age=1" {
		t.Errorf("guarded media playlist: %q", got)
	}
	if got := do(s, local("GET", "/hls/open/index.m3u8")).Header().Get("Cache-Control"); got != "public, max-age=1, s-maxage=2" {
		t.Errorf("open: %q", got)
	}
	if got := do(s, local("GET", "/hls/private/cam/index.m3u8")).Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("refusal: %q", got)
	}
}

func TestWatchSetsTheCookieForTheRightTokenOnly(t *testing.T) {
	s := newTestServer(t, newFake("private/cam"), func(c *Config) { c.View = access.Rules{{Path: "private/*", Key: "k"}} })
	for target, want := range map[string]bool{
		"/watch/private/cam?token=k": true, "/watch/private/cam?token=x": false, "/watch/private/cam": false, "/watch/open?token=k": false,
	} {
		cookies := do(s, local("GET", target)).Result().Cookies()
		if (len(cookies) == 1) != want {
			t.Errorf("%s: %v", target, cookies)
		}
		if want && (cookies[0].Path != "/hls/private/cam/" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode) {
			t.Errorf("cookie too wide: %v", cookies[0])
		}
	}
	for target, want := range map[string]int{"/watch/private/cam": 401, "/watch/private/cam?token=x": 403, "/watch/private/cam?token=k": 200, "/watch/private/gone": 401} {
		if w := do(s, local("GET", target, header("Accept", "application/json"))); w.Code != want {
			t.Errorf("state of %s: %d", target, w.Code)
		}
	}
}
