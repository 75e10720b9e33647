package packager

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

func visible(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") && path != dir {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVOD(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	out, err := store.NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, Config{VOD: true, Output: out, Window: 4 * time.Second},
		Rendition{Name: "720p", Kind: media.Video, Bitrate: 9_000_000}, Rendition{Name: "audio", Kind: media.Audio})
	const segments = 40 // far more than the window
	for i := range segments {
		at := time.Duration(i) * 2 * time.Second
		s.cut(uint64(i), 0, at, time.Now().Add(at))
	}
	// A file is read as fast as it goes; renditions need not keep step.
	for i := range segments {
		at := time.Duration(i) * 2 * time.Second
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put("720p", uint64(i), 0, pk)
		}
	}
	for _, pk := range aac().between(0, segments*2*time.Second) {
		s.put("audio", uint64(pk.PTS/96000), 0, pk)
	}
	if got := visible(t, dir); len(got) > 0 {
		t.Errorf("visible before the end: %v", got)
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if n := mediaFiles(t); n != 0 {
		t.Errorf("%d files are still open", n)
	}
	got := visible(t, dir)
	if len(got) != 1+2*(segments+2)+1 || !slices.Contains(got, "720p/39.m4s") {
		t.Errorf("%d files: %v", len(got), got)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.m3u8"))
	if err != nil {
		t.Fatal(err)
	}
	multi, err := playlist.ParseMultivariant(string(b))
	if err != nil {
		t.Fatal(err)
	}
	var bytes int64
	for _, name := range []string{"720p", "audio"} {
		b, err := os.ReadFile(filepath.Join(dir, name, "index.m3u8"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := playlist.ParseMedia(string(b))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Segments) != segments || m.Type != playlist.VOD || !m.EndList || m.MediaSequence != 0 {
			t.Errorf("%s: %d segments, %+v", name, len(m.Segments), m.Type)
		}
		var sum time.Duration
		for _, seg := range m.Segments {
			sum += seg.Duration
			info, err := os.Stat(filepath.Join(dir, name, seg.URI))
			if err != nil {
				t.Fatal(err)
			}
			bytes += info.Size()
		}
		if off := sum - segments*2*time.Second; off.Abs() > 25*time.Millisecond {
			t.Errorf("%s lasts %v", name, sum)
		}
		if _, err := os.Stat(filepath.Join(dir, name, m.Segments[0].Map.URI)); err != nil {
			t.Error(err)
		}
	}
	v := multi.Variants[0]
	if average := int(bytes * 8 / (segments * 2)); v.AverageBandwidth < average || v.AverageBandwidth > average*11/10 || v.Bandwidth > average*11/10 {
		t.Errorf("BANDWIDTH %d, AVERAGE-BANDWIDTH %d, measured %d", v.Bandwidth, v.AverageBandwidth, average)
	}
}

func TestVODFails(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, s *sim, dir string) error{
		"no media": func(_ *testing.T, s *sim, _ string) error { return s.End() },
		"full disk": func(t *testing.T, s *sim, dir string) error {
			staging, _ := filepath.Glob(filepath.Join(dir, ".millrace-*", "out"))
			if err := os.Mkdir(filepath.Join(staging[0], "720p"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/dev/full", filepath.Join(staging[0], "720p", ".1.m4s.part")); err != nil {
				t.Fatal(err)
			}
			s.cut(1, 0, 0, time.Now())
			var failed error
			for _, pk := range video25().between(0, 2*time.Second) {
				failed = errors.Join(failed, s.Write("720p", media.Placed{Packet: pk, Segment: 1}))
			}
			if failed == nil {
				t.Error("Write returned no error")
			}
			return s.End()
		},
		"no end": func(_ *testing.T, s *sim, _ string) error {
			s.fill("720p", 1, 3)
			return errNoMedia
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			out, err := store.NewOutput(dir)
			if err != nil {
				t.Fatal(err)
			}
			s := newSim(t, Config{VOD: true, Output: out}, Rendition{Name: "720p", Kind: media.Video})
			if err := f(t, s, dir); err == nil {
				t.Error("no error")
			} else {
				t.Log(err)
			}
			s.Close()
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something is left: %v", err)
			}
			if n := mediaFiles(t); n != 0 {
				t.Errorf("%d files are still open", n)
			}
		})
	}
}
