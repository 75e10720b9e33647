package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// browserWithLowLatency plays the demo's camera by parts: every picture in
// its place, no stall, and close to the edge. How close is measured and
// logged, not judged.
func browserWithLowLatency(t *testing.T) {
	s := start(t, "127.0.0.1", "demo", "")
	s.eventually(20*time.Second, "the hold-back is in reserve", func() error {
		m, err := mediaPlaylist(s.url("/hls/demo/720p/index.m3u8"))
		if err == nil && len(m.Segments) < 1 {
			err = fmt.Errorf("no segment yet")
		}
		return err
	})
	video := watch(t, s, "demo")
	tools.Eventually(t, 20*time.Second, "ten seconds of play", func() bool { return video.State().Time > 10 })
	video.Shown()
	shown := video.Collect(100, 20*time.Second)
	c := browser.CheckShown(shown, testmedia.Rate{Num: 30, Den: 1}, 0)
	if !c.Perfect() {
		t.Error(c)
	}
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
	t.Logf("glass to glass %v (median of %d pictures)", median(shown).Round(10*time.Millisecond), len(shown))
}

func median(shown []browser.Shown) time.Duration {
	var all []time.Duration
	for _, s := range shown {
		if s.Readable {
			all = append(all, s.Latency())
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

// TestPartsAreWaitedFor follows a live stream as a low-latency client does:
// each blocked reload brings the next part, each hint is the part that comes,
// and the parts of a segment are the segment.
func TestPartsAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := start(t, "127.0.0.1", "demo", "streams: [{path: demo, ladder: passthrough, hls: {part: 200ms}}]")
	base := s.url("/hls/demo/720p/")
	var m *playlist.Media
	s.eventually(20*time.Second, "a playlist with parts", func() (err error) {
		p, err := load(s.hls("demo"))
		if err != nil {
			return err
		}
		base = s.url("/hls/demo/" + p.multi.Variants[0].URI[:len(p.multi.Variants[0].URI)-len("index.m3u8")])
		if m, err = mediaPlaylist(base + "index.m3u8"); err == nil && m.Open == nil {
			err = fmt.Errorf("no open segment")
		}
		return err
	})
	bytesOf := map[uint64][]byte{}
	msn, part := m.MediaSequence+uint64(len(m.Segments)), len(m.Open.Parts)
	for range 30 {
		hint := m.PreloadHints[0].URI
		hinted := make(chan []byte, 1)
		go func() {
			b, err := fetch(base + hint)
			if err != nil {
				t.Error(err)
			}
			hinted <- b
		}()
		next, err := mediaPlaylist(fmt.Sprintf("%sindex.m3u8?_HLS_msn=%d&_HLS_part=%d", base, msn, part))
		if err != nil {
			t.Fatal(err)
		}
		b := <-hinted
		at, index, ok := find(next, hint)
		if !ok {
			t.Fatalf("%s was hinted and did not come", hint)
		}
		if index == 0 || bytesOf[at] != nil {
			bytesOf[at] = append(bytesOf[at], b...)
		}
		m = next
		if msn, part = m.MediaSequence+uint64(len(m.Segments)), 0; m.Open != nil {
			part = len(m.Open.Parts)
		}
	}
	compared := 0
	for number, parts := range bytesOf {
		if number >= m.MediaSequence+uint64(len(m.Segments)) {
			continue // still open
		}
		whole, err := fetch(fmt.Sprintf("%s%d.m4s", base, number))
		if err != nil || !bytes.Equal(whole, parts) {
			t.Errorf("segment %d: %d bytes in parts, %d as a whole, %v", number, len(parts), len(whole), err)
		}
		compared++
	}
	if compared == 0 {
		t.Error("no segment was complete")
	}
	inProduction(t, base, m.MediaSequence+uint64(len(m.Segments)))
}

// TestCheckFindsNothing judges the server's own output of each kind.
func TestCheckFindsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "127.0.0.1", "demo", "streams: [{path: plain, hls: {lowLatency: false}}]")
	clip, _ := tools.Clip(t, "h264-720p30")
	s.publish("plain", clip)
	s.publish("parts", clip)
	film := filepath.Join(t.TempDir(), "film")
	if out, err := exec.CommandContext(t.Context(), binary, "transcode", clip, film).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := httptest.NewServer(http.FileServer(http.Dir(film)))
	t.Cleanup(files.Close) // the subtests run when this function has returned
	for _, path := range []string{"demo", "plain", "parts"} {
		s.live(path, 3) // what is said of bandwidth has been measured
	}
	for _, url := range []string{s.hls("demo"), s.hls("plain"), s.hls("parts"), files.URL + "/index.m3u8"} {
		t.Run(url, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), binary, "check", "--for", "8s", url).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// inProduction fetches a segment before it is complete.
func inProduction(t *testing.T, base string, number uint64) {
	t.Helper()
	url := fmt.Sprintf("%s%d.m4s", base, number)
	var live []byte
	tools.Eventually(t, 10*time.Second, "the segment is open", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		live, err = io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == http.StatusOK
	})
	if whole, err := fetch(url); err != nil || !bytes.Equal(whole, live) {
		t.Errorf("in production %d bytes, then %d, %v", len(live), len(whole), err)
	}
}

// find tells in which segment a playlist lists a part, and where.
func find(m *playlist.Media, uri string) (msn uint64, index int, ok bool) {
	segments := m.Segments
	if m.Open != nil {
		segments = append(slices.Clone(segments), *m.Open)
	}
	for i, s := range segments {
		for n, p := range s.Parts {
			if p.URI == uri {
				return m.MediaSequence + uint64(i), n, true
			}
		}
	}
	return 0, 0, false
}

func mediaPlaylist(url string) (*playlist.Media, error) {
	b, err := fetch(url)
	if err != nil {
		return nil, err
	}
	return playlist.ParseMedia(string(b))
}
