package check

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// without leaves out the lines that begin with a prefix.
func without(prefix string) func(string, string) string {
	return func(_, text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, prefix) {
				b.WriteString(line)
			}
		}
		return b.String()
	}
}

// attribute sets an attribute of whatever tag has it; an empty value takes it out.
func attribute(name, value string) func(string, string) string {
	return func(_, text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			for _, before := range []string{",", ":"} {
				if i := strings.Index(line, before+name+"="); i >= 0 {
					end := i + 1 + strings.IndexAny(line[i+1:], ",\n")
					if value == "" {
						line = strings.Replace(line[:i+len(before)]+strings.TrimPrefix(line[end:], ","), ",\n", "\n", 1)
					} else {
						line = line[:i+len(before)] + name + "=" + value + line[end:]
					}
					break
				}
			}
			b.WriteString(line)
		}
		return b.String()
	}
}

func multivariant(f func(string, string) string) func(string) string {
	return func(text string) string { return f("", text) }
}

func onAudio(f func(m *playlist.Media)) func(string, *playlist.Media) {
	return func(name string, m *playlist.Media) {
		if strings.HasPrefix(name, "audio") {
			f(m)
		}
	}
}

// onIFrames changes I-frame playlists only, and notIFrames all others.
func onIFrames(f func(m *playlist.Media)) func(string, *playlist.Media) {
	return func(name string, m *playlist.Media) {
		if strings.HasSuffix(name, "/iframes.m3u8") {
			f(m)
		}
	}
}

func notIFrames(f func(name string, m *playlist.Media)) func(string, *playlist.Media) {
	return func(name string, m *playlist.Media) {
		if !m.IFramesOnly {
			f(name, m)
		}
	}
}

// stretch makes the ranges of I-frames longer, or shorter.
func stretch(offset, length int64) func(m *playlist.Media) {
	return func(m *playlist.Media) {
		for i := range m.Segments {
			if r := m.Segments[i].ByteRange; r != nil {
				r.Offset, r.Length = r.Offset+offset, r.Length+length
			}
		}
	}
}

// isSegment and isPart tell media by its name.
func isSegment(name string) bool {
	_, ok := numberOf(name)
	return ok
}

func numberOf(name string) (int, bool) {
	base := path.Base(name)
	n, err := strconv.Atoi(strings.TrimSuffix(base, path.Ext(base)))
	return n, err == nil
}

func isPart(name string) bool { return strings.HasPrefix(path.Base(name), "part") }

func isVideo(name string) bool { return !strings.HasPrefix(name, "audio") }

// rewritten writes fragments anew after change.
func rewritten(b []byte, change func(i int, f *fmp4.Fragment)) []byte {
	fs, err := fmp4.ReadFragments(b)
	if err != nil {
		panic(err)
	}
	var out []byte
	for i := range fs {
		change(i, &fs[i])
		out = fmp4.AppendFragment(out, fs[i].Sequence, fs[i].Base, fs[i].Samples)
		for _, s := range fs[i].Samples {
			out = append(out, s.Payload...)
		}
	}
	return out
}

// strip answers as if nothing were asked.
func strip(only func(query string) bool) func(http.Handler) http.HandlerFunc {
	return func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if only(r.URL.RawQuery) {
				r.URL.RawQuery = ""
			}
			next.ServeHTTP(w, r)
		}
	}
}

func answer400(only func(query string) bool) func(http.Handler) http.HandlerFunc {
	return func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if only(r.URL.RawQuery) {
				http.Error(w, "no", http.StatusBadRequest)
				return
			}
			next.ServeHTTP(w, r)
		}
	}
}

func contains(part string) func(string) bool {
	return func(s string) bool { return strings.Contains(s, part) }
}

// slow delays what it says to.
func slow(d time.Duration, what func(r *http.Request) bool) func(http.Handler) http.HandlerFunc {
	return func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if what(r) {
				time.Sleep(d)
			}
			next.ServeHTTP(w, r)
		}
	}
}

var faults = []fault{
	{rule: "readable", text: func(_, text string) string { return text + "#EXTINF:x,\n" }, follows: []string{"iframes-only"}},
	{rule: "part-inf", text: without("#EXT-X-PART-INF")},
	{rule: "part-hold-back", text: attribute("PART-HOLD-BACK", "0.300"), follows: []string{"part-hold-back-three"}},
	{rule: "part-hold-back-three", text: attribute("PART-HOLD-BACK", "0.500")},
	{rule: "hold-back", text: attribute("HOLD-BACK", "1.000")},
	{rule: "can-skip-until", text: attribute("CAN-SKIP-UNTIL", "1.000"), follows: []string{"delta-dateranges"}},
	{rule: "skip-dateranges", text: attribute("CAN-SKIP-UNTIL", "")},
	{rule: "skip-dateranges-offered", text: attribute("CAN-SKIP-DATERANGES", "")},
	{rule: "daterange-date", ended: true, text: without("#EXT-X-PROGRAM-DATE-TIME")},
	{rule: "daterange-end", model: func(_ string, m *playlist.Media) {
		for i := range m.DateRanges {
			if d := &m.DateRanges[i]; d.Duration >= time.Second {
				d.End = d.Start.Add(d.Duration - time.Second)
			}
		}
	}},
	{rule: "daterange-ids", later: func(_ string, m *playlist.Media) {
		for i := range m.DateRanges {
			m.DateRanges[i].Class += "x"
		}
	}, follows: []string{"delta-dateranges"}},
	{rule: "dateranges-stay", later: func(_ string, m *playlist.Media) { m.DateRanges = nil }},
	{rule: "delta-dateranges", model: func(_ string, m *playlist.Media) {
		if m.Skip != nil {
			m.Skip.DateRanges = false
		}
	}},
	{rule: "delta-dateranges", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { // all of them are left out
			if r.URL.RawQuery != "_HLS_skip=v2" {
				next.ServeHTTP(w, r)
				return
			}
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			_, _ = io.WriteString(w, without("#EXT-X-DATERANGE")("", got.Body.String()))
		}
	}},
	{rule: "part-longest", text: attribute("PART-TARGET", "0.100")},
	{rule: "part-shortest", text: func(_, text string) string {
		return attribute("PART-HOLD-BACK", "1.500")("", attribute("PART-TARGET", "0.500")("", text))
	}},
	{rule: "tags-before-parts", text: func(_, text string) string {
		i := strings.Index(text, "#EXT-X-PART:")
		if i < 0 {
			return text
		}
		end := i + strings.IndexByte(text[i:], '\n') + 1
		return text[:end] + "#EXT-X-DISCONTINUITY\n" + text[end:]
	}, follows: []string{"legal-edits"}},
	{rule: "version", model: func(_ string, m *playlist.Media) {
		if m.Skip != nil && m.Skip.DateRanges {
			m.Version = 9
		}
	}},
	{rule: "version", text: func(_, text string) string { return strings.Replace(text, "VERSION:6", "VERSION:3", 1) }},
	{rule: "hint-after-end", ended: true, text: func(_, text string) string {
		return text + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"never.m4s\"\n"
	}},
	{rule: "one-hint", text: func(_, text string) string {
		return text + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"another.m4s\"\n"
	}},
	{rule: "reports", text: attribute("LAST-PART", "")},
	{rule: "date", text: without("#EXT-X-PROGRAM-DATE-TIME"), follows: []string{"daterange-date"}},
	{rule: "segment-longest", model: notIFrames(func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].Duration *= 3
		}
	}), follows: []string{"extinf", "date-follows", "parts-leave"}},
	{rule: "sliding-type", model: func(_ string, m *playlist.Media) { m.Type = playlist.Event }},
	{rule: "parts-leave", model: notIFrames(func(_ string, m *playlist.Media) {
		if m.Skip == nil {
			m.Segments[0].Parts = []playlist.Part{{URI: "old" + m.Segments[0].URI, Duration: m.PartTarget, Independent: true}}
		}
	}), follows: []string{"listed-is-there", "hint-comes"}},
	{rule: "six-segments", model: func(_ string, m *playlist.Media) {
		if n := len(m.Segments) - 4; m.Skip == nil && n > 0 {
			m.Segments, m.MediaSequence = m.Segments[n:], m.MediaSequence+uint64(n)
		}
	}, follows: []string{"window", "delta"}},
	{rule: "window", plain: true, model: func(_ string, m *playlist.Media) {
		if n := len(m.Segments) - 2; n > 0 {
			m.Segments, m.MediaSequence = m.Segments[n:], m.MediaSequence+uint64(n)
		}
	}, follows: []string{"six-segments"}},
	{rule: "target-changes", later: func(_ string, m *playlist.Media) { m.TargetDuration++ }, follows: []string{"hold-back", "can-skip-until"}},
	{rule: "part-target-changes", later: func(_ string, m *playlist.Media) { m.PartTarget += 10 * time.Millisecond }, follows: []string{"part-hold-back-three"}},
	{rule: "sequence", later: func(_ string, m *playlist.Media) { m.MediaSequence += 2 }, follows: []string{"legal-edits", "parts-stay", "continuous", "parts-punctual"}},
	{rule: "legal-edits", later: func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].Duration += time.Millisecond
		}
	}},
	{rule: "parts-stay", later: func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			for n := range m.Segments[i].Parts {
				m.Segments[i].Parts[n].Duration -= time.Millisecond
			}
		}
	}},
	{rule: "discontinuity-sequence", later: func(_ string, m *playlist.Media) { m.DiscontinuitySequence += 3 }},
	{rule: "date-follows", model: func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			if n, _ := strconv.Atoi(strings.TrimSuffix(m.Segments[i].URI, ".m4s")); n%2 == 1 {
				m.Segments[i].ProgramDateTime = m.Segments[i].ProgramDateTime.Add(300 * time.Millisecond)
			}
		}
	}},
	{rule: "map-changes", model: func(_ string, m *playlist.Media) {
		if n := len(m.Segments) / 2; m.Skip == nil && n > 0 {
			m.Segments[n].Map = &playlist.Map{URI: "other.mp4"}
		}
	}, follows: []string{"listed-is-there"}},
	{rule: "hint-comes", text: func(_, text string) string {
		return strings.ReplaceAll(text, "TYPE=PART,URI=\"part", "TYPE=PART,URI=\"never")
	}},
	{rule: "parts-punctual", handle: slow(1500*time.Millisecond, func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, ".m3u8") && r.URL.RawQuery != "" && !strings.Contains(r.URL.RawQuery, "skip") &&
			!strings.Contains(r.URL.RawQuery, "soon") && strings.Contains(r.URL.RawQuery, "_HLS_part=3")
	})},
	{rule: "segments-punctual", plain: true, handle: slow(4*time.Second, func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/index.m3u8")
	})},
	{rule: "removed-stays", handle: func(next http.Handler) http.HandlerFunc {
		var newest atomic.Int64
		return func(w http.ResponseWriter, r *http.Request) {
			if n, ok := numberOf(r.URL.Path); ok && r.Header.Get("Range") == "" {
				if int64(n) > newest.Load() {
					newest.Store(int64(n))
				}
				if int64(n) < newest.Load()-20 { // older ones are not downloaded
					http.NotFound(w, r)
					return
				}
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "listed-is-there", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if isSegment(r.URL.Path) {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		}
	}, follows: []string{"iframe-range", "removed-stays"}},
	{rule: "media-readable", media: func(name string, b []byte) []byte {
		if isSegment(name) {
			return b[:len(b)-100]
		}
		return b
	}},
	{rule: "part-is-media", media: func(name string, b []byte) []byte {
		if isPart(name) {
			return b[:len(b)-100]
		}
		return b
	}},
	{rule: "parts-are-the-segment", media: func(name string, b []byte) []byte {
		if isSegment(name) {
			b[len(b)-1] ^= 1
		}
		return b
	}},
	{rule: "independent", text: attribute("INDEPENDENT", "")},
	{rule: "starts-with-key", media: func(name string, b []byte) []byte {
		if !isSegment(name) || !isVideo(name) {
			return b
		}
		return rewritten(b, func(i int, f *fmp4.Fragment) {
			if i == 0 {
				f.Samples[0].Key = false
			}
		})
	}, follows: []string{"parts-are-the-segment"}},
	{rule: "extinf", model: notIFrames(func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].Duration = m.Segments[i].Duration * 13 / 10
		}
	}), follows: []string{"date-follows", "parts-leave"}},
	{rule: "continuous", media: func(name string, b []byte) []byte {
		n, _ := strconv.Atoi(strings.TrimSuffix(path.Base(name), ".m4s"))
		if !isSegment(name) || !isVideo(name) || n%2 == 0 {
			return b
		}
		return rewritten(b, func(_ int, f *fmp4.Fragment) { f.Base += 90000 / 4 })
	}},
	{rule: "bandwidth", multi: multivariant(attribute("BANDWIDTH", "1000"))},
	{rule: "content-type", header: func(name string, h http.Header) {
		if isSegment(name) {
			h.Set("Content-Type", "text/plain")
		}
	}},
	{rule: "no-redirects", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if isSegment(r.URL.Path) && r.URL.RawQuery == "" {
				w.Header().Set("Location", r.URL.Path+"?again")
				w.WriteHeader(http.StatusFound)
				return
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "same-target", model: onAudio(func(m *playlist.Media) { m.TargetDuration++ }), follows: []string{"hold-back", "can-skip-until"}},
	{rule: "same-control", model: onAudio(func(m *playlist.Media) { m.ServerControl.HoldBack += time.Second })},
	{rule: "same-dates", model: onAudio(func(m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].ProgramDateTime = m.Segments[i].ProgramDateTime.Add(3 * time.Second)
		}
	})},
	{rule: "same-discontinuities", model: onAudio(func(m *playlist.Media) { m.DiscontinuitySequence++ })},
	{rule: "aligned", media: func(name string, b []byte) []byte {
		if !isSegment(name) || !strings.HasPrefix(name, "360p") {
			return b
		}
		return rewritten(b, func(_ int, f *fmp4.Fragment) { f.Base += 9000 })
	}},
	{rule: "reports-complete", text: without("#EXT-X-RENDITION-REPORT")},
	{rule: "iframe-playlists", multi: multivariant(without("#EXT-X-I-FRAME"))},
	{rule: "iframe-attributes", multi: func(text string) string {
		head, iframes, _ := strings.Cut(text, "#EXT-X-I-FRAME")
		return head + "#EXT-X-I-FRAME" + attribute("RESOLUTION", "")("", iframes)
	}},
	{rule: "iframes-only", text: without("#EXT-X-I-FRAMES-ONLY")},
	// The picture is cut off; the moof is not there.
	{rule: "iframe-range", model: onIFrames(stretch(0, -1))},
	{rule: "iframe-range", model: onIFrames(stretch(8, -8))},
	{rule: "iframe-key", model: onIFrames(func(m *playlist.Media) {
		for i := range m.Segments { // the fragment behind the I-frame
			r := m.Segments[i].ByteRange
			r.Offset, r.Length = r.Length, 1500
		}
	})},
	{rule: "iframe-extinf", model: onIFrames(func(m *playlist.Media) {
		for i := range m.Segments {
			m.Segments[i].Duration += 200 * time.Millisecond
		}
	})},
	{rule: "iframe-target", model: onIFrames(func(m *playlist.Media) { m.TargetDuration++ })},
	{rule: "iframe-control", model: onIFrames(func(m *playlist.Media) { m.ServerControl.HoldBack += time.Second })},
	{rule: "iframe-parts", model: onIFrames(func(m *playlist.Media) {
		m.Segments[0].Parts = []playlist.Part{{URI: "part.m4s", Duration: time.Second / 5}}
	})},
	{rule: "iframe-blocks", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/iframes.m3u8") {
				r.URL.RawQuery = ""
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "codecs", multi: func(text string) string { return strings.ReplaceAll(text, "avc1.42C01E", "avc1.640033") }},
	{rule: "resolution", multi: multivariant(attribute("RESOLUTION", "1280x720"))},
	{rule: "frame-rate", multi: multivariant(attribute("FRAME-RATE", ""))},
	{rule: "average-bandwidth", multi: multivariant(attribute("AVERAGE-BANDWIDTH", ""))},
	{rule: "independent-segments", multi: multivariant(without("#EXT-X-INDEPENDENT"))},
	{rule: "blocks", handle: strip(func(q string) bool {
		return strings.Contains(q, "&_HLS_part=") && !strings.Contains(q, "100000")
	})},
	{rule: "late-is-503", handle: func(next http.Handler) http.HandlerFunc {
		var n atomic.Int32
		return func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.RawQuery; strings.Contains(q, "&_HLS_part=") && !strings.Contains(q, "100000") && n.Add(1)%20 == 0 {
				http.Error(w, "oh", http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "part-without-msn", handle: strip(func(q string) bool { return strings.HasPrefix(q, "_HLS_part") })},
	{rule: "msn-not-a-number", handle: strip(contains("soon"))},
	{rule: "msn-too-far", handle: strip(func(q string) bool { return strings.HasPrefix(q, "_HLS_msn=5") && !strings.Contains(q, "part") }), follows: []string{"iframe-blocks"}},
	{rule: "part-too-far", handle: strip(contains("100000"))},
	{rule: "msn-in-the-past", handle: answer400(func(q string) bool {
		return strings.HasPrefix(q, "_HLS_msn=50") && !strings.Contains(q, "part")
	}), follows: []string{"iframe-blocks"}},
	{rule: "directives-after-end", ended: true, handle: answer400(contains("_HLS_msn"))},
	{rule: "unknown-uri", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "not-there") {
				return
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "gzip", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept-Encoding")
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "delta", model: func(_ string, m *playlist.Media) {
		if m.Skip != nil {
			m.Skip.Segments++
		}
	}},
	{rule: "delta-boundary", model: func(_ string, m *playlist.Media) {
		if m.Skip != nil {
			n := len(m.Segments) - 1
			m.Segments, m.Skip.Segments = m.Segments[n:], m.Skip.Segments+uint64(n)
		}
	}},
	{rule: "hint-held", handle: func(next http.Handler) http.HandlerFunc {
		var asked sync.Map
		return func(w http.ResponseWriter, r *http.Request) {
			if _, again := asked.LoadOrStore(r.URL.Path, true); isPart(r.URL.Path) && !again {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		}
	}, follows: []string{"listed-is-there"}},
	{rule: "hint-whole", handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !isPart(r.URL.Path) {
				next.ServeHTTP(w, r)
				return
			}
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			w.WriteHeader(got.Code)
			_, _ = io.CopyN(w, got.Body, 1)
			time.Sleep(300 * time.Millisecond)
			_, _ = io.Copy(w, got.Body)
		}
	}},
	{rule: "cache", header: func(_ string, h http.Header) { h.Del("Cache-Control") }},
}
