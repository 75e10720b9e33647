package packager

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// lowLatency holds a playlist with parts to the rules of low latency; the
// numbers are those of RFC 8216bis.
func (o *observer) lowLatency(r *rendition, v *view, m *playlist.Media) {
	o.t.Helper()
	c := m.ServerControl
	if c == nil || !c.CanBlockReload || m.PartTarget == 0 || c.PartHoldBack < 3*m.PartTarget-time.Millisecond ||
		c.HoldBack < 3*o.target || c.CanSkipUntil < 6*o.target {
		o.t.Fatalf("%s: §4.4.3.8: control %+v, part target %v", r.name, c, m.PartTarget)
	}
	if o.control == nil {
		o.control = c
	}
	if *o.control != *c {
		o.t.Errorf("%s: §6.2.4: control %+v, elsewhere or before %+v", r.name, c, o.control)
	}
	if old := v.last; old != nil && old.PartTarget != m.PartTarget {
		o.t.Errorf("%s: part target %v became %v", r.name, old.PartTarget, m.PartTarget)
	}
	segments := slices.Clone(m.Segments)
	if m.Open != nil {
		segments = append(segments, *m.Open)
	}
	behind := time.Duration(0)
	for i := len(segments) - 1; i >= 0; i-- {
		s := segments[i]
		if behind > 3*o.target && len(s.Parts) > 0 {
			o.t.Errorf("%s: §6.2.2: parts listed %v from the end", r.name, behind)
		}
		var sum time.Duration
		for _, p := range s.Parts {
			sum += p.Duration
		}
		behind += max(s.Duration, sum)
	}
	first := true
	for n, s := range segments {
		if n < len(m.Segments) {
			if _, seen := v.known[m.MediaSequence+uint64(n)]; seen {
				continue // looked at when it was complete
			}
		}
		var whole []byte
		for i, p := range s.Parts {
			if p.Duration > m.PartTarget {
				o.t.Errorf("%s: §4.4.4.9: part %s lasts %v of %v", r.name, p.URI, p.Duration, m.PartTarget)
			}
			last := i == len(s.Parts)-1 && n < len(m.Segments) || i+1 < len(s.Parts) && s.Parts[i+1].Gap
			if !last && !p.Independent && !p.Gap && p.Duration < m.PartTarget*85/100 {
				o.t.Errorf("%s: §4.4.4.9: part %s lasts only %v of %v", r.name, p.URI, p.Duration, m.PartTarget)
			}
			if old, ok := v.parts[p.URI]; ok {
				if old != p {
					o.t.Errorf("%s: part %+v became %+v", r.name, old, p)
				}
			} else {
				if first && v.last != nil && v.hint != p.URI {
					o.t.Errorf("%s: §4.4.5.3: %s was hinted, %s came", r.name, v.hint, p.URI)
				}
				first = false
			}
			v.parts[p.URI] = p
			if p.Gap {
				continue
			}
			w := o.get(r.name + "/" + p.URI)
			if w.Code != http.StatusOK {
				o.t.Fatalf("%s: §6.2.1: part %s answers %d", r.name, p.URI, w.Code)
			}
			whole = append(whole, w.Body.Bytes()...)
		}
		if n < len(m.Segments) && len(s.Parts) > 0 && !s.Gap && r.text == nil {
			if w := o.get(r.name + "/" + s.URI); !bytes.Equal(w.Body.Bytes(), whole) {
				o.t.Errorf("%s: §3.2: the parts of %s have %d bytes, the segment %d", r.name, s.URI, len(whole), w.Body.Len())
			}
		}
	}
	o.delta(r, m)
	if o.ended {
		if len(m.PreloadHints) > 0 {
			o.t.Errorf("%s: §4.4.5.3: a hint at the end", r.name)
		}
		return
	}
	if len(m.PreloadHints) != 1 || m.PreloadHints[0].Type != "PART" || len(m.RenditionReports) > len(o.order)-1 {
		o.t.Fatalf("%s: hints %+v, reports %+v", r.name, m.PreloadHints, m.RenditionReports)
	}
	v.hint = m.PreloadHints[0].URI
	for _, report := range m.RenditionReports {
		if report.LastPart < 0 {
			o.t.Errorf("%s: §4.4.5.4: report of %s without LAST-PART", r.name, report.URI)
		}
	}
}

// delta holds that a full playlist is what a client gets that fills up the
// delta update from what it knows.
func (o *observer) delta(r *rendition, m *playlist.Media) {
	o.t.Helper()
	if len(m.Segments) == 0 {
		return // nothing to skip
	}
	w := o.get(r.name + "/index.m3u8?_HLS_skip=YES")
	d, err := playlist.ParseMedia(w.Body.String())
	if err != nil {
		o.t.Fatal(err)
	}
	if d.Skip == nil {
		if bytes.Equal(d.Append(nil), m.Append(nil)) {
			return
		}
		o.t.Fatalf("%s: a playlist without EXT-X-SKIP differs:\n%s", r.name, w.Body)
	}
	if o.ended || d.Version < 9 {
		o.t.Errorf("%s: §6.2.5.1: EXT-X-SKIP at the end, or in version %d", r.name, d.Version)
	}
	n := int(d.Skip.Segments)
	var kept time.Duration
	for _, s := range d.Segments {
		kept += s.Duration
	}
	if kept < 6*o.target {
		o.t.Errorf("%s: §6.2.5.1: only the last %v are kept of a boundary of %v", r.name, kept, 6*o.target)
	}
	if s := m.Segments[n-1]; kept-d.Segments[0].Duration > 6*o.target {
		o.t.Errorf("%s: segment %s could have been skipped", r.name, s.URI)
	}
	if m.Segments[n].Map == nil {
		d.Segments[0].Map = nil // repeated for who may have skipped its tag
	}
	d.Segments = append(slices.Clone(m.Segments[:n]), d.Segments...)
	// Reports are as new as the answer.
	d.Skip, d.Version, d.RenditionReports = nil, m.Version, m.RenditionReports
	if got, want := string(d.Append(nil)), string(m.Append(nil)); got != want {
		o.t.Errorf("%s: §6.2.5.1: merged it is\n%s\nnot\n%s", r.name, got, want)
	}
}

// lowSim is a presentation with parts of 500 ms whose first segment, 100, is
// open.
func lowSim(t *testing.T) (*sim, []*media.Packet) {
	s := newSim(t, Config{LowLatency: true}, Rendition{Name: "720p", Kind: media.Video, Copy: true})
	s.cut(100, 90, 0, time.Now())
	return s, video25().between(0, 2*time.Second)
}

// early is a media playlist as a client that knows parts gets it.
func (s *sim) early(rendition string) *playlist.Media {
	s.t.Helper()
	doc, _ := (*s.names.Load())[rendition].window.Load().documents(mediaFile)
	if doc == nil {
		return nil
	}
	m, err := playlist.ParseMedia(string(doc().text))
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestFirstPartIsEnoughToBegin(t *testing.T) {
	s, packets := lowSim(t)
	defer s.Close()
	for _, pk := range packets[:13] {
		if w := s.get("index.m3u8"); w.Code != http.StatusNotFound {
			t.Fatalf("something to play before a part: %s", w.Body)
		}
		s.put("720p", 100, 90, pk)
	}
	m := s.early("720p")
	if m == nil || m.Open == nil || len(m.Open.Parts) != 1 || m.MediaSequence != 100 || m.Open.Map == nil || m.Open.ProgramDateTime.IsZero() {
		t.Fatalf("after the 13 frames of a part: %+v", m)
	}
	if w := s.get("index.m3u8"); w.Code != http.StatusOK {
		t.Errorf("multivariant playlist: %d", w.Code)
	}
}

// A client that knows no parts would give up on a playlist without a segment.
func TestPlayersWithoutPartsWaitForASegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, packets := lowSim(t)
		defer s.Close()
		for _, pk := range packets[:30] {
			s.put("720p", 100, 90, pk)
		}
		if w := s.get("720p/index.m3u8", "Accept-Encoding", "gzip"); w.Code != http.StatusOK {
			t.Errorf("a client that knows parts: %d", w.Code)
		}
		got := make(chan string, 1)
		go func() { got <- s.get("720p/index.m3u8").Body.String() }()
		synctest.Wait()
		select {
		case text := <-got:
			t.Fatalf("answered without a segment:\n%s", text)
		default:
		}
		for _, pk := range packets[30:] {
			s.put("720p", 100, 90, pk)
		}
		s.cut(101, 90, 2*time.Second, time.Now())
		s.put("720p", 101, 90, video25().between(2*time.Second, 3*time.Second)[0])
		if m, err := playlist.ParseMedia(<-got); err != nil || len(m.Segments) != 1 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

func TestDirectives(t *testing.T) {
	s, packets := lowSim(t)
	defer s.Close()
	for _, pk := range packets[:30] {
		s.put("720p", 100, 90, pk)
	}
	for query, want := range map[string]int{
		"":                               200,
		"?_HLS_msn=100&_HLS_part=1":      200,
		"?_HLS_msn=3":                    200, // the whole current one, whatever is asked of the past
		"?_HLS_msn=3&_HLS_part=99":       200,
		"?_HLS_part=1":                   400,
		"?_HLS_msn=x":                    400,
		"?_HLS_msn=-1":                   400,
		"?_HLS_msn=18446744073709551616": 400,
		"?_HLS_msn=100&_HLS_part=x":      400,
		"?_HLS_msn=103":                  400, // more than two ahead
		"?_HLS_msn=100&_HLS_part=9":      400,
		"?_HLS_msn=101&_HLS_part=6":      400,
		"?_HLS_skip=NO&other=%zz":        400,
		"?other=%zz":                     200,
		"?_HLS_skip=perhaps":             200,
	} {
		if w := s.get("720p/index.m3u8"+query, "Accept-Encoding", "gzip"); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", query, w.Code, want, w.Body)
		}
	}
	s.End()
	if w := s.get("720p/index.m3u8?_HLS_msn=900"); w.Code != 200 {
		t.Errorf("§6.2.5.2: directives after the end: %d", w.Code)
	}
}

// Whatever is asked, nobody waits for what is far away or makes no sense.
func FuzzDirectives(f *testing.F) {
	for _, query := range []string{"_HLS_msn=1&_HLS_part=2&_HLS_skip=v2", "_HLS_part=1", "_HLS_msn=-1", "a=b;_HLS_msn=%zz"} {
		f.Add(query)
	}
	w := &window{open: &segment{number: 100, parts: make([]part, 2)}, target: 500 * time.Millisecond}
	f.Fuzz(func(t *testing.T, query string) {
		d, err := parseDirectives(query)
		if err != nil || !d.blocks || w.tooFar(d) != nil {
			return
		}
		if d.msn > 102 || d.msn >= 100 && d.part > 2+6 {
			t.Errorf("%q waits for part %d of segment %d", query, d.part, d.msn)
		}
	})
}

func TestBlockedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, packets := lowSim(t)
		defer s.Close()
		put := func(n int) {
			for range n {
				s.put("720p", 100, 90, packets[0])
				packets = packets[1:]
			}
		}
		put(13) // part 0
		ask := func(path string) func() int {
			code := make(chan int, 1)
			go func() { code <- s.get(path).Code }()
			return func() int {
				synctest.Wait()
				select {
				case c := <-code:
					code <- c
					return c
				default:
					return 0
				}
			}
		}
		hint := s.early("720p").PreloadHints[0].URI
		part, playlists := ask("720p/"+hint), ask("720p/index.m3u8?_HLS_msn=100&_HLS_part=1")
		whole := ask("720p/index.m3u8?_HLS_msn=100")
		far := ask("720p/part100002.m4s")
		put(11)
		if part() != 0 || playlists() != 0 || far() != 404 {
			t.Errorf("before the part is there: %d %d, not hinted: %d", part(), playlists(), far())
		}
		put(2)
		if part() != 200 || playlists() != 200 || whole() != 0 {
			t.Errorf("when the part is there: %d %d, for the segment %d", part(), playlists(), whole())
		}
		next, report := ask("720p/index.m3u8?_HLS_msn=100&_HLS_part=2"), ask("720p/"+s.early("720p").PreloadHints[0].URI)
		time.Sleep(9 * time.Second) // virtual: three target durations
		if next() != 503 || report() != 503 || whole() != 503 {
			t.Errorf("after three target durations: %d %d %d", next(), report(), whole())
		}
		next = ask("720p/index.m3u8?_HLS_msn=101")
		s.End()
		if next() != 200 {
			t.Errorf("at the end: %d", next())
		}
	})
}

// A client that knows no parts may fetch the segment in production.
func TestSegmentInProduction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, packets := lowSim(t)
		defer s.Close()
		for _, pk := range packets[:30] {
			s.put("720p", 100, 90, pk)
		}
		done := make(chan []byte, 1)
		go func() { done <- s.get("720p/100.m4s").Body.Bytes() }()
		broken := make(chan any, 1)
		synctest.Wait()
		for _, pk := range packets[30:] {
			s.put("720p", 100, 90, pk)
		}
		s.cut(101, 90, 2*time.Second, time.Now())
		second := video25().between(2*time.Second, 4*time.Second)
		for _, pk := range second[:20] {
			s.put("720p", 101, 90, pk)
		}
		if got, want := <-done, s.get("720p/100.m4s").Body.Bytes(); !bytes.Equal(got, want) || len(want) == 0 {
			t.Errorf("%d bytes of %d", len(got), len(want))
		}
		go func() {
			defer func() { broken <- recover() }()
			s.get("720p/101.m4s")
		}()
		synctest.Wait()
		s.Lost("720p")
		s.cut(102, 91, 4*time.Second, time.Now())
		s.cut(103, 91, 6*time.Second, time.Now())
		if v := <-broken; v != http.ErrAbortHandler { //nolint:errorlint // a panic value
			t.Errorf("a segment that is given up ends with %v", v)
		}
	})
}

// Wherever frames are missing within a segment, what is decoded has no hole,
// every frame that came is shown at its time, and the parts are as long as the
// segment.
func TestMissingFrames(t *testing.T) {
	for name, f := range map[string]frames{"video": video25(), "B-frames": {
		track: videoTrack(media.Rational{Num: 30, Den: 1}), rate: media.Rational{Num: 30, Den: 1}, size: 5000, reorder: 2, gop: 60,
	}, "audio": aac()} {
		for missing := 1; missing <= 3; missing++ {
			for at := 10; at < 40; at++ {
				s := newSim(t, Config{LowLatency: true}, Rendition{Name: "x", Kind: f.track.Kind, Copy: true})
				s.cut(100, 90, 10*time.Second, time.Now())
				packets := f.between(10*time.Second, 12*time.Second+f.step())
				last := packets[len(packets)-1]
				packets = slices.Delete(packets[:len(packets)-1], at, at+missing)
				for _, pk := range packets {
					s.put("x", 100, 90, pk)
				}
				s.cut(101, 90, 12*time.Second, time.Now())
				last.Key = true
				s.put("x", 101, 90, last)
				s.checkWhole(name, packets, missing, at)
				s.Close()
			}
		}
	}
}

func (f frames) step() time.Duration {
	return time.Second * time.Duration(f.rate.Den) / time.Duration(f.rate.Num)
}

// checkWhole looks at segment 100 of rendition x.
func (s *sim) checkWhole(what string, packets []*media.Packet, missing, at int) {
	s.t.Helper()
	fragments := s.fragments("x/100.m4s")
	dts := int64(fragments[0].Base)
	shown := map[int64]bool{}
	for i, f := range fragments {
		if int64(f.Base) != dts {
			s.t.Fatalf("%s, %d missing at %d: fragment %d begins at %d, the one before ends at %d", what, missing, at, i, f.Base, dts)
		}
		for _, sample := range f.Samples {
			shown[dts+int64(sample.Offset)] = true
			dts += int64(sample.Duration)
		}
	}
	for _, pk := range packets {
		if !shown[pk.PTS] {
			s.t.Fatalf("%s, %d missing at %d: the frame of %d is shown at another time", what, missing, at, pk.PTS)
		}
	}
	m := s.early("x")
	var parts time.Duration
	for _, p := range m.Segments[0].Parts {
		parts += p.Duration
	}
	if off := parts - m.Segments[0].Duration; off.Abs() > 25*time.Millisecond {
		s.t.Fatalf("%s, %d missing at %d: parts last %v, the segment %v", what, missing, at, parts, m.Segments[0].Duration)
	}
}
