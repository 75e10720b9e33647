package packager

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// avcConfig is x264's for 320x180, Constrained Baseline 3.0.
var avcConfig, _ = hex.DecodeString("0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b92010004" + "68cb83cb20")

func videoTrack(fps media.Rational) *media.Track {
	return &media.Track{
		ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig,
		Width: 320, Height: 180, FrameRate: fps,
	}
}

func audioTrack() *media.Track {
	return &media.Track{
		ID: 2, Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Config: []byte{0x11, 0x90},
		SampleRate: 48000, Channels: 2,
	}
}

func opusTrack() *media.Track {
	return &media.Track{ID: 3, Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, SampleRate: 48000, Channels: 2}
}

// mediaFiles counts the descriptors of this process that lead to segments.
func mediaFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.Contains(to, ".m4s") {
			n++
		}
	}
	return n
}

// sim is a presentation under test with what it complained about.
type sim struct {
	*Presentation
	t        testing.TB
	troubles []string
}

func newSim(t testing.TB, cfg Config, rs ...Rendition) *sim {
	t.Helper()
	s := &sim{t: t}
	if cfg.Store == nil && cfg.Output == nil {
		cfg.Store = store.Memory{}
	}
	cfg.OnTrouble = func(rendition string, err error) { s.troubles = append(s.troubles, rendition+": "+err.Error()) }
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Presentation = p
	if len(rs) > 0 {
		if err := p.SetRenditions(rs); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *sim) cut(segment, discontinuity uint64, at time.Duration, wall time.Time) {
	s.t.Helper()
	if err := s.Cut(media.Cut{
		Segment: segment, Discontinuity: discontinuity, PTS: media.Ticks(at, 90000), ClockRate: 90000, Wall: wall,
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sim) put(rendition string, segment, discontinuity uint64, pk *media.Packet) {
	s.t.Helper()
	if err := s.Write(rendition, media.Placed{Packet: pk, Segment: segment, Discontinuity: discontinuity}); err != nil {
		s.t.Fatal(err)
	}
}

// get fetches a path with the headers given as name, value, ….
func (s *sim) get(path string, headers ...string) *httptest.ResponseRecorder {
	return s.do(http.MethodGet, path, headers...)
}

func (s *sim) do(method, path string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "/"+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

// playlist fetches and parses a media playlist, nil if there is none.
func (s *sim) playlist(rendition string) *playlist.Media {
	s.t.Helper()
	if r := (*s.names.Load())[rendition]; r != nil && r.window.Load().partsOnly() {
		return s.early(rendition)
	}
	w := s.get(rendition + "/index.m3u8")
	if w.Code == http.StatusNotFound {
		return nil
	}
	m, err := playlist.ParseMedia(w.Body.String())
	if err != nil || w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d, %v:\n%s", rendition, w.Code, err, w.Body)
	}
	return m
}

// fragments fetches and parses a segment.
func (s *sim) fragments(path string) []fmp4.Fragment {
	s.t.Helper()
	w := s.get(path)
	fs, err := fmp4.ReadFragments(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK || len(fs) == 0 {
		s.t.Fatalf("%s: %d, %d fragments, %v", path, w.Code, len(fs), err)
	}
	return fs
}

// frames makes the packets of a track between two points of the timeline, in
// decoding order. Video has B frames where reorder is not 0, and a key at the
// start and every gop.
type frames struct {
	track   *media.Track
	rate    media.Rational // frames a second
	gop     int            // frames; 0 is only the first
	reorder int            // B frames between two others
	size    int            // bytes of a key; others have a fifth
}

func (f frames) between(from, to time.Duration) []*media.Packet {
	clock := f.track.ClockRate
	at := func(n int) int64 { // PTS of frame n
		return media.Ticks(from, clock) + int64(n)*int64(clock)*int64(f.rate.Den)/int64(f.rate.Num)
	}
	n := 0
	for at(n) < media.Ticks(to, clock) {
		n++
	}
	var out []*media.Packet
	add := func(show int, key bool) {
		size := max(f.size, 5)
		if !key && f.track.Kind == media.Video {
			size /= 5
		}
		p := &media.Packet{
			Track: f.track, PTS: at(show), DTS: at(len(out)) - int64(f.reorder)*(at(1)-at(0)),
			Key: key, Payload: make([]byte, size),
		}
		if f.track.Kind == media.Audio {
			p.Duration = at(1) - at(0)
		}
		out = append(out, p)
	}
	for i := 0; i < n; {
		key := f.track.Kind == media.Audio || i == 0 || f.gop > 0 && i%f.gop == 0
		if key || f.reorder == 0 {
			add(i, key)
			i++
			continue
		}
		last := min(i+f.reorder, n-1)
		if f.gop > 0 {
			last = min(last, (i/f.gop+1)*f.gop-1)
		}
		add(last, false)
		for b := i; b < last; b++ {
			add(b, false)
		}
		i = last + 1
	}
	return out
}

func video25() frames {
	return frames{track: videoTrack(media.Rational{Num: 25, Den: 1}), rate: media.Rational{Num: 25, Den: 1}, size: 5000}
}

func aac() frames {
	return frames{track: audioTrack(), rate: media.Rational{Num: 48000, Den: 1024}, size: 340}
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
