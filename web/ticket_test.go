package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/access"
)

func TestTicket(t *testing.T) {
	tickets, now := newTickets(), time.Unix(1_000_000, 0)
	text := tickets.issue("cam/a", "key", now)
	if _, ok := tickets.open(text, "cam/a", now.Add(ticketLife-time.Second)); !ok {
		t.Error("a good ticket is refused")
	}
	for name, ok := range map[string]bool{
		"another stream": second(tickets.open(text, "cam/b", now)),
		"over":           second(tickets.open(text, "cam/a", now.Add(ticketLife))),
		"another server": second(newTickets().open(text, "cam/a", now)),
		"nothing":        second(tickets.open("", "cam/a", now)),
		"cut":            second(tickets.open(text[:len(text)-2], "cam/a", now)),
	} {
		if ok {
			t.Errorf("%s is let in", name)
		}
	}
	for i := range len(text) {
		forged := []byte(text)
		forged[i] ^= 1
		if k, ok := tickets.open(string(forged), "cam/a", now); ok {
			t.Errorf("with character %d changed it is let in: %+v", i, k)
		}
	}
	if tickets.issue("cam/a", "key", now) == text {
		t.Error("two viewers have the same ticket")
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestRebase(t *testing.T) {
	got := rebase([]byte("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"audio/index.m3u8\",NAME=\"a\"\n"+
		"#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\n/elsewhere/x.m3u8\nhttps://h/x.m3u8\n#EXT-X-SESSION-DATA:URI=\"https://h/x\"\n"), "/t/k/hls/cam/")
	want := "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"/t/k/hls/cam/audio/index.m3u8\",NAME=\"a\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=1\n/t/k/hls/cam/720p/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\n/elsewhere/x.m3u8\nhttps://h/x.m3u8\n#EXT-X-SESSION-DATA:URI=\"https://h/x\"\n"
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
}

// playlists answers a multivariant playlist, and the name of what else is
// asked for.
var playlists = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=1")
	w.Header().Set("ETag", `"x"`)
	if r.URL.Path == "manifest.mpd" {
		_, _ = w.Write([]byte("<?xml version=\"1.0\"?>\n<MPD type=\"dynamic\">\n <Period/>\n</MPD>\n"))
		return
	}
	if r.URL.Path == "index.m3u8" {
		_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n"))
		return
	}
	_, _ = w.Write([]byte(r.URL.Path))
})

func listed(body string) string {
	lines := strings.Split(strings.TrimSpace(body), "\n")
	return lines[len(lines)-1]
}

// A rule's token opens the multivariant playlist; what that lists needs
// nothing else, for as long as the rule holds.
func TestTicketsOfViewRules(t *testing.T) {
	f := newFake("private/cam", "private/other", "open")
	f.handler = playlists
	rules := access.Rules{{Path: "private/*", Key: "k"}}
	s := newTestServer(t, f, func(c *Config) { c.View = rules })
	w := do(s, local("GET", "/hls/private/cam/index.m3u8?token=k"))
	uri := listed(w.Body.String())
	if w.Code != 200 || !strings.HasPrefix(uri, "/t/") || !strings.HasSuffix(uri, "/hls/private/cam/720p/index.m3u8") || w.Header().Get("ETag") != "" {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if w := do(s, local("GET", uri)); w.Code != 200 || w.Body.String() != "720p/index.m3u8" || !strings.HasPrefix(w.Header().Get("Cache-Control"), "private") {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if n, _ := s.audiences.figures("private/cam"); n != 1 {
		t.Errorf("%d viewers", n)
	}
	if w := do(s, local("GET", strings.Replace(uri, "private/cam", "private/other", 1))); w.Code != 403 {
		t.Errorf("another stream: %d", w.Code)
	}
	if w := do(s, local("GET", "/hls/open/index.m3u8")); listed(w.Body.String()) != "720p/index.m3u8" {
		t.Errorf("an open stream: %s", w.Body)
	}
	if w := do(s, local("HEAD", "/hls/private/cam/index.m3u8?token=k")); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	mpd := do(s, local("GET", "/dash/private/cam/manifest.mpd?token=k")).Body.String()
	_, rest, _ := strings.Cut(mpd, "<MPD type=\"dynamic\">\n <BaseURL>")
	base, rest, _ := strings.Cut(rest, "</BaseURL>\n <Location>")
	if !strings.HasPrefix(base, "/t/") || !strings.HasSuffix(base, "/dash/private/cam/") || !strings.HasPrefix(rest, base+"manifest.mpd</Location>\n <Period/>") {
		t.Fatalf("the MPD is\n%s", mpd)
	}
	if w := do(s, local("GET", base+"720p/1.m4s")); w.Code != 200 || w.Body.String() != "720p/1.m4s" {
		t.Errorf("a segment: %d %s", w.Code, w.Body)
	}
	if w := do(s, local("GET", base+"manifest.mpd")); w.Code != 200 || strings.Contains(w.Body.String(), "<BaseURL>") {
		t.Errorf("the next MPD: %d %s", w.Code, w.Body)
	}
	if w := do(s, local("GET", "/dash/private/cam/manifest.mpd")); w.Code != 401 {
		t.Errorf("without a token: %d", w.Code)
	}
	s.SetRules(Rules{View: access.Rules{{Path: "private/*", Key: "another"}}})
	if w := do(s, local("GET", uri)); w.Code != 403 {
		t.Errorf("after the rule is gone: %d", w.Code)
	}
}

// door decides by the query.
type testDoor struct{ asked []Viewer }

func (*testDoor) Asks() bool { return true }

func (d *testDoor) Admit(_ context.Context, v Viewer) (string, error) {
	d.asked = append(d.asked, v)
	switch v.Query.Get("as") {
	case "friend":
		return v.Path, nil
	case "guest":
		return "lobby", nil
	case "later":
		return "", &NotAdmitted{Status: http.StatusServiceUnavailable, Reason: "not yet"}
	}
	return "", &NotAdmitted{Status: http.StatusForbidden, Reason: "who are you"}
}

func TestDoor(t *testing.T) {
	f := newFake("cam", "lobby", "private/cam")
	f.handler = playlists
	d := new(testDoor)
	s := newTestServer(t, f, func(c *Config) {
		c.Door = d
		c.View = access.Rules{{Path: "private/*", Key: "k"}}
	})
	for _, c := range []struct {
		path string
		code int
		want string
	}{
		{"/hls/cam/index.m3u8", 403, "who are you"},
		{"/hls/cam/index.m3u8?as=later", 503, "not yet"},
		{"/hls/cam/index.m3u8?as=friend", 200, "/hls/cam/720p/index.m3u8"},
		{"/hls/cam/index.m3u8?as=guest", 200, "/hls/lobby/720p/index.m3u8"},
		{"/hls/nowhere/index.m3u8?as=guest", 200, "/hls/lobby/720p/index.m3u8"},
		{"/hls/nowhere/index.m3u8?as=friend", 404, "nothing is published"},
		{"/hls/cam/720p/index.m3u8?as=friend", 403, "begin with /hls/cam/index.m3u8"},
		{"/hls/private/cam/index.m3u8?as=friend", 401, "needs a token"}, // the rules come first
		{"/hls/private/cam/index.m3u8?as=friend&token=k", 200, "/hls/private/cam/720p/index.m3u8"},
	} {
		w := do(s, local("GET", c.path))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
			continue
		}
		if w.Code != 200 {
			continue
		}
		asked := len(d.asked)
		if w := do(s, local("GET", listed(w.Body.String()))); w.Code != 200 {
			t.Errorf("%s lists what answers %d %s", c.path, w.Code, w.Body)
		}
		if len(d.asked) != asked {
			t.Error("the door is asked again")
		}
	}
}

func FuzzTicket(f *testing.F) {
	tickets := newTickets()
	f.Add(tickets.issue("a", "", time.Now()))
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := tickets.open(text, "b", time.Now()); ok {
			t.Errorf("%q opens a stream that it is not for", text)
		}
	})
}
