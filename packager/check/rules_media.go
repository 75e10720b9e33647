package check

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/playlist"
)

// mediaRules look into downloaded segments and parts.
var mediaRules = []rule{
	{"listed-is-there", "6.2.1", true, "whatever is listed can be downloaded at once", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.pieces() {
				if s.status == 0 && s.err == nil {
					continue // not asked for
				}
				v.applies()
				switch {
				case !s.ok():
					v.broken(f, "%s, listed %v before, answers %s", s.name(), s.asked.Sub(s.listed).Round(time.Millisecond), s.said())
				case s.firstByte > time.Second:
					v.broken(f, "%s took %v to its first byte", s.name(), s.firstByte.Round(time.Millisecond))
				}
			}
			for uri, s := range f.sections {
				if s.status == 0 && s.err == nil {
					continue
				}
				v.applies()
				if !s.ok() {
					v.broken(f, "%s answers %s", uri, s.said())
				}
			}
		}
	}},
	{"media-readable", "3.1.2", true, "segments and initialization sections are whole fMP4, or segments whole MPEG-TS", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for uri, s := range f.sections {
				if s.ok() {
					v.applies()
					if s.bad != nil {
						v.broken(f, "%s: %v", uri, s.bad)
					}
				}
			}
			for _, s := range f.segments {
				if s.ok() && (f.fragmented() || s.transport()) {
					v.applies()
					if s.bad != nil {
						v.broken(f, "%s: %v", s.name(), s.bad)
					}
				}
			}
		}
	}},
	{"tables-first", "3.1.1", false, "an MPEG-TS segment begins with PAT and PMT, and so does a part, which is one", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.pieces() {
				if s.readable() && s.transport() {
					v.applies()
					if !s.program.TablesFirst {
						v.broken(f, "%s does not", s.name())
					}
				}
			}
		}
	}},
	{"hevc-in-fmp4", "Apple 1.5", true, "HEVC is in fMP4, not in MPEG-TS", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.segments {
				if s.readable() && s.transport() {
					v.applies()
					if named := f.variant != nil && strings.Contains(f.variant.Codecs, "hvc1"); named || s.program.Media().Type == mpegts.TypeH265 {
						v.broken(f, "%s is MPEG-TS with HEVC", s.name())
					}
				}
			}
		}
	}},
	{"part-is-media", "3.2", true, "a part is media by itself: whole fragments, or whole transport packets", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.parts {
				if s.ok() && !f.text {
					v.applies()
					if s.bad != nil {
						v.broken(f, "%s: %v", s.name(), s.bad)
					}
				}
			}
		}
	}},
	{"parts-are-the-segment", "3.2", true, "the parts of a segment have its samples, no more and no less", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for number, whole := range f.segments {
				parts, complete := f.partsOf(number)
				if !whole.readable() || !complete {
					continue
				}
				v.applies()
				same := sameSample
				if whole.transport() { // which has no durations
					same = func(a, b fmp4.Sample) bool {
						a.Duration = b.Duration
						return sameSample(a, b)
					}
				}
				if !slices.EqualFunc(samples(parts...), samples(whole), same) {
					v.broken(f, "%s has %d samples, its %d parts have %d, or others", whole.name(), len(samples(whole)), len(parts), len(samples(parts...)))
				}
			}
		}
	}},
	{"independent", "4.4.4.9", false, "INDEPENDENT=YES stands on the parts with an independent frame, and on no other", func(p *presentation, v *verdict) {
		p.eachPart(func(f *followed, _ *look, s *playlist.Segment, i int, _ bool) {
			pt := &s.Parts[i]
			got := f.parts[partID(pt)]
			if pt.Gap || got == nil || !got.readable() {
				return
			}
			v.applies()
			has := slices.ContainsFunc(samples(got), func(s fmp4.Sample) bool { return s.Key })
			if has != pt.Independent {
				v.broken(f, "%s: INDEPENDENT is %v, a key in it %v", pt.URI, pt.Independent, has)
			}
		})
	}},
	{"starts-with-key", "Apple 7.4", true, "each video segment begins with an IDR picture", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.segments {
				if !f.audio && s.readable() {
					v.applies()
					if !s.fragments[0].Samples[0].Key {
						v.broken(f, "%s does not", s.name())
					}
				}
			}
		}
	}},
	{"extinf", "Apple 8.1", true, "EXTINF is the duration of the media, within a frame", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.segments {
				rate := s.timescale()
				if !s.readable() || rate == 0 {
					continue
				}
				lasts, frame := s.lasts(rate)
				if lasts == 0 {
					continue // a single picture in MPEG-TS, which tells no durations
				}
				v.applies()
				if off := (s.duration - lasts).Abs(); off > frame+20*time.Millisecond {
					v.broken(f, "%s: EXTINF %v, media %v", s.name(), s.duration, lasts)
				}
			}
		}
	}},
	{"continuous", "Apple 7.3", true, "the decode times of a segment go on where those before it ended", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			l := f.newest()
			for number, s := range f.segments {
				before, rate := f.segments[number-1], s.timescale()
				if l == nil || before == nil || !before.readable() || !s.readable() || rate == 0 {
					continue
				}
				if listed := f.listed(number); listed == nil || listed.Discontinuities > 0 {
					continue
				}
				v.applies()
				if off := s.behind(before); off.Abs() > 100*time.Millisecond {
					v.broken(f, "%s begins %v off the end of %s", s.name(), off, before.name())
				}
			}
		}
	}},
	{"bandwidth", "4.4.6.2", true, "no segment of a variant has more than its BANDWIDTH, audio apart", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if f.variant == nil {
				continue
			}
			l := f.newest()
			for _, s := range f.segments {
				if l == nil || !s.ok() || s.duration < l.target()/2 {
					continue
				}
				v.applies()
				if rate := int(float64(len(s.body)*8) / s.duration.Seconds()); rate > f.variant.Bandwidth*11/10 {
					v.broken(f, "%s has %d bit/s, BANDWIDTH is %d", s.name(), rate, f.variant.Bandwidth)
				}
			}
		}
	}},
	{"content-type", "Apple 10.4", false, "playlists and media have their content types", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if l := f.newest(); l != nil {
				v.applies()
				switch t := mediaType(l.answer); t {
				case "application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl", "audio/x-mpegurl":
				default:
					v.broken(f, "the playlist is %q", t)
				}
			}
			for _, s := range f.segments {
				if !s.ok() {
					continue
				}
				switch t := mediaType(s.answer); t {
				case "video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment":
					if s.transport() {
						v.broken(f, "%s is %q, and in it is MPEG-TS", s.name(), t)
					}
				case "video/mp2t":
					if f.fragmented() {
						v.broken(f, "%s is %q, and in it is fMP4", s.name(), t)
					}
				case "text/vtt":
					if f.fragmented() || s.transport() {
						v.broken(f, "%s is %q, and in it is media", s.name(), t)
					}
				default:
					if f.fragmented() || s.transport() || f.text {
						v.broken(f, "%s is %q", s.name(), t)
					}
				}
			}
		}
	}},
	{"no-redirects", "Apple 8.18", false, "media is served without redirects", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, s := range f.pieces() {
				if s.ok() {
					v.applies()
					if s.redirects > 0 {
						v.broken(f, "%s redirects", s.name())
					}
				}
			}
		}
	}},
}

// pieces are all segments and parts.
func (f *followed) pieces() []*piece {
	var out []*piece
	for _, s := range f.segments {
		out = append(out, s)
	}
	for _, s := range f.parts {
		out = append(out, s)
	}
	return out
}

// name is a piece as its URL's last element.
func (p *piece) name() string {
	if p.url == nil {
		return "a segment"
	}
	return p.url.Path[strings.LastIndexByte(p.url.Path, '/')+1:]
}

// listed is how a segment was listed last, nil if it was not.
func (f *followed) listed(number uint64) *playlist.Segment {
	all := f.read()
	for i := len(all) - 1; i >= 0; i-- {
		if s := all[i].segment(number); s != nil {
			return s
		}
	}
	return nil
}

// partsOf returns the downloaded parts of a segment in order, and whether they
// are all there.
func (f *followed) partsOf(number uint64) ([]*piece, bool) {
	for _, l := range f.read() {
		s := l.segment(number)
		if s == nil || len(s.Parts) == 0 {
			continue
		}
		var out []*piece
		for i := range s.Parts {
			got := f.parts[partID(&s.Parts[i])]
			if s.Parts[i].Gap || got == nil || !got.readable() {
				return nil, false
			}
			out = append(out, got)
		}
		return out, true
	}
	return nil, false
}

func samples(pieces ...*piece) []fmp4.Sample {
	var out []fmp4.Sample
	for _, p := range pieces {
		for i := range p.fragments {
			out = append(out, p.fragments[i].Samples...)
		}
	}
	return out
}

func sameSample(a, b fmp4.Sample) bool {
	return a.Duration == b.Duration && a.Offset == b.Offset && a.Key == b.Key && bytes.Equal(a.Payload, b.Payload)
}

// timescale is that of MPEG-TS or of the piece's initialization section, 0 if
// unknown.
func (p *piece) timescale() int {
	if p.transport() {
		return transportRate
	}
	if p.init == nil || p.init.h == nil {
		return 0
	}
	return int(p.init.h.Timescale)
}

// behind is how far from the end of another piece's media this one's begins.
func (p *piece) behind(other *piece) time.Duration {
	last := other.fragments[len(other.fragments)-1]
	off := int64(p.fragments[0].Base) - int64(last.Base+last.Duration())
	if p.transport() {
		off = (off+3*transportWrap/2)%transportWrap - transportWrap/2
	}
	return ticks(off, p.timescale())
}

// lasts is how long the media of a piece is shown, and its longest frame.
func (p *piece) lasts(rate int) (d, frame time.Duration) {
	var sum, longest int64
	for i := range p.fragments {
		for _, s := range p.fragments[i].Samples {
			sum += int64(s.Duration)
			longest = max(longest, int64(s.Duration))
		}
	}
	return ticks(sum, rate), ticks(longest, rate)
}

func ticks(n int64, rate int) time.Duration {
	whole, rest := n/int64(rate), n%int64(rate)
	return time.Duration(whole)*time.Second + time.Duration(rest)*time.Second/time.Duration(rate)
}

// mediaType is the content type without its parameters.
func mediaType(a *answer) string {
	t, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}
