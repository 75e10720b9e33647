package packager

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// small is a presentation of one video and one audio rendition with two
// segments, 100 and 101, and a third one open.
func small(t testing.TB) *sim {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true}, Rendition{Name: "audio", Kind: media.Audio, Copy: true})
	t.Cleanup(s.Close)
	for i := range 3 {
		from := time.Duration(i) * 2 * time.Second
		n := uint64(100 + i)
		s.cut(n, 90, from, time.Now())
		for _, pk := range video25().between(from, from+2*time.Second) {
			s.put("720p", n, 90, pk)
		}
		for _, pk := range aac().between(from, from+2*time.Second) {
			s.put("audio", n, 90, pk)
		}
	}
	return s
}

func TestHeaders(t *testing.T) {
	s := small(t)
	section := s.playlist("720p").Segments[0].Map.URI
	sound := s.playlist("audio").Segments[0].Map.URI
	const forever, second = "public, max-age=31536000, immutable", "public, max-age=1"
	for _, c := range []struct{ path, typ, cache, ranges string }{
		{"index.m3u8", "application/vnd.apple.mpegurl", "public, max-age=2", ""},
		{"720p/index.m3u8", "application/vnd.apple.mpegurl", second, ""},
		{"720p/100.m4s", "video/mp4", forever, "bytes"},
		{"audio/101.m4s", "audio/mp4", forever, "bytes"},
		{"720p/" + section, "video/mp4", forever, "bytes"},
		{"audio/" + sound, "audio/mp4", forever, "bytes"},
	} {
		get, head := s.get(c.path), s.do(http.MethodHead, c.path)
		for method, w := range map[string]*httptest.ResponseRecorder{"GET": get, "HEAD": head} {
			h := w.Header()
			if w.Code != 200 || h.Get("Content-Type") != c.typ || h.Get("Cache-Control") != c.cache || h.Get("Accept-Ranges") != c.ranges {
				t.Errorf("%s %s: %d %v", method, c.path, w.Code, h)
			}
			if want := strconv.Itoa(get.Body.Len()); h.Get("Content-Length") != want {
				t.Errorf("%s %s: Content-Length %s, want %s", method, c.path, h.Get("Content-Length"), want)
			}
		}
		if get.Body.Len() == 0 || head.Body.Len() != 0 {
			t.Errorf("%s: %d bytes by GET, %d by HEAD", c.path, get.Body.Len(), head.Body.Len())
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
			if w := s.do(method, c.path); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d", method, c.path, w.Code)
			}
		}
	}
}

func TestUnknownNames(t *testing.T) {
	s := small(t)
	for _, path := range []string{
		"", "/", "index.m3u", "index.m3u8/", "INDEX.M3U8", "720p", "720p/", "720p//index.m3u8", "/720p/index.m3u8/", "360p/index.m3u8",
		"720p/102.m4s", "720p/99.m4s", "720p/0100.m4s", "720p/+100.m4s", "720p/-100.m4s", "720p/100", "720p/100.m4s.m4s", "720p/.m4s",
		"720p/100.mp4", "720p/18446744073709551615.m4s", "720p/99999999999999999999999.m4s", "720p/1e2.m4s", "720p/0x64.m4s", "720p/100.0.m4s",
		"720p/init-0.mp4", "720p/init-.mp4", "../720p/index.m3u8", "720p/../audio/index.m3u8", "audio/" + s.playlist("720p").Segments[0].Map.URI,
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, &http.Request{Method: "GET", URL: &url.URL{Path: path}, Header: http.Header{}})
		if w.Code != 404 || w.Body.Len() == 0 || w.Header().Get("Cache-Control") != "public, max-age=1" {
			t.Errorf("%q: %d, %d bytes, %v", path, w.Code, w.Body.Len(), w.Header())
		}
	}
}

func FuzzPath(f *testing.F) {
	s := small(f)
	known := map[string]bool{"index.m3u8": true}
	for _, r := range []string{"720p", "audio"} {
		known[r+"/index.m3u8"], known[r+"/100.m4s"], known[r+"/101.m4s"] = true, true, true
		known[r+"/"+s.playlist(r).Segments[0].Map.URI] = true
	}
	for path := range known {
		f.Add(path, "")
	}
	f.Add("720p/100.m4s", "bytes=0-0,-1")
	f.Fuzz(func(t *testing.T, path, ranges string) {
		w := httptest.NewRecorder()
		r := &http.Request{Method: "GET", URL: &url.URL{Path: path}, Header: http.Header{}}
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		s.ServeHTTP(w, r)
		switch ok := known[strings.TrimPrefix(path, "/")]; {
		case !ok && w.Code != 404:
			t.Fatalf("%q: %d", path, w.Code)
		case ok && w.Code != 200 && w.Code != 206 && w.Code != 416:
			t.Fatalf("%q %q: %d", path, ranges, w.Code)
		}
	})
}

func TestRange(t *testing.T) {
	s := small(t)
	whole := s.get("720p/100.m4s").Body.Bytes()
	size := len(whole)
	for _, c := range []struct {
		ranges string
		code   int
		want   []byte
	}{
		{"bytes=0-9", 206, whole[:10]},
		{"bytes=100-", 206, whole[100:]},
		{"bytes=-7", 206, whole[size-7:]},
		{"bytes=5-9999999", 206, whole[5:]},
		{"bytes=9999999-", 416, nil},
		{"bytes=9-5", 416, nil},
		{"bytes=x", 416, nil},
	} {
		w := s.get("720p/100.m4s", "Range", c.ranges)
		if w.Code != c.code || c.code == 206 && !bytes.Equal(w.Body.Bytes(), c.want) {
			t.Errorf("%s: %d, %d bytes", c.ranges, w.Code, w.Body.Len())
		}
		if c.code == 416 && strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: the error may be cached for ever", c.ranges)
		}
	}
	section := "720p/" + s.playlist("720p").Segments[0].Map.URI
	if w := s.get(section, "Range", "bytes=4-7"); w.Code != 206 || w.Body.String() != "ftyp" {
		t.Errorf("init section: %d %q", w.Code, w.Body)
	}
}

func TestGzip(t *testing.T) {
	s := small(t)
	plain := s.get("720p/index.m3u8")
	for accept, zipped := range map[string]bool{
		"gzip": true, "deflate, gzip;q=0.5": true, "*": true, "GZIP": true, "br": false, "gzip;q=0": false, "gzip; q=0.0, *": false,
		"identity": false, "": false, "*;q=0": false, ",,;": false,
	} {
		w := s.get("720p/index.m3u8", "Accept-Encoding", accept)
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: no Vary", accept)
		}
		if (w.Header().Get("Content-Encoding") == "gzip") != zipped {
			t.Errorf("%q: Content-Encoding %q", accept, w.Header().Get("Content-Encoding"))
			continue
		}
		body := io.Reader(w.Body)
		if zipped {
			if w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
				t.Errorf("%q: wrong Content-Length", accept)
			}
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := io.ReadAll(body); err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
			t.Errorf("%q: %d bytes, %v", accept, len(b), err)
		}
	}
	if w := s.get("720p/100.m4s", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("media is compressed")
	}
}

func TestRequestsAreCounted(t *testing.T) {
	s := small(t)
	before := s.Stats()
	size := s.get("720p/100.m4s").Body.Len() + s.get("720p/101.m4s", "Range", "bytes=0-9").Body.Len()
	after := s.Stats()
	if after.Requests != before.Requests+2 || after.BytesOut != before.BytesOut+uint64(size) {
		t.Errorf("%d requests and %d bytes, want 2 and %d", after.Requests-before.Requests, after.BytesOut-before.BytesOut, size)
	}
}

// A file that goes away between two requests, or during one, is no error.
func TestRemovedDuringDownload(t *testing.T) {
	s := small(t)
	server := httptest.NewServer(s)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/720p/100.m4s", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	s.Close()
	if b, err := io.ReadAll(res.Body); err != nil || int64(len(b)) != res.ContentLength {
		t.Errorf("%d of %d bytes, %v", len(b), res.ContentLength, err)
	}
	if w := s.get("720p/100.m4s"); w.Code != 404 {
		t.Errorf("after Close: %d", w.Code)
	}
}
