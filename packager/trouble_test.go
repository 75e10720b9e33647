package packager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/store"
)

var errFull = errors.New("no space left on device")

// failing is a store that fails for the names in it.
type failing struct {
	store.Store
	names map[string]bool
}

func (f *failing) Create(name string) (*store.File, error) {
	if f.names[name] {
		return nil, fmt.Errorf("create %s: %w", name, errFull)
	}
	return f.Store.Create(name)
}

func (s *sim) fill(rendition string, from, to uint64) {
	s.t.Helper()
	for n := from; n <= to; n++ {
		at := time.Duration(n-from) * 2 * time.Second
		if s.timeline.newest() < n {
			s.cut(n, 90, at, time.Now().Add(at))
		}
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put(rendition, n, 90, pk)
		}
	}
}

func TestStoreFails(t *testing.T) {
	before := mediaFiles(t)
	st := &failing{Store: store.Memory{}, names: map[string]bool{"720p/101.m4s": true}}
	s := newSim(t, Config{Store: st}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	s.fill("720p", 100, 103)
	if len(s.troubles) != 1 || !strings.Contains(s.troubles[0], "720p: store segment 101") {
		t.Errorf("troubles: %q", s.troubles)
	}
	m := s.playlist("720p")
	if len(m.Segments) != 3 || m.Segments[0].Gap || !m.Segments[1].Gap || m.Segments[2].Gap || m.Segments[1].Duration != 2*time.Second {
		t.Errorf("got %+v", m.Segments)
	}
	if w := s.get("720p/101.m4s"); w.Code != 404 {
		t.Errorf("the gap answers %d", w.Code)
	}
	if st := s.Stats().Renditions[0]; st.Gaps != 1 || st.Segments != 2 {
		t.Errorf("%+v", st)
	}
	s.Close()
	if n := mediaFiles(t) - before; n != 0 {
		t.Errorf("%d files leaked", n)
	}
}

// A playlist does not begin with a gap, and what comes late for a segment that
// was given up does not open it again.
func TestStoreFailsAtFirst(t *testing.T) {
	st := &failing{Store: store.Memory{}, names: map[string]bool{"720p/100.m4s": true}}
	s := newSim(t, Config{Store: st}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	s.fill("720p", 100, 100)
	s.Suspend()
	st.names = nil
	s.put("720p", 100, 90, video25().between(0, time.Second)[0])
	if s.cut(101, 91, 9*time.Second, time.Now()); s.playlist("720p") != nil {
		t.Error("there is a playlist without a segment")
	}
	for _, pk := range video25().between(9*time.Second, 11*time.Second) {
		s.put("720p", 101, 91, pk)
	}
	s.Suspend()
	if m := s.playlist("720p"); m == nil || len(m.Segments) != 1 || m.MediaSequence != 101 || m.DiscontinuitySequence != 91 {
		t.Errorf("got %+v", m)
	}
}

// A disk that fills while a segment is written costs that segment only.
func TestDiskFills(t *testing.T) {
	dir := t.TempDir()
	disk, err := store.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "720p"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(dir, "720p", ".101.m4s.part")); err != nil {
		t.Fatal(err)
	}
	s := newSim(t, Config{Store: disk}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	s.fill("720p", 100, 103)
	if m := s.playlist("720p"); len(m.Segments) != 3 || !m.Segments[1].Gap || m.Segments[2].Gap {
		t.Errorf("got %+v", m.Segments)
	}
	if len(s.troubles) != 1 || !strings.Contains(s.troubles[0], "no space left on device") {
		t.Errorf("troubles: %q", s.troubles)
	}
}

func TestWriteErrors(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video})
	pk := video25().between(0, time.Second)[0]
	if err := s.Write("1080p", media.Placed{Packet: pk, Segment: 1}); !errors.Is(err, ErrUnknownRendition) {
		t.Errorf("unknown rendition: %v", err)
	}
	if err := s.Write("720p", media.Placed{Packet: pk, Segment: 1}); !errors.Is(err, ErrNoCut) {
		t.Errorf("before any cut: %v", err)
	}
	s.cut(10, 5, 0, time.Now())
	if err := s.Write("720p", media.Placed{Packet: pk, Segment: 11, Discontinuity: 5}); !errors.Is(err, ErrNoCut) {
		t.Errorf("before its cut: %v", err)
	}
	if err := s.Write("720p", media.Placed{Packet: pk, Segment: 10, Discontinuity: 6}); !errors.Is(err, ErrNoCut) {
		t.Errorf("with another discontinuity: %v", err)
	}
	for _, c := range []media.Cut{
		{Segment: 12, Discontinuity: 5, PTS: 180000, ClockRate: 90000},
		{Segment: 10, Discontinuity: 5, PTS: 180000, ClockRate: 90000},
		{Segment: 11, Discontinuity: 7, PTS: 180000, ClockRate: 90000},
		{Segment: 11, Discontinuity: 4, PTS: 180000, ClockRate: 90000},
		{Segment: 11, Discontinuity: 5, PTS: 0, ClockRate: 90000},
		{Segment: 11, Discontinuity: 5, PTS: 180000},
	} {
		if err := s.Cut(c); err == nil {
			t.Errorf("cut %+v was taken", c)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write("720p", media.Placed{Packet: pk, Segment: 10, Discontinuity: 5}); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	if err := s.Cut(media.Cut{Segment: 11}); !errors.Is(err, ErrEnded) {
		t.Errorf("cut after the end: %v", err)
	}
	s.Close()
	s.Close()
	if err := s.Write("720p", media.Placed{Packet: pk, Segment: 10, Discontinuity: 5}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := s.End(); !errors.Is(err, ErrClosed) {
		t.Errorf("end after Close: %v", err)
	}
}

func TestBadConfigs(t *testing.T) {
	for _, cfg := range []Config{{}, {Store: store.Memory{}, Part: -1}, {Store: store.Memory{}, Output: &store.Output{}}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	for _, rs := range [][]Rendition{
		nil,
		{{Name: "", Kind: media.Video}},
		{{Name: "..", Kind: media.Video}},
		{{Name: "a/b", Kind: media.Video}},
		{{Name: "index.m3u8", Kind: media.Video}},
		{{Name: "a"}},
		{{Name: "a", Kind: media.Video}, {Name: "a", Kind: media.Audio}},
	} {
		s := newSim(t, Config{})
		if err := s.SetRenditions(rs); err == nil {
			t.Errorf("%+v was taken", rs)
		}
		s.Close()
	}
}

// Times that make no sense, and a track without its parameter sets, cost
// packets and never more.
func TestOddPackets(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	f := video25()
	bare := *f.track
	bare.Config = nil
	s.cut(10, 5, 0, time.Now())
	s.put("720p", 10, 5, &media.Packet{Track: &bare, Key: true, Payload: []byte("x")})
	s.put("720p", 10, 5, &media.Packet{Track: &bare, PTS: 1, DTS: 1, Payload: []byte("x")})
	if len(s.troubles) != 1 {
		t.Errorf("a track without configuration: %q", s.troubles)
	}
	pks := f.between(0, 2*time.Second)
	pks[3].DTS, pks[3].PTS = -90000, -90000 // goes back
	pks[4].DTS = pks[2].DTS                 // stands still
	pks[9].PTS = 1 << 60
	for _, pk := range pks {
		s.put("720p", 10, 5, pk)
	}
	s.cut(11, 5, 2*time.Second, time.Now())
	s.put("720p", 11, 5, f.between(2*time.Second, 3*time.Second)[0])
	m := s.playlist("720p")
	if len(m.Segments) != 1 || m.Segments[0].Duration != 2*time.Second {
		t.Fatalf("got %+v", m.Segments)
	}
	n := 0
	for _, fr := range s.fragments("720p/10.m4s") {
		n += len(fr.Samples)
	}
	if dropped := s.Stats().Renditions[0].Dropped; n+int(dropped) != len(pks)+2 {
		t.Errorf("%d packets in the segment, %d dropped, %d written", n, dropped, len(pks)+2)
	}
}

// Decoding times before the stream's beginning are possible where a coder
// reorders; tfdt has no sign.
func TestNegativeDTS(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	f := video25()
	f.reorder = 3
	s.cut(10, 5, 0, time.Now())
	in := f.between(0, 2*time.Second)
	for _, pk := range in {
		s.put("720p", 10, 5, pk)
	}
	s.cut(11, 5, 2*time.Second, time.Now())
	s.put("720p", 11, 5, f.between(2*time.Second, 3*time.Second)[0])
	i := 0
	for _, fr := range s.fragments("720p/10.m4s") {
		at := int64(fr.Base)
		for _, sample := range fr.Samples {
			if pts := at + int64(sample.Offset); pts != in[i].PTS {
				t.Errorf("sample %d is shown at %d, not %d", i, pts, in[i].PTS)
			}
			at += int64(sample.Duration)
			i++
		}
	}
	if i != len(in) {
		t.Errorf("%d samples of %d", i, len(in))
	}
}

// A frame that lasts longer than a part keeps its duration; the parts show
// the longest allowed and the rest as gaps.
func TestLongFrame(t *testing.T) {
	s := newSim(t, Config{Part: 200 * time.Millisecond}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	f := video25()
	s.cut(10, 5, 0, time.Now())
	for _, pk := range f.between(0, 600*time.Millisecond) {
		s.put("720p", 10, 5, pk)
	}
	for _, pk := range f.between(1500*time.Millisecond, 2*time.Second) {
		pk.Key = false
		s.put("720p", 10, 5, pk)
	}
	s.cut(11, 5, 2*time.Second, time.Now())
	s.put("720p", 11, 5, f.between(2*time.Second, 3*time.Second)[0])

	var parts, sum time.Duration
	gaps := 0
	for _, p := range (*s.names.Load())["720p"].window.Load().held[0].parts {
		if p.duration > 200*time.Millisecond {
			t.Errorf("a part lasts %v", p.duration)
		}
		if p.gap {
			gaps++
		}
		parts += p.duration
	}
	for _, fr := range s.fragments("720p/10.m4s") {
		sum += media.Duration(int64(fr.Duration()), 90000)
	}
	if parts != 2*time.Second || sum != 2*time.Second || gaps < 4 {
		t.Errorf("parts last %v, media %v, %d gaps", parts, sum, gaps)
	}
}
