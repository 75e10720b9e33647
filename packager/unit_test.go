package packager

import (
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

func TestPartTarget(t *testing.T) {
	for _, c := range []struct {
		part     time.Duration
		num, den int64 // frames a second
		want     time.Duration
	}{
		{500 * time.Millisecond, 30, 1, 500 * time.Millisecond},
		{500 * time.Millisecond, 25, 1, 520 * time.Millisecond}, // 12.5 frames round up
		{200 * time.Millisecond, 25, 1, 200 * time.Millisecond},
		{200 * time.Millisecond, 30000, 1001, 201 * time.Millisecond}, // DESIGN §3.7
		{500 * time.Millisecond, 24000, 1001, 501 * time.Millisecond},
		{500 * time.Millisecond, 60000, 1001, 501 * time.Millisecond},
		{500 * time.Millisecond, 48000, 1024, 491 * time.Millisecond}, // AAC: 23 frames
		{200 * time.Millisecond, 1, 1, time.Second},                   // never less than a frame
	} {
		if got := partTarget(c.part, c.den, c.num); got != c.want {
			t.Errorf("%v at %d/%d: %v, want %v", c.part, c.num, c.den, got, c.want)
		}
	}
}

func TestMeasuredTarget(t *testing.T) {
	const part = 500 * time.Millisecond
	for _, c := range []struct {
		durations []int64
		want      time.Duration
	}{
		{nil, part},
		{[]int64{3000, 3000, 3000}, 500 * time.Millisecond},
		{[]int64{3003, 3003, 3003}, 501 * time.Millisecond},
		{[]int64{3750, 3754, 3754, 3754}, 501 * time.Millisecond},   // rounding is no irregularity
		{[]int64{3000, 6000, 3000}, part},                           // seven of the longest are less
		{[]int64{3000, 9000, 3000, 27000}, 2100 * time.Millisecond}, // seven times 300 ms
	} {
		if got := measuredTarget(part, c.durations, 90000); got != c.want {
			t.Errorf("%v: %v, want %v", c.durations, got, c.want)
		}
	}
}

func TestMeter(t *testing.T) {
	m := meter{target: 3 * time.Second}
	check := func(step string, peak, average int) {
		t.Helper()
		// Rates are rounded up.
		if m.peak-peak < 0 || m.peak-peak > 2 || m.average()-average < 0 || m.average()-average > 2 {
			t.Errorf("%s: peak %d, average %d; want %d, %d", step, m.peak, m.average(), peak, average)
		}
	}
	m.add(1000, time.Second)
	check("less than half a target says nothing of the peak", 0, 8000)
	m.add(3000, time.Second)
	check("two of them do", 16000, 16000)
	m.add(0, 2*time.Second)
	m.add(9000, time.Second)
	check("a gap breaks the row", 16000, 34666)
	m.add(5000, 2*time.Second)
	check("three seconds in a row", 37333, 28800)
	for range 10 {
		m.add(100, 2*time.Second)
	}
	check("the peak stays", 37333, 6080)
	if len(m.recent) > 4 {
		t.Errorf("%d segments are remembered", len(m.recent))
	}
	if m.first != 8001 {
		t.Errorf("first is %d", m.first)
	}
}

func TestMeasuredRate(t *testing.T) {
	for _, c := range []struct {
		frames int
		d      time.Duration
		want   int
	}{
		{50, 2 * time.Second, 25000},
		{60, 2002 * time.Millisecond, 29970},
		{48, 2002 * time.Millisecond, 23976},
		{60, 2000500 * time.Microsecond, 30000},
		{15, time.Second, 15000},
		{7, 0, 0},
	} {
		if got := measuredRate(c.frames, c.d); got != c.want {
			t.Errorf("%d in %v: %d, want %d", c.frames, c.d, got, c.want)
		}
	}
}

func TestArrange(t *testing.T) {
	for _, c := range []struct{ in, want []int }{
		{nil, nil},
		{[]int{5}, []int{5}},
		{[]int{300_000, 6_000_000, 2_500_000, 1_000_000}, []int{2_500_000, 6_000_000, 1_000_000, 300_000}},
		{[]int{9_000_000, 8_000_000}, []int{8_000_000, 9_000_000}},
		{[]int{100_000, 200_000}, []int{200_000, 100_000}},
	} {
		var vs []playlist.Variant
		for _, b := range c.in {
			vs = append(vs, playlist.Variant{Bandwidth: b})
		}
		arrange(vs)
		for i, v := range vs {
			if v.Bandwidth != c.want[i] {
				t.Errorf("%v: %d is at place %d", c.in, v.Bandwidth, i)
			}
		}
	}
}

// Every video is listed once for each audio group, with the largest rendition
// of it in BANDWIDTH and all codings in CODECS.
func TestAudioGroups(t *testing.T) {
	s := newSim(t, Config{},
		Rendition{Name: "720p", Kind: media.Video, Bitrate: 2_000_000},
		Rendition{Name: "en", Kind: media.Audio, Bitrate: 100_000, Language: "en"},
		Rendition{Name: "de", Kind: media.Audio, Bitrate: 200_000, Language: "de", Default: true},
		Rendition{Name: "en2", Kind: media.Audio, Bitrate: 90_000, Language: "en"},
		Rendition{Name: "opus", Kind: media.Audio, Bitrate: 64_000, Group: "opus", Language: "de"},
		Rendition{Name: "stray", Kind: media.Audio, Bitrate: 64_000, Group: "other", Title: "unknown"})
	defer s.Close()
	for n := range uint64(2) {
		at := time.Duration(n) * 2 * time.Second
		s.cut(10+n, 1, at, time.Now())
		for _, pk := range video25().between(at, at+2*time.Second) {
			s.put("720p", 10+n, 1, pk)
		}
		for _, name := range []string{"en", "de", "en2", "opus", "stray"} {
			f := aac()
			if name == "opus" {
				f = frames{track: opusTrack(), rate: media.Rational{Num: 50, Den: 1}}
			}
			for _, pk := range f.between(at, at+2*time.Second) {
				s.put(name, 10+n, 1, pk)
			}
		}
	}
	m, err := playlist.ParseMultivariant(s.get("index.m3u8").Body.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Variants) != 2 || len(m.Renditions) != 6 || m.Variants[0].Audio != "audio" {
		t.Fatalf("%d variants, %d renditions", len(m.Variants), len(m.Renditions))
	}
	alone := (*s.names.Load())["720p"].shown.bandwidth
	for _, v := range m.Variants {
		sound, codecs := (*s.names.Load())["de"].shown.bandwidth, "avc1.42C01E,mp4a.40.2"
		if v.Audio == "opus" {
			// two of its members are those of the other group
			sound, codecs = max((*s.names.Load())["opus"].shown.bandwidth, (*s.names.Load())["en"].shown.bandwidth), "avc1.42C01E,mp4a.40.2,opus"
		}
		if v.Bandwidth != alone+sound || v.Codecs != codecs || v.AverageBandwidth > v.Bandwidth {
			t.Errorf("%+v, want BANDWIDTH %d", v, alone+sound)
		}
	}
	defaults := map[string]int{}
	names := map[string]bool{}
	for _, r := range m.Renditions {
		if names[r.GroupID+r.Name] {
			t.Errorf("two are called %s in %s", r.Name, r.GroupID)
		}
		names[r.GroupID+r.Name] = true
		if r.Default {
			defaults[r.GroupID]++
			if r.Name != "de" {
				t.Errorf("%s is the default", r.Name)
			}
		}
	}
	if defaults["audio"] != 1 || defaults["opus"] != 1 {
		t.Errorf("defaults: %v", defaults)
	}
}

// BANDWIDTH is raised when more is measured, and never goes down.
func TestBandwidthIsOnlyRaised(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	bandwidth := func() int {
		m, err := playlist.ParseMultivariant(s.get("index.m3u8").Body.String())
		if err != nil {
			t.Fatal(err)
		}
		return m.Variants[0].Bandwidth
	}
	f := video25()
	var seen []int
	for n, size := range []int{5000, 5000, 50_000, 500, 5000, 5000} {
		f.size = size
		at := time.Duration(n) * 2 * time.Second
		s.cut(uint64(10+n), 1, at, time.Now())
		for _, pk := range f.between(at, at+2*time.Second) {
			s.put("720p", uint64(10+n), 1, pk)
		}
		if n > 0 {
			seen = append(seen, bandwidth())
		}
	}
	size := s.get("720p/10.m4s").Body.Len()
	if first := size * 8 / 2 * 3 / 2; seen[0] < first || seen[0] > first+3 {
		t.Errorf("at first %d, want 1.5 times the first GOP, %d", seen[0], first)
	}
	if large := s.get("720p/12.m4s").Body.Len() * 8 / 2; seen[2] < large || seen[2] > large+3 {
		t.Errorf("then %d, measured %d", seen[2], large)
	}
	if seen[4] != seen[2] {
		t.Errorf("it goes down: %v", seen)
	}
}

// A new plan's coder is measured anew, from its discontinuity on; until then
// the playlist says what it said.
func TestNewPlanIsMeasuredAnew(t *testing.T) {
	s := newSim(t, Config{}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	defer s.Close()
	bandwidth := func() int {
		m, err := playlist.ParseMultivariant(s.get("index.m3u8").Body.String())
		if err != nil {
			t.Fatal(err)
		}
		return m.Variants[0].Bandwidth
	}
	play := func(n, disc uint64, size int) {
		f := video25()
		f.size = size
		at := time.Duration(n) * 2 * time.Second
		s.cut(n, disc, at, time.Now())
		for _, pk := range f.between(at, at+2*time.Second) {
			s.put("720p", n, disc, pk)
		}
	}
	play(10, 1, 50_000)
	play(11, 1, 50_000)
	copied := bandwidth()
	if err := s.SetRenditions([]Rendition{{Name: "720p", Kind: media.Video, Bitrate: 900_000}}); err != nil {
		t.Fatal(err)
	}
	if got := bandwidth(); got != copied {
		t.Errorf("before it begins: %d, was %d", got, copied)
	}
	play(12, 2, 5000)
	if got := bandwidth(); got != copied {
		t.Errorf("with its first segment open: %d, was %d", got, copied)
	}
	play(13, 2, 5000)
	if got := bandwidth(); got < 900_000 || got > 950_000 {
		t.Errorf("coded with at most 900 kbit/s: %d", got)
	}
}
