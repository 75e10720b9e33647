package web

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/access"
)

func TestViewers(t *testing.T) {
	a := newAudiences(nil)
	now := time.Unix(1000, 0)
	a.now = func() time.Time { return now }
	const target = 3 * time.Second
	x, y := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	one, _ := a.of("demo")
	see := func(token string, addr netip.Addr, agent string) { a.see(one, a.key(token, addr, agent), target, nil) }
	count := func() int { n, _ := a.figures("demo"); return n }
	see("", x, "hls.js")
	see("", x, "hls.js")
	if count() != 1 {
		t.Errorf("one viewer counts as %d", count())
	}
	see("", x, "VLC") // a second person behind the same address
	see("", y, "hls.js")
	if count() != 3 {
		t.Errorf("three viewers count as %d", count())
	}
	see("token", x, "a")
	see("token", y, "b") // one token on two networks
	if count() != 4 {
		t.Errorf("a token counts as more than one: %d", count())
	}
	now = now.Add(2 * target)
	see("", y, "hls.js")
	now = now.Add(target + time.Millisecond)
	if count() != 1 {
		t.Errorf("after three target durations %d are left, not the one that was seen since", count())
	}
	now = now.Add(3 * target)
	if count() != 0 {
		t.Error("viewers never leave")
	}
}

func TestViewersAreBounded(t *testing.T) {
	a := newAudiences(nil)
	one, _ := a.of("demo")
	for i := range uint64(maxViewers + 1000) {
		a.see(one, i, time.Second, nil)
	}
	if n, _ := a.figures("demo"); n > maxViewers {
		t.Error(n)
	}
}

func TestAudiencesOfEndedStreamsAreForgotten(t *testing.T) {
	f := newFake("a")
	s := newTestServer(t, f)
	do(s, local("GET", "/hls/a/index.m3u8"))
	do(s, local("GET", "/hls/nothing/index.m3u8")) // nobody can fill the memory with names
	f.mu.Lock()
	f.streams = newFake("b").streams
	f.mu.Unlock()
	do(s, local("GET", "/hls/b/index.m3u8"))
	if len(s.audiences.streams) != 1 || s.audiences.streams["b"] == nil {
		t.Error(s.audiences.streams)
	}
}

func TestViewersBehindATrustedProxy(t *testing.T) {
	proxies, err := access.ParseProxies([]string{"10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	s := newTestServer(t, newFake("demo"), func(c *Config) { c.Proxies = proxies })
	for _, client := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		do(s, local("GET", "/hls/demo/index.m3u8", func(r *http.Request) { r.RemoteAddr = "10.0.0.1:1" }, header("X-Forwarded-For", client)))
	}
	// The same header from elsewhere multiplies nobody.
	for _, client := range []string{"1.1.1.1", "1.1.1.2", "1.1.1.3"} {
		do(s, local("GET", "/hls/demo/index.m3u8", func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" }, header("X-Forwarded-For", client)))
	}
	if n, _ := s.audiences.figures("demo"); n != 3 {
		t.Errorf("%d viewers, want 2 behind the proxy and 1 liar", n)
	}
}

func BenchmarkSee(b *testing.B) {
	a := newAudiences(nil)
	addr := netip.MustParseAddr("192.0.2.1")
	one, _ := a.of("demo")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a.see(one, a.key("", addr, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"), time.Second, nil)
		}
	})
}
