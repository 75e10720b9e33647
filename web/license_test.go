package web

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/access"
)

// licensed serves an MPD that names licenses, and answers who asks for one.
var licensed = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=1")
	if r.URL.Path == manifestName {
		_, _ = io.WriteString(w, "<MPD type=\"dynamic\">\n <Laurl>clearkey</Laurl>\n</MPD>\n")
		return
	}
	_, _ = io.WriteString(w, r.Method+" "+r.URL.Path)
})

func TestLicenses(t *testing.T) {
	f := newFake("cam", "private/cam")
	f.handler, f.licensed = licensed, true
	s := newTestServer(t, f, func(c *Config) { c.View = access.Rules{{Path: "private/*", Key: "k"}} })
	licenses := func(target string) string {
		_, after, _ := strings.Cut(do(s, local("GET", target)).Body.String(), "<Laurl>")
		url, _, _ := strings.Cut(after, "</Laurl>")
		return url
	}
	if got := licenses("/dash/cam/manifest.mpd"); got != "http://localhost:8080/dash/cam/clearkey" {
		t.Errorf("licenses are at %q", got)
	}
	under := licenses("/dash/private/cam/manifest.mpd?token=k")
	below, _ := strings.CutPrefix(under, "http://localhost:8080")
	if !strings.HasPrefix(below, "/t/") || !strings.HasSuffix(below, "/dash/private/cam/clearkey") {
		t.Fatalf("licenses are at %q", under)
	}
	if again := licenses(strings.TrimSuffix(below, licenseName) + manifestName); again != under {
		t.Errorf("the next MPD has them at %q, the one before at %q", again, under)
	}
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{"POST", "/dash/cam/clearkey", 200},
		{"POST", below, 200},
		{"POST", "/dash/private/cam/clearkey?token=k", 200},
		{"POST", "/dash/private/cam/clearkey", 401},
		{"POST", "/dash/private/cam/clearkey?token=x", 403},
		{"POST", "/t/AAAA/dash/private/cam/clearkey", 403},
		{"POST", "/dash/none/clearkey", 404},
		{"POST", "/hls/cam/clearkey", 405},
		{"POST", "/dash/cam/manifest.mpd", 405},
		{"PUT", "/dash/cam/clearkey", 405},
	} {
		if w := do(s, local(c.method, c.target, header("Origin", "https://any.example"))); w.Code != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.target, w.Code, w.Body)
		} else if c.want == 200 && (w.Body.String() != "POST clearkey" || w.Header().Get("Access-Control-Allow-Origin") != "*") {
			t.Errorf("%s %s: %s %v", c.method, c.target, w.Body, w.Header())
		}
	}
	for target, want := range map[string]string{"/dash/cam/clearkey": licenseMethods, "/dash/cam/manifest.mpd": corsMethods, "/hls/cam/clearkey": corsMethods} {
		w := do(s, local("OPTIONS", target, header("Origin", "https://any.example"), header("Access-Control-Request-Headers", "content-type")))
		if got := w.Header().Get("Access-Control-Allow-Methods"); w.Code != 204 || got != want || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Content-Type") {
			t.Errorf("preflight of %s: %d %s", target, w.Code, got)
		}
	}
	w := do(s, local("GET", "/dash/cam/manifest.mpd", func(r *http.Request) { r.Host = "a'&b" }))
	if strings.Contains(w.Body.String(), "a'&b") {
		t.Errorf("not escaped: %s", w.Body)
	}
	if control := w.Header().Get("Cache-Control"); !strings.Contains(control, "private") {
		t.Errorf("a cache would give everybody the Host of one: %q", control)
	}
}
