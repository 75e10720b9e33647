package e2e

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestEncryptedHLSReaders plays whole-segment encryption over rotations of the
// key with players that are no browsers.
func TestEncryptedHLSReaders(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams:
  - {path: ts, ladder: passthrough, hls: {container: ts, encryption: {method: aes-128, rotate: 3s}}}
  - {path: "*", ladder: passthrough, hls: {encryption: {method: aes-128, rotate: 3s}}}`)
	file, recipe := tools.Clip(t, "h264-b")
	for _, path := range []string{"cam", "ts"} {
		s.publish(path, file)
		s.live(path, 1)
	}
	t.Run("ffmpeg", func(t *testing.T) {
		r := tools.MustRead(t, 40*time.Second, s.hls("cam"), tools.ReadOptions{Length: 10 * time.Second})
		if err := r.Check(recipe.Frames()); err != nil {
			t.Error(err)
		}
		checkSkews(t, "cam", r, 7, maxSkew)
	})
	t.Run("GStreamer", func(t *testing.T) {
		// Its demuxer decrypts initialization sections that are in the clear.
		checkGStreamer(t, s.hls("ts"), recipe, 200)
	})
	for _, path := range []string{"cam", "ts"} {
		t.Run("VLC/"+path, func(t *testing.T) {
			checkVLC(t, s.hls(path), recipe)
		})
	}
}

// browserDecrypts plays parts that are encrypted one by one, over two rotations
// of the key, in hls.js.
func browserDecrypts(t *testing.T) {
	s := start(t, "127.0.0.1", "demo", `streams: [{path: demo, hls: {encryption: {method: aes-128, rotate: 4s}}}]`)
	playsOverRotations(t, s, "demo")
}

// browserDecryptsSamples plays cbcs by EME, over two rotations of the key. Pages
// cannot read pictures of such media, so that they are read off the screen.
func browserDecryptsSamples(t *testing.T) {
	s := start(t, "127.0.0.1", "demo", `streams: [{path: demo, hls: {encryption: {method: cbcs, rotate: 4s}}}]`)
	inReserve(s, "demo")
	page := browser.Open(t, s.url("/watch/demo"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	page.Eval("document.head.insertAdjacentHTML('beforeend', '<style>* {visibility: hidden} video {visibility: visible}</style>'), true", nil)
	waitForRotations(t, s, "demo", video)
	before := uint32(0)
	began, first := time.Now(), uint32(0)
	for range 5 {
		stamp, err := testmedia.DecodeStrip(video.Screenshot())
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			began, first = time.Now(), stamp.Frame
		}
		if stamp.Frame <= before {
			t.Errorf("picture %d after %d", stamp.Frame, before)
		}
		before = stamp.Frame
		next := video.State().Time + 0.5
		tools.Eventually(t, 5*time.Second, "half a second of play", func() bool { return video.State().Time > next })
	}
	if lasts, shown := time.Since(began), time.Duration(before-first)*time.Second/30; (lasts - shown).Abs() > 2*time.Second {
		t.Errorf("%v of pictures in %v", shown, lasts)
	}
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
}

// playsOverRotations watches a demo's camera until the keys have changed twice.
func playsOverRotations(t *testing.T, s *server, stream string) {
	t.Helper()
	inReserve(s, stream)
	video := watch(t, s, stream)
	waitForRotations(t, s, stream, video)
	video.Shown()
	c := browser.CheckShown(video.Collect(100, 20*time.Second), testmedia.Rate{Num: 30, Den: 1}, 0)
	if !c.Perfect() {
		t.Error(c)
	}
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
	t.Log(c)
}

// inReserve waits until players need not wait for what they hold back.
func inReserve(s *server, stream string) {
	s.t.Helper()
	s.eventually(20*time.Second, "the hold-back is in reserve", func() error {
		p, err := load(s.hls(stream))
		if err == nil && len(p.media[path.Dir(p.multi.Variants[0].URI)].Segments) < 1 {
			err = errors.New("no segment yet")
		}
		return err
	})
}

// waitForRotations waits until the keys have changed twice.
func waitForRotations(t *testing.T, s *server, stream string, video *browser.Video) {
	t.Helper()
	keys := map[string]bool{}
	tools.Eventually(t, 40*time.Second, "two rotations", func() bool {
		p, err := load(s.hls(stream))
		if err == nil {
			forces, _ := p.media[path.Dir(p.multi.Variants[0].URI)].Keys()
			for _, f := range forces {
				if k := f.Identity(); k != nil {
					keys[k.URI] = true
				}
			}
		}
		return len(keys) >= 3 && video.State().Time > 10
	})
}

// TestKeysAreGuarded asks for keys with and without what opens their stream.
func TestKeysAreGuarded(t *testing.T) {
	t.Parallel()
	s := serve(t, `auth: {view: [{path: "private/*", token: v13w}]}
streams: [{path: "*", ladder: passthrough, hls: {encryption: {method: aes-128, rotate: 2s}}}]`)
	file, _ := tools.Clip(t, "h264")
	s.publish("private/cam", file)
	s.publish("private/other", file)
	index := func(stream string) (key string) {
		var multi *playlist.Multivariant
		s.eventually(20*time.Second, stream+" is there", func() error {
			body, err := s.get("/hls/" + stream + "/index.m3u8?token=v13w")
			if err == nil {
				multi, err = playlist.ParseMultivariant(string(body))
			}
			return err
		})
		to := multi.Variants[0].URI // under a ticket
		body, err := s.get(to)
		if err != nil {
			t.Fatal(err)
		}
		m, err := playlist.ParseMedia(string(body))
		if err != nil {
			t.Fatal(err)
		}
		forces, _ := m.Keys()
		k := forces[len(forces)-1].Identity()
		if k == nil {
			t.Fatalf("no key in\n%s", body)
		}
		base, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		u, err := base.Parse(k.URI)
		if err != nil {
			t.Fatal(err)
		}
		return u.Path
	}
	key := index("private/cam")
	foreign := index("private/other")
	ticket := func(p string) string { return strings.Split(p, "/")[2] }
	below := func(p string) string { return "/" + strings.SplitN(p, "/", 4)[3] }
	for _, c := range []struct {
		what, url string
		status    int
	}{
		{"under its ticket", key, http.StatusOK},
		{"with the token", below(key) + "?token=v13w", http.StatusOK},
		{"without anything", below(key), http.StatusUnauthorized},
		{"with another token", below(key) + "?token=nope", http.StatusForbidden},
		{"under another stream's ticket", "/t/" + ticket(foreign) + below(key), http.StatusForbidden},
		{"under a ticket that is none", "/t/AAAA" + below(key), http.StatusForbidden},
		{"of another stream", path.Dir(key) + "/" + path.Base(foreign), http.StatusNotFound},
		{"made up", path.Dir(key) + "/00112233445566778899aabbccddeeff.key", http.StatusNotFound},
		{"in a rendition", path.Dir(key) + "/720p/" + path.Base(key), http.StatusNotFound},
	} {
		resp, body := s.ask(c.url)
		if resp.StatusCode != c.status || (c.status == http.StatusOK) != (len(body) == 16) {
			t.Errorf("%s: %s answers %d with %d bytes", c.what, c.url, resp.StatusCode, len(body))
		}
		if cache := resp.Header.Get("Cache-Control"); c.status == http.StatusOK && !strings.Contains(cache, "no-store") {
			t.Errorf("%s: Cache-Control: %s", c.what, cache)
		}
	}
}

// ask fetches a path, whatever the answer is.
func (s *server) ask(p string) (*http.Response, []byte) {
	s.t.Helper()
	resp, err := http.Get(s.url(p)) //nolint:gosec // the server under test
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, body
}
