package recording

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/playlist"
)

// holdClip reads a clip of four seconds.
func holdClip(t *testing.T, b []byte) {
	t.Helper()
	fs, err := fmp4.ReadFragments(b)
	if err != nil {
		t.Fatalf("clip: %v", err)
	}
	pictures, sounds := 0, 0
	for _, f := range fs {
		for _, s := range f.Samples {
			switch {
			case f.TrackID == 2:
				sounds++
			case pictures == 0 && !bytes.Equal(s.Payload, drawn(true)):
				t.Errorf("the clip begins with %x…", s.Payload[:8])
				fallthrough
			default:
				pictures++
			}
		}
	}
	if pictures != 100 || sounds < 186 || sounds > 189 {
		t.Errorf("the clip has %d pictures and %d frames of sound", pictures, sounds)
	}
	if h, err := fmp4.ReadInit(b); err != nil || h.Width != 320 || h.Entry != "avc1" || h.Timescale != 90000 {
		t.Errorf("clip: %+v, %v", h, err)
	}
}

// TestTransportStreams records MPEG-TS, loses the server and repairs it, and
// cuts a clip, which is MP4 all the same.
func TestTransportStreams(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	s := l.show(t, "cam", packager.TS)
	s.play(10, 1)
	folder := filepath.Join(dir, "cam", firstID)
	waitFor(t, func() error {
		if b, err := os.ReadFile(filepath.Join(folder, journalFile)); err != nil || strings.Count(string(b), `"number":1008`) < 2 {
			return fmt.Errorf("not noted yet: %w", err)
		}
		return nil
	})
	left := filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(filepath.Join(left, "cam", firstID), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	// As long as it was, and not whole.
	torn := filepath.Join(left, "cam", firstID, "720p", "1008.ts")
	b, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(torn, append(b[:len(b)/2], make([]byte, len(b)-len(b)/2)...), 0o600); err != nil {
		t.Fatal(err)
	}
	repaired, _ := open(t, left)
	s.end(l)

	for want, l := range map[int]*Library{8: repaired, 10: l} {
		multi, err := playlist.ParseMultivariant(get(l, "cam/"+firstID+"/index.m3u8").Body.String())
		if err != nil || multi.Version != 3 || len(multi.IFrames) != 1 {
			t.Fatalf("%+v, %v", multi, err)
		}
		for file, version := range map[string]int{"720p/index.m3u8": 3, "audio/index.m3u8": 3, "720p/iframes.m3u8": 4} {
			m, err := playlist.ParseMedia(get(l, "cam/"+firstID+"/"+file).Body.String())
			if err != nil || len(m.Segments) != want || m.Version != version || m.Type != playlist.VOD {
				t.Fatalf("%s: %+v, %v", file, m, err)
			}
			for _, e := range m.Segments {
				w := get(l, "cam/"+firstID+"/"+path.Dir(file)+"/"+e.URI)
				b := w.Body.Bytes()
				if e.ByteRange != nil {
					b = b[e.ByteRange.Offset : e.ByteRange.Offset+e.ByteRange.Length]
				}
				p, err := mpegts.Read(b)
				if err != nil || !p.TablesFirst || e.Map != nil || w.Header().Get("Content-Type") != "video/mp2t" {
					t.Fatalf("%s: %s: %d, map %v, %v", file, e.URI, w.Code, e.Map, err)
				}
				if units := len(p.Media().Units); m.IFramesOnly != (units == 1) {
					t.Errorf("%s: %s: %d pictures", file, e.URI, units)
				}
			}
		}
		w := get(l, "cam/"+firstID+"/clip.mp4?from=2026-01-31T20:15:02Z&to=2026-01-31T20:15:06Z")
		if w.Code != http.StatusOK {
			t.Fatalf("clip: %d %s", w.Code, w.Body)
		}
		holdClip(t, w.Body.Bytes())
	}
}

func TestTimeShiftOfTransportStreams(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began.Add(time.Minute)).life(t, shiftRenditions, packager.TS)
	first.play(11, 7)
	first.Close()
	shift.Close()

	second, shift := shifts(dir, began.Add(2*time.Minute)).life(t, shiftRenditions, packager.TS)
	second.play(6, 8)
	long := second.list("720p/dvr.m3u8")
	if long.MediaSequence != 1000 || len(long.Segments) < 16 || long.Segments[0].URI != "1000.ts" {
		t.Fatalf("the long playlist begins with %d and has %d", long.MediaSequence, len(long.Segments))
	}
	for i, e := range long.Segments {
		if w := second.fetch("720p/" + e.URI); e.Map != nil || e.Gap != (i == 10) || !e.Gap && w.Code != http.StatusOK {
			t.Errorf("%s: gap %v, map %v, %d", e.URI, e.Gap, e.Map, w.Code)
		}
	}
	w := second.fetch("clip.mp4?from=2026-01-31T20:15:02Z&to=2026-01-31T20:15:06Z")
	if w.Code != http.StatusOK {
		t.Fatalf("clip: %d %s", w.Code, w.Body)
	}
	holdClip(t, w.Body.Bytes())
	second.Close()
	shift.Close()

	// Another container has another past.
	third, _ := shifts(dir, began.Add(3*time.Minute)).life(t, shiftRenditions)
	third.play(3, 9)
	if long := third.list("720p/dvr.m3u8"); len(long.Segments) > 3 || !strings.HasSuffix(long.Segments[0].URI, ".m4s") {
		t.Errorf("%+v", long.Segments)
	}
}
