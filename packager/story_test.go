package packager

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/store"
)

// blank makes a picture of whatever comes, and counts.
func blank(made *int) func(context.Context, *media.Packet, int) ([]byte, error) {
	return func(_ context.Context, _ *media.Packet, width int) ([]byte, error) {
		*made++
		var b bytes.Buffer
		err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, width*9/16)), nil)
		return b.Bytes(), err
	}
}

func TestStoryboard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, err := store.NewDisk(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		s := newSim(t, Config{Window: 12 * time.Second, DVR: 40 * time.Second, Store: disk, Pictures: blank(&made)},
			Rendition{Name: "720p", Kind: media.Video, Bitrate: 1_000_000})
		defer s.Close()
		if w := s.get("storyboard.vtt"); w.Code != http.StatusNotFound {
			t.Errorf("before there is a segment: %d", w.Code)
		}
		for n := range uint64(40) {
			at := time.Duration(n) * 2 * time.Second
			s.cut(1000+n, 90, at, time.Now().Add(at))
			for _, pk := range video25().between(at, at+2*time.Second) {
				s.put("720p", 1000+n, 90, pk)
			}
		}
		short, long := s.get("storyboard.vtt"), s.get("dvr-storyboard.vtt")
		if made > 0 {
			t.Errorf("%d pictures were made before anybody looked at one", made)
		}
		list := s.trick("720p/dvr-iframes.m3u8")
		// Three segments share one picture; 1019, the first, is the last of three.
		if a, b := strings.Count(short.Body.String(), " --> "), strings.Count(long.Body.String(), " --> "); a != 3 || b != 8 || len(list.Segments) != 20 {
			t.Errorf("%d and %d pictures in %d segments:\n%s", a, b, len(list.Segments), long.Body)
		}
		if kind := short.Header().Get("Content-Type"); kind != "text/vtt; charset=utf-8" {
			t.Error(kind)
		}
		sheet, pictures := strings.Fields(long.Body.String())[4], made
		sheet, _, _ = strings.Cut(sheet, "#")
		if w := s.get(sheet); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" || made == pictures {
			t.Errorf("%s: %d, %d pictures", sheet, w.Code, made)
		}
		if pictures = made; s.get(sheet).Code != http.StatusOK || made != pictures {
			t.Errorf("a sheet was drawn twice")
		}
		for _, name := range []string{"storyboard-0.jpg", "storyboard-99.jpg", "storyboard-x.jpg", "720p/storyboard.vtt"} {
			if w := s.get(name); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
	})
}

func TestStoryboardOfAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"storyboard-7.jpg", "mine.jpg"} { // an earlier one, and somebody's own
		writeFile(t, filepath.Join(dir, name), []byte("x"))
	}
	out, err := store.NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	s := newSim(t, Config{VOD: true, Output: out, Pictures: blank(&made)}, Rendition{Name: "720p", Kind: media.Video})
	defer s.Close()
	for n := range uint64(10) {
		at := time.Duration(n) * 2 * time.Second
		s.cut(n, 0, at, time.Now())
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put("720p", n, 0, pk)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	// Segments 0, 3, 6 and 9.
	text, err := os.ReadFile(filepath.Join(dir, "storyboard.vtt"))
	if err != nil || strings.Count(string(text), "storyboard-0.jpg#xywh=") != 4 || made != 4 {
		t.Errorf("%d pictures, %v:\n%s", made, err, text)
	}
	for name, want := range map[string]bool{"storyboard-0.jpg": true, "storyboard-7.jpg": false, "mine.jpg": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %v", name, err == nil)
		}
	}
}
