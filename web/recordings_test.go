package web

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// shelf is an Archive with one recording of private/cam, another that is being
// written, and one of open.
type shelf struct{ removed string }

func (*shelf) List() []status.Recording {
	at := time.Unix(1_700_000_000, 0).UTC()
	return []status.Recording{
		{Path: "open", ID: "r1", Start: at, Seconds: 60, Size: 1000},
		{Path: "private/cam", ID: "r1", Start: at, Seconds: 60, Size: 1000},
		{Path: "private/cam", ID: "r2", Start: at, Writing: true},
	}
}

func (s *shelf) Find(urlPath string) (Playback, bool) {
	for _, r := range s.List() {
		if strings.HasPrefix(urlPath, r.Path+"/"+r.ID+"/") {
			return Playback{Path: r.Path, Recording: r.ID, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "#EXTM3U\n720p/index.m3u8\n#rest="+r.URL.Path+"\n")
			})}, true
		}
	}
	return Playback{}, false
}

func (s *shelf) Remove(path, id string) error {
	switch {
	case id == "r2":
		return status.ErrRecording
	case id != "r1":
		return status.ErrNoRecording
	}
	s.removed = path
	return nil
}

func TestRecordingsAreViewedAsTheirStream(t *testing.T) {
	s := newTestServer(t, newFake("live"), func(c *Config) {
		c.Recordings, c.View = &shelf{}, access.Rules{{Path: "private/*", Key: "v13w"}}
	})
	for target, want := range map[string]int{
		"/rec/open/r1/index.m3u8":                     200,
		"/rec/open/r1/720p/1.m4s":                     200,
		"/rec/open/r1":                                404,
		"/rec/open/r9/index.m3u8":                     404,
		"/rec/private/cam/r1/index.m3u8":              401,
		"/rec/private/cam/r1/720p/1.m4s":              401,
		"/rec/private/cam/r9/index.m3u8":              401,
		"/rec/private/cam/r1/720p/1.m4s?token=nope":   403,
		"/rec/private/cam/r1/index.m3u8?token=v13w":   200,
		"/rec/private/cam/r1/720p/1.m4s?token=v13w":   200,
		"/t/AAAA/rec/private/cam/r1/720p/index.m3u8":  403,
		"/hls/private/cam/r1/index.m3u8?token=v13w":   404,
		"/rec/open/../private/cam/r1/720p/index.m3u8": 400,
		"/rec/open%2F..%2Fprivate/cam/r1/index.m3u8":  400,
		"/rec/": 400,
	} {
		if w := do(s, local("GET", target)); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", target, w.Code, want, w.Body)
		}
	}
	w := do(s, local("GET", "/rec/private/cam/r1/index.m3u8?token=v13w"))
	_, rest, _ := strings.Cut(w.Body.String(), "\n")
	url, _, _ := strings.Cut(rest, "\n")
	if !strings.HasPrefix(url, "/t/") || !strings.HasSuffix(url, "/rec/private/cam/r1/720p/index.m3u8") {
		t.Fatalf("the playlist has no ticket: %s", w.Body)
	}
	if w := do(s, local("GET", url)); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "rest=720p/index.m3u8") {
		t.Errorf("by ticket: %d, %s", w.Code, w.Body)
	}
	if w := do(s, local("GET", strings.Replace(url, "private/cam", "open", 1))); w.Code != http.StatusForbidden {
		t.Errorf("the ticket opens another stream: %d", w.Code)
	}

	if w := do(s, local("GET", "/hls/live/dvr.m3u8?start=60")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "rest=dvr.m3u8 query=start=60") {
		t.Errorf("the long playlist: %d, %s", w.Code, w.Body)
	}
	state := func(target string) (st watchState) {
		t.Helper()
		w := do(s, local("GET", target, header("Accept", "application/json")))
		if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", target, w.Code, err)
		}
		return st
	}
	if st := state("/watch/private/cam?token=v13w"); len(st.Recordings) != 1 || st.Recordings[0].ID != "r1" {
		t.Errorf("the player page is told %+v", st)
	}
	if w := do(s, local("GET", "/watch/private/cam", header("Accept", "application/json"))); w.Code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", w.Code)
	}
}

func TestRecordingsAPI(t *testing.T) {
	archive := &shelf{}
	s := newTestServer(t, newFake(), func(c *Config) { c.Recordings = archive })
	list := func(target string) (l recordings) {
		t.Helper()
		w := do(s, local("GET", target))
		if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
		}
		return l
	}
	all := list("/api/v1/recordings").Recordings
	if len(all) != 3 || all[0].URLs.HLS != "http://localhost:8080/rec/open/r1/index.m3u8" ||
		all[1].URLs.Watch != "http://localhost:8080/watch/private/cam?recording=r1" || all[2].URLs.HLS != "" {
		t.Errorf("%+v", all)
	}
	if one := list("/api/v1/recordings?path=open").Recordings; len(one) != 1 || one[0].Path != "open" {
		t.Errorf("%+v", one)
	}
	for target, want := range map[string]int{
		"/api/v1/recordings/private/cam/r1":    204,
		"/api/v1/recordings/private%2Fcam/r1":  204,
		"/api/v1/recordings/private/cam/r2":    409,
		"/api/v1/recordings/private/cam/r9":    404,
		"/api/v1/recordings/private/../cam/r1": 400,
	} {
		archive.removed = ""
		w := do(s, local("DELETE", target))
		if w.Code != want || (archive.removed == "private/cam") != (want == 204) {
			t.Errorf("DELETE %s: %d, removed %q: %s", target, w.Code, archive.removed, w.Body)
		}
		if w := do(s, local("DELETE", target, remote)); w.Code != http.StatusForbidden {
			t.Errorf("DELETE %s from elsewhere: %d", target, w.Code)
		}
	}
	none := newTestServer(t, newFake())
	if w := do(none, local("GET", "/api/v1/recordings")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"recordings":[]`) {
		t.Errorf("without an archive: %d, %s", w.Code, w.Body)
	}
}
