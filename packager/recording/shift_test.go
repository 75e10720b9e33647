package recording

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
)

var shiftRenditions = []packager.Rendition{
	{Name: "720p", Kind: media.Video, Bitrate: 5_000_000}, {Name: "audio", Kind: media.Audio, Copy: true},
}

// shifts is the folder as a server opens it at a time.
func shifts(dir string, now time.Time) *Shifts {
	s := &Shifts{dir: dir, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, open: map[folder]bool{}, expires: map[folder]time.Time{}}
	s.Tidy()
	return s
}

// life is a live presentation with time shift, from its start on.
func (s *Shifts) life(t *testing.T, renditions []packager.Rendition, in ...packager.Container) (*show, *Shift) {
	t.Helper()
	return s.protected(t, renditions, nil, in...)
}

func (s *Shifts) protected(t *testing.T, renditions []packager.Rendition, prot *packager.Protection, in ...packager.Container) (*show, *Shift) {
	t.Helper()
	return s.present(t, renditions, packager.Config{Protection: prot, Container: slices.Max(append(in, packager.FMP4))})
}

func (s *Shifts) present(t *testing.T, renditions []packager.Rendition, cfg packager.Config) (*show, *Shift) {
	t.Helper()
	shift, err := s.Open("cam/front", time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shift.Close)
	l := &show{t: t, next: 1000}
	if last, _, ok := shift.Last(); ok {
		l.next = last + 1
	}
	cfg.Store, cfg.DVR, cfg.Recorder, cfg.Past, cfg.PastDateRanges = shift, time.Hour, shift, shift.Past(), shift.PastDateRanges()
	cfg.Markers, cfg.LowLatency, cfg.Window = true, true, 12*time.Second
	l.Presentation, err = packager.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	if err := l.SetRenditions(renditions); err != nil {
		t.Fatal(err)
	}
	return l, shift
}

func (s *show) list(name string) *playlist.Media {
	s.t.Helper()
	m, err := playlist.ParseMedia(s.fetch(name).Body.String())
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	return m
}

func (s *show) fetch(name string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+name, nil))
	return w
}

func TestTimeShiftGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began.Add(time.Minute)).life(t, shiftRenditions)
	first.play(11, 7) // the last one is not listed yet
	first.Close()
	shift.Close()

	second, _ := shifts(dir, began.Add(2*time.Minute)).life(t, shiftRenditions)
	if w := second.fetch("720p/index.m3u8"); w.Code != http.StatusNotFound {
		t.Errorf("a playlist without live media: %d\n%s", w.Code, w.Body)
	}
	if second.next != 1011 {
		t.Fatalf("goes on with %d", second.next)
	}
	second.play(6, 8)
	for _, r := range shiftRenditions {
		live, long := second.list(r.Name+"/index.m3u8"), second.list(r.Name+"/dvr.m3u8")
		if live.MediaSequence != 1011 || live.DiscontinuitySequence > 8 || live.Segments[0].Map == nil {
			t.Errorf("%s: the live playlist begins with %d", r.Name, live.MediaSequence)
		}
		if long.MediaSequence != 1000 || long.DiscontinuitySequence != 7 || len(long.Segments) < 16 {
			t.Fatalf("%s: the long playlist begins with %d and has %d", r.Name, long.MediaSequence, len(long.Segments))
		}
		for i, s := range long.Segments {
			if breaks := s.Discontinuities == 1; breaks != (i == 11) {
				t.Errorf("%s: segment %d has %d discontinuities", r.Name, i, s.Discontinuities)
			}
			if s.Gap != (i == 10) {
				t.Errorf("%s: segment %d, gap is %v", r.Name, i, s.Gap)
			}
			if w := second.fetch(r.Name + "/" + s.URI); !s.Gap && (w.Code != http.StatusOK || w.Body.Len() == 0) {
				t.Errorf("%s/%s: %d", r.Name, s.URI, w.Code)
			}
			if s.Map != nil && second.fetch(r.Name+"/"+s.Map.URI).Code != http.StatusOK {
				t.Errorf("%s/%s is missing", r.Name, s.Map.URI)
			}
			if want := began.Add(time.Duration(i) * 2 * time.Second); s.ProgramDateTime.Sub(want).Abs() > 50*time.Millisecond {
				t.Errorf("%s: segment %d at %v, want %v", r.Name, i, s.ProgramDateTime, want)
			}
		}
	}
	if pictures := second.list("720p/dvr-iframes.m3u8"); pictures.Segments[0].Gap || pictures.Segments[0].ByteRange == nil {
		t.Errorf("no picture of before the restart: %+v", pictures.Segments[0])
	}
	if w := second.fetch("clip.mp4?from=2026-01-31T20:15:02Z&to=2026-01-31T20:15:06Z"); w.Code != http.StatusOK || w.Body.Len() < 10_000 {
		t.Errorf("a clip from before the restart: %d, %d bytes", w.Code, w.Body.Len())
	}
}

func TestTimeShiftAfterALongWhile(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began).life(t, shiftRenditions)
	first.play(11, 7)
	first.Close()
	shift.Close()

	// A part of it is too old.
	second, shift := shifts(dir, began.Add(time.Hour+9*time.Second)).life(t, shiftRenditions)
	second.play(2, 8)
	if long := second.list("720p/dvr.m3u8"); long.MediaSequence != 1004 {
		t.Errorf("begins with %d", long.MediaSequence)
	}
	if _, err := os.Stat(filepath.Join(dir, "cam+front/720p/1003.m4s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an old segment is still there: %v", err)
	}
	second.Close()
	shift.Close()

	// All of it is.
	shifts(dir, began.Add(3*time.Hour))
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTimeShiftOfOtherRenditionsIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began).life(t, shiftRenditions)
	first.play(11, 7)
	first.Close()
	shift.Close()

	second, shift := shifts(dir, began).life(t, shiftRenditions[:1])
	if segments, _ := filepath.Glob(filepath.Join(dir, "*/audio/*.m4s")); len(segments) != 0 {
		t.Errorf("nobody will go on with %v", segments)
	}
	second.Close()
	shift.Close()

	third, _ := shifts(dir, began).life(t, append(shiftRenditions[:2:2], packager.Rendition{Name: "360p", Kind: media.Video}))
	third.play(2, 8)
	if long := third.list("720p/dvr.m3u8"); len(long.Segments) > 2 {
		t.Errorf("%d segments", len(long.Segments))
	}
}

func TestTimeShiftThatIsInUse(t *testing.T) {
	dir := t.TempDir()
	mine := shifts(dir, began)
	_, a := mine.life(t, shiftRenditions)
	_, b := mine.life(t, shiftRenditions) // a successor, while the first is still seen
	_, c := shifts(dir, began.Add(9*time.Hour)).life(t, shiftRenditions)
	if a.folder == b.folder || b.folder == c.folder || a.folder == c.folder {
		t.Errorf("%s, %s and %s", a.folder, b.folder, c.folder)
	}
	for _, s := range []*Shift{a, b, c} {
		if !s.folder.has(journalFile) {
			t.Errorf("%s was taken away from its owner", s.folder)
		}
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTimeShiftOfADamagedFolder(t *testing.T) {
	dir := t.TempDir()
	first, shift := shifts(dir, began).life(t, shiftRenditions)
	first.play(11, 7)
	first.Close()
	shift.Close()
	f := folder(filepath.Join(dir, "cam+front"))
	journal, err := os.OpenFile(f.of(journalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.WriteString(`{"segment":{"rendition":"720p","num`) // torn
	err = errors.Join(err, journal.Close(), os.Remove(f.of("720p", "1004.m4s")), os.Truncate(f.of("audio", "1002.m4s"), 10))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := shifts(dir, began).life(t, shiftRenditions)
	second.play(2, 8)
	video, audio := second.list("720p/dvr.m3u8"), second.list("audio/dvr.m3u8")
	if video.MediaSequence != 1005 || audio.MediaSequence != 1005 { // sound from before the picture is of no use
		t.Errorf("begin with %d and %d", video.MediaSequence, audio.MediaSequence)
	}
}

func TestTheJournalOfTimeShiftStaysShort(t *testing.T) {
	dir := t.TempDir()
	now := began
	s := shifts(dir, began)
	s.now = func() time.Time { return now }
	shift, err := s.Open("cam", time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer shift.Close()
	for n := range uint64(5000) {
		now = began.Add(time.Duration(n) * 2 * time.Second)
		shift.Segment(packager.Listed{Rendition: "720p", Kind: media.Video, Number: n, Duration: 2 * time.Second, Wall: now})
	}
	info, err := os.Stat(shift.folder.of(journalFile))
	if err != nil || info.Size() > 300_000 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	if n := len(shift.notes["720p"]); n > 40 {
		t.Errorf("%d notes are remembered", n)
	}
}
