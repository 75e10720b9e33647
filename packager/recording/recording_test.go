package recording

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/testmedia/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// avcConfig is x264's for 320x180, Constrained Baseline 3.0.
var avcConfig, _ = hex.DecodeString("0142c01effe100196742c01ed901419f9f011000000300100000030320f162e48001000568cb83cb20")

var (
	picture = &media.Track{
		ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig,
		Width: 320, Height: 180, FrameRate: media.Rational{Num: 25, Den: 1},
	}
	sound = &media.Track{
		ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Config: []byte{0x11, 0x90}, SampleRate: 48000, Channels: 2,
	}
	began = time.Date(2026, 1, 31, 20, 15, 0, 0, time.UTC)
)

// events are what a library told.
type events struct {
	mu   sync.Mutex
	list []string
}

func (e *events) tell(kind, path string, _ any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, kind+" "+path)
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.list, ", ")
}

func open(t *testing.T, dir string) (*Library, *events) {
	t.Helper()
	told := &events{}
	l, err := Open(dir, Options{Tell: told.tell})
	if err != nil {
		t.Fatal(err)
	}
	return l, told
}

// show is a live presentation that is recorded.
type show struct {
	*packager.Presentation
	t    *testing.T
	rec  *Recorder
	next uint64 // segment
	only string // the rendition that there is, empty for all
}

func (l *Library) show(t *testing.T, path string, in ...packager.Container) *show {
	t.Helper()
	return l.protected(t, path, nil, in...)
}

func (l *Library) protected(t *testing.T, path string, prot *packager.Protection, in ...packager.Container) *show {
	t.Helper()
	return l.present(t, path, packager.Config{Protection: prot, Container: slices.Max(append(in, packager.FMP4))})
}

func (l *Library) present(t *testing.T, path string, cfg packager.Config) *show {
	t.Helper()
	s := &show{t: t, rec: l.Record(path), next: 1000}
	t.Cleanup(s.rec.End)
	cfg.Store, cfg.LowLatency, cfg.Window, cfg.Recorder, cfg.Markers = store.Memory{}, true, 12*time.Second, s.rec, true
	var err error
	s.Presentation, err = packager.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.SetRenditions([]packager.Rendition{
		{Name: "720p", Kind: media.Video, Bitrate: 5_000_000}, {Name: "audio", Kind: media.Audio, Copy: true},
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// drawn is an access unit of 4000 bytes.
func drawn(key bool) []byte {
	b := append([]byte{0, 0, 0x0f, 0x9c, 0x41}, bytes.Repeat([]byte{7}, 3995)...)
	if key {
		b[4] = 0x65
	}
	return b
}

// play writes some segments of two seconds, and all of them are listed.
func (s *show) play(segments int, discontinuity uint64) {
	s.t.Helper()
	for range segments {
		at := time.Duration(s.next-1000) * 2 * time.Second
		err := s.Cut(media.Cut{
			Segment: s.next, Discontinuity: discontinuity, PTS: media.Ticks(at, 90000), ClockRate: 90000, Wall: began.Add(at),
		})
		for i := range 50 {
			if s.only == "audio" {
				break
			}
			dts := media.Ticks(at, 90000) + int64(i)*3600
			err = errors.Join(err, s.Write("720p", media.Placed{Segment: s.next, Discontinuity: discontinuity, Packet: &media.Packet{
				Track: picture, PTS: dts, DTS: dts, Duration: 3600, Key: i == 0, Payload: drawn(i == 0),
			}}))
		}
		for pts := (media.Ticks(at, 48000) + 1023) / 1024 * 1024; pts < media.Ticks(at+2*time.Second, 48000); pts += 1024 {
			err = errors.Join(err, s.Write("audio", media.Placed{Segment: s.next, Discontinuity: discontinuity, Packet: &media.Packet{
				Track: sound, PTS: pts, DTS: pts, Duration: 1024, Key: true, Payload: make([]byte, 340),
			}}))
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.next++
	}
}

// end ends the stream and waits for the recording.
func (s *show) end(l *Library) {
	s.t.Helper()
	if err := s.End(); err != nil {
		s.t.Fatal(err)
	}
	s.rec.End()
	closeLibrary(s.t, l)
}

func closeLibrary(t *testing.T, l *Library) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// get fetches below a recording by URL path.
func get(l *Library, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	stream, id, h, ok := l.Find(path)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return w
	}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+strings.TrimPrefix(path, stream+"/"+id+"/"), nil))
	return w
}

// vod reads the playlists of a recording and holds them to what VOD promises.
func vod(t *testing.T, l *Library, at string) (*playlist.Multivariant, map[string]*playlist.Media) {
	t.Helper()
	w := get(l, at+"/index.m3u8")
	multi, err := playlist.ParseMultivariant(w.Body.String())
	if err != nil {
		t.Fatalf("%s: %d, %v", at, w.Code, err)
	}
	lists := map[string]*playlist.Media{}
	for _, name := range []string{"720p", "audio"} {
		w := get(l, at+"/"+name+"/index.m3u8")
		m, err := playlist.ParseMedia(w.Body.String())
		if err != nil {
			t.Fatalf("%s/%s: %d, %v", at, name, w.Code, err)
		}
		if m.Type != playlist.VOD || !m.EndList || m.Segments[0].Map == nil {
			t.Errorf("%s: %+v", name, m)
		}
		for _, s := range m.Segments {
			if s.Map != nil {
				if w := get(l, at+"/"+name+"/"+s.Map.URI); w.Code != http.StatusOK || w.Body.Len() == 0 {
					t.Errorf("%s: %d", s.Map.URI, w.Code)
				}
			}
			if w := get(l, at+"/"+name+"/"+s.URI); !s.Gap && (w.Code != http.StatusOK || w.Body.Len() == 0) {
				t.Errorf("%s/%s: %d", name, s.URI, w.Code)
			}
			if rounded := int(s.Duration.Seconds() + 0.5); rounded > m.TargetDuration {
				t.Errorf("%s lasts %v", s.URI, s.Duration)
			}
		}
		lists[name] = m
	}
	if keys, _ := lists["720p"].Keys(); keys[0] == nil { // no range of an encrypted segment can be read
		iframes(t, l, at, multi, lists["720p"])
	}
	return multi, lists
}

// iframes holds the I-frame playlist of a recording to the media playlist
// beside it, and each of its ranges to being one picture.
func iframes(t *testing.T, l *Library, at string, multi *playlist.Multivariant, beside *playlist.Media) {
	t.Helper()
	if len(multi.IFrames) != 1 || multi.IFrames[0].URI != "720p/iframes.m3u8" || multi.IFrames[0].Codecs != "avc1.42C01E" {
		t.Fatalf("%s: I-frame playlists %+v", at, multi.IFrames)
	}
	w := get(l, at+"/720p/iframes.m3u8")
	m, err := playlist.ParseMedia(w.Body.String())
	if err != nil || !m.IFramesOnly || len(m.Segments) != len(beside.Segments) || m.MediaSequence != beside.MediaSequence {
		t.Fatalf("%s: %d, %v:\n%s", at, w.Code, err, w.Body)
	}
	var most int
	for i, e := range m.Segments {
		if e.Duration != beside.Segments[i].Duration || e.Discontinuities != beside.Segments[i].Discontinuities || e.Gap != beside.Segments[i].Gap {
			t.Errorf("%s: entry %d is %+v, the segment %+v", at, i, e, beside.Segments[i])
		}
		if e.Gap {
			continue
		}
		whole := get(l, at+"/720p/"+e.URI).Body.Bytes()
		fs, err := fmp4.ReadFragments(whole[e.ByteRange.Offset:][:e.ByteRange.Length])
		if err != nil || len(fs) != 1 || len(fs[0].Samples) != 1 || !fs[0].Samples[0].Key {
			t.Errorf("%s: entry %d: %+v, %v", at, i, fs, err)
		}
		most = max(most, int(float64(e.ByteRange.Length*8)/e.Duration.Seconds()))
	}
	if b := multi.IFrames[0].Bandwidth; b < most || b > most+2 {
		t.Errorf("%s: BANDWIDTH is %d of %d", at, b, most)
	}
}

const firstID = "2026-01-31T20-15-00Z"

func TestARecordingIsLeftBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	l, told := open(t, dir)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there before anything is kept: %v", err)
	}
	s := l.show(t, "cam/front")
	s.play(20, 7)
	s.Suspend()
	s.play(5, 8)
	if w := get(l, "cam/front/"+firstID+"/index.m3u8"); w.Code != http.StatusNotFound {
		t.Errorf("it can be played while it is written: %d", w.Code)
	}
	s.end(l)

	multi, lists := vod(t, l, "cam/front/"+firstID)
	if len(multi.Variants) != 1 || len(multi.Renditions) != 1 {
		t.Errorf("%+v", multi)
	}
	for name, m := range lists {
		if len(m.Segments) != 25 || m.MediaSequence != 1000 || m.DiscontinuitySequence != 7 || m.Segments[20].Discontinuities != 1 {
			t.Errorf("%s: %d segments from %d, discontinuities from %d", name, len(m.Segments), m.MediaSequence, m.DiscontinuitySequence)
		}
	}
	// 25 frames of 4000 bytes a second and 47 of 340, and the boxes.
	if v := multi.Variants[0]; v.AverageBandwidth < 920_000 || v.AverageBandwidth > 960_000 || v.Bandwidth < v.AverageBandwidth || v.Bandwidth > 1_100_000 {
		t.Errorf("BANDWIDTH=%d, AVERAGE-BANDWIDTH=%d", v.Bandwidth, v.AverageBandwidth)
	}
	list := l.List()
	if len(list) != 1 || list[0].Path != "cam/front" || list[0].ID != firstID || !list[0].Start.Equal(began) ||
		list[0].Writing || (list[0].Duration-50*time.Second).Abs() > 100*time.Millisecond || list[0].Size < 5_000_000 {
		t.Errorf("%+v", list)
	}
	if told.String() != "recording:started cam/front, recording:finished cam/front" {
		t.Error(told)
	}

	again, _ := open(t, dir)
	if got := again.List(); len(got) != 1 || got[0] != list[0] {
		t.Errorf("the next server has %+v, not %+v", got, list)
	}
	if err := again.Remove("cam/front", firstID); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := again.Remove("cam/front", firstID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestAKilledServer stops writing in the middle, tears the newest segment and
// the journal, and lets the next library have it.
func TestAKilledServer(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	s := l.show(t, "cam")
	s.play(10, 1)
	path := filepath.Join(dir, "cam", firstID)
	waitFor(t, func() error {
		if _, err := os.Stat(filepath.Join(path, "audio", "1008.m4s")); err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(path, journalFile))
		if err == nil && strings.Count(string(b), `"number":1008`) < 2 {
			err = errors.New("not noted yet")
		}
		return err
	})

	// What a kill leaves: the folder as it is, and no lock.
	left := filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(filepath.Join(left, "cam", firstID), os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	busy, _ := open(t, dir)
	if list := busy.List(); len(list) != 1 || !list[0].Writing {
		t.Errorf("another server took what is being written: %+v", list)
	}
	if err := busy.Remove("cam", firstID); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	copied := filepath.Join(left, "cam", firstID)
	if err := os.Truncate(filepath.Join(copied, "720p", "1008.m4s"), 1000); err != nil {
		t.Fatal(err)
	}
	j, err := os.OpenFile(filepath.Join(copied, journalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(j, `{"segment":{"rendition":"720p","num`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	repaired, told := open(t, left)
	_, lists := vod(t, repaired, "cam/"+firstID)
	for name, m := range lists {
		if len(m.Segments) != 8 {
			t.Errorf("%s has %d segments", name, len(m.Segments))
		}
	}
	if told.String() != "recording:finished cam" {
		t.Error(told)
	}
	s.end(l)
}

// TestDiskThatTakesNoMore makes a segment's name lead nowhere, as a full disk
// refuses to keep it: the recording ends with what it had, the stream goes on,
// and later there is another one.
func TestDiskThatTakesNoMore(t *testing.T) {
	dir := t.TempDir()
	told := &events{}
	var offset time.Duration
	var mu sync.Mutex
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(offset)
	}
	l, err := Open(dir, Options{Tell: told.tell, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s := l.show(t, "cam")
	s.play(6, 1)
	path := filepath.Join(dir, "cam", firstID, "720p")
	waitFor(t, func() error { _, err := os.Stat(filepath.Join(path, "1003.m4s")); return err })
	if err := os.Symlink("/dev/full", filepath.Join(path, "1008.m4s")); err != nil {
		t.Fatal(err)
	}
	s.play(6, 1)
	waitFor(t, func() error {
		if list := l.List(); len(list) != 1 || list[0].Writing {
			return fmt.Errorf("%+v", list)
		}
		return nil
	})
	_, lists := vod(t, l, "cam/"+firstID)
	if n := len(lists["720p"].Segments); n != 8 {
		t.Errorf("%d segments were kept", n)
	}
	if !strings.HasSuffix(told.String(), "recording:failed cam, recording:finished cam") {
		t.Error(told)
	}
	mu.Lock()
	offset = diskRest
	mu.Unlock()
	s.play(6, 1)
	s.end(l)
	if list := l.List(); len(list) != 2 || list[1].Duration < 8*time.Second {
		t.Errorf("%+v", list)
	}
}

func TestRetain(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, Options{Now: func() time.Time { return began.Add(10 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a", "b", "c"} {
		s := l.show(t, path)
		s.next += map[string]uint64{"a": 0, "b": 30, "c": 60}[path]
		s.play(6, 1)
		s.end(l)
	}
	s := l.show(t, "d")
	s.play(6, 1)
	waitFor(t, func() error {
		if n := len(l.List()); n != 4 {
			return fmt.Errorf("%d recordings", n)
		}
		return nil
	})
	paths := func() (all string) {
		for _, r := range l.List() {
			all += r.Path
		}
		return all
	}
	l.Tidy(Retain{})
	l.Tidy(Retain{Age: time.Hour, Size: 1 << 40})
	if paths() != "abcd" {
		t.Error("removed without a reason: ", paths())
	}
	l.Tidy(Retain{Age: 9 * time.Minute})
	if paths() != "bcd" {
		t.Error("after nine minutes: ", paths())
	}
	total := int64(0)
	for _, r := range l.List() {
		total += r.Size
	}
	l.Tidy(Retain{Size: total - 1})
	if paths() != "cd" {
		t.Error("when it was a byte too much: ", paths())
	}
	l.Tidy(Retain{Age: 1, Size: 1})
	if paths() != "d" {
		t.Error("what is being written: ", paths())
	}
	s.end(l)
}

func TestOnlyWhatIsRecordedIsServed(t *testing.T) {
	l, _ := open(t, t.TempDir())
	s := l.show(t, "cam")
	s.play(6, 1)
	s.end(l)
	if w := get(l, "cam/"+firstID+"/index.m3u8"); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	for _, name := range []string{
		"", "recording.json", "journal", "720p", "720p/", "720p/../recording.json", "../../cam/" + firstID + "/index.m3u8",
		"720p/.1000.m4s.part", "a/b/index.m3u8", "nothing/index.m3u8",
	} {
		_, _, h, ok := l.Find("cam/" + firstID + "/x")
		if !ok {
			t.Fatal("not found")
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = name
		if h.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", name, w.Code)
		}
	}
	for _, path := range []string{"cam", "cam/", "/", "", "cam/2026-01-31T20-15-00Z", "other/" + firstID + "/index.m3u8"} {
		if _, _, _, ok := l.Find(path); ok {
			t.Errorf("%q is a recording", path)
		}
	}
}

func waitFor(t *testing.T, condition func() error) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-ticker.C {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// The pictures of a recording are made when somebody looks at them.
func TestStoryboardOfARecording(t *testing.T) {
	made := 0
	l, err := Open(t.TempDir(), Options{Pictures: func(_ context.Context, key *media.Packet, width int) ([]byte, error) {
		if made++; key.Track.Codec != media.H264 || len(key.Payload) != 4000 {
			return nil, fmt.Errorf("no keyframe of the recording: %+v", key)
		}
		var b bytes.Buffer
		err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, 90)), nil)
		return b.Bytes(), err
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := l.show(t, "cam")
	s.play(12, 1)
	s.end(l)
	at := "cam/" + firstID + "/"
	w := get(l, at+"storyboard.vtt")
	cues, err := tools.Storyboard(w.Body.String())
	// One in three segments: 1000, 1002, 1005, 1008, 1011.
	if err != nil || len(cues) != 5 || cues[1].From != 4*time.Second || cues[4].To < 23*time.Second {
		t.Fatalf("%d, %v: %+v", w.Code, err, cues)
	}
	if w.Header().Get("Content-Type") != "text/vtt; charset=utf-8" || made > 0 {
		t.Errorf("%v, %d pictures", w.Header(), made)
	}
	if w := get(l, at+cues[0].Sheet); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" || made == 0 {
		t.Errorf("%s: %d, %d pictures", cues[0].Sheet, w.Code, made)
	}
	for _, name := range []string{"storyboard-1.jpg", "dvr-storyboard.vtt", "720p/storyboard.vtt"} {
		if w := get(l, at+name); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
