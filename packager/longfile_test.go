package packager

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

// shifted plays a minute into a presentation that keeps half of it.
func shifted(t *testing.T, dir string) *sim {
	t.Helper()
	disk, err := store.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, Config{Window: 12 * time.Second, DVR: 30 * time.Second, LowLatency: true, Store: disk},
		Rendition{Name: "720p", Kind: media.Video, Bitrate: 1_000_000})
	start := time.Now()
	for n := range 30 {
		at := time.Duration(n) * 2 * time.Second
		s.cut(uint64(100+n), 90, at, start.Add(at))
		for _, pk := range video25().between(at, at+2*time.Second) {
			time.Sleep(time.Until(start.Add(media.Duration(pk.DTS, 90000))))
			s.put("720p", uint64(100+n), 90, pk)
		}
	}
	return s
}

func TestLongPlaylist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := shifted(t, dir)
		read := func(path string) *playlist.Media {
			t.Helper()
			w := s.get(path)
			m, err := playlist.ParseMedia(w.Body.String())
			if err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: %d, %v", path, w.Code, err)
			}
			return m
		}
		lasts := func(m *playlist.Media) (d time.Duration) {
			for _, s := range m.Segments {
				d += s.Duration
			}
			return d
		}
		live, long := read("720p/index.m3u8"), read("720p/dvr.m3u8")
		if d := lasts(live); d < 12*time.Second || d > 15*time.Second {
			t.Errorf("the live playlist lists %v", d)
		}
		if d := lasts(long); d < 30*time.Second || d > 33*time.Second {
			t.Errorf("the long playlist lists %v", d)
		}
		if long.Open == nil || len(long.PreloadHints) != 1 || *long.ServerControl != *live.ServerControl {
			t.Errorf("the long playlist does not end as the live one: %+v", long)
		}
		for i, seg := range long.Segments {
			if w := s.get("720p/" + seg.URI); w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("%s is listed and answers %d", seg.URI, w.Code)
			}
			if want := long.MediaSequence + uint64(i); seg.URI != live.Segments[0].URI && !strings.HasPrefix(seg.URI, "1") || want < 100 {
				t.Errorf("segment %d is %s", want, seg.URI)
			}
		}
		if d := read("720p/dvr.m3u8?_HLS_skip=YES"); d.Skip == nil || d.Skip.Segments == 0 || len(d.Segments)+int(d.Skip.Segments) != len(long.Segments) {
			t.Errorf("delta update of the long playlist: %+v", d.Skip)
		}
		files, err := filepath.Glob(filepath.Join(dir, "720p", "*.m4s"))
		if err != nil || len(files) < 15 || len(files) > 24 {
			t.Errorf("%d segments on disk, %v", len(files), err)
		}
		for query, want := range map[string]string{
			"":                            "",
			"?start=20":                   "#EXT-X-START:TIME-OFFSET=-20.000,PRECISE=YES\n",
			"?start=-20.5":                "#EXT-X-START:TIME-OFFSET=-20.500,PRECISE=YES\n",
			"?start=9999":                 "#EXT-X-START:TIME-OFFSET=-30.000,PRECISE=YES\n",
			"?start=0":                    "",
			"?start=2000-01-01T00:00:40Z": "#EXT-X-START:TIME-OFFSET=-19.960,PRECISE=YES\n",
			"?start=2100-01-01T00:00:40Z": "",
		} {
			w := s.get("dvr.m3u8" + query)
			text := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(text, "720p/dvr.m3u8\n") || !strings.Contains(text, want) || want == "" && strings.Contains(text, "EXT-X-START") {
				t.Errorf("%q: %d\n%s", query, w.Code, text)
			}
		}
		for _, query := range []string{"yesterday", "NaN", "1e300", "-Inf"} {
			if w := s.get("dvr.m3u8?start=" + query); w.Code != http.StatusBadRequest {
				t.Errorf("start=%s: %d", query, w.Code)
			}
		}
		s.Close()
		left, _ := os.ReadDir(filepath.Join(dir, "720p"))
		if len(left) < 15 {
			t.Errorf("%d files are left for the next one", len(left))
		}
		for _, f := range left {
			if strings.HasPrefix(f.Name(), ".") {
				t.Errorf("%s is left", f.Name())
			}
		}
	})
}

// A disk that fills costs time shift, and only for as long as it is full.
func TestFullDiskCostsTimeShiftOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "720p"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/dev/full", filepath.Join(dir, "720p", ".102.m4s.part")); err != nil {
			t.Fatal(err)
		}
		s := shifted(t, dir)
		defer s.Close()
		m := s.playlist("720p")
		for _, seg := range m.Segments {
			if w := s.get("720p/" + seg.URI); seg.Gap || w.Code != http.StatusOK {
				t.Errorf("%s: gap %v, answers %d", seg.URI, seg.Gap, w.Code)
			}
		}
		if len(s.troubles) != 1 || !strings.Contains(s.troubles[0], "no space left on device") {
			t.Errorf("troubles: %q", s.troubles)
		}
		w := s.get("720p/dvr.m3u8")
		long, err := playlist.ParseMedia(w.Body.String())
		if err != nil || long.MediaSequence < 117 || long.MediaSequence > 119 {
			t.Errorf("the long playlist begins at %d, the live one at %d, %v", long.MediaSequence, m.MediaSequence, err)
		}
	})
}

func TestNoLongPlaylistUnlessAskedFor(t *testing.T) {
	s, packets := lowSim(t)
	defer s.Close()
	for _, pk := range packets {
		s.put("720p", 100, 90, pk)
	}
	for _, path := range []string{"dvr.m3u8", "720p/dvr.m3u8"} {
		if w := s.get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
