package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/packager/fmp4"
)

// variantRules compare media playlists with each other, and with what the
// multivariant playlist says of them.
var variantRules = []rule{
	{"same-target", "6.2.4", true, "all media playlists have the same TARGETDURATION", func(p *presentation, v *verdict) {
		p.others(func(first, other *look, f *followed) {
			v.applies()
			if first.m.TargetDuration != other.m.TargetDuration {
				v.broken(f, "%d, elsewhere %d", other.m.TargetDuration, first.m.TargetDuration)
			}
		})
	}},
	{"same-control", "6.2.4", true, "all media playlists have the same EXT-X-SERVER-CONTROL", func(p *presentation, v *verdict) {
		p.others(func(first, other *look, f *followed) {
			a, b := first.m.ServerControl, other.m.ServerControl
			if a == nil && b == nil {
				return
			}
			v.applies()
			if a == nil || b == nil || *a != *b {
				v.broken(f, "%+v, elsewhere %+v", deref(b), deref(a))
			}
		})
	}},
	{"same-dates", "6.2.4", true, "where one media playlist has dates all have them, and they mean the same", func(p *presentation, v *verdict) {
		p.others(func(first, other *look, f *followed) {
			at, here := first.dates(), other.dates()
			if len(at) == 0 && len(here) == 0 || len(first.m.Segments) == 0 || len(other.m.Segments) == 0 {
				return
			}
			v.applies()
			if (len(at) == 0) != (len(here) == 0) {
				v.broken(f, "%d of %d segments have a date, elsewhere %d of %d", len(here), len(other.m.Segments), len(at), len(first.m.Segments))
			}
			for number, is := range here {
				if want, ok := at[number]; ok && is.Sub(want).Abs() > other.target()/2 {
					v.broken(f, "%s has %v, elsewhere it is %v", other.segment(number).URI, is, want)
				}
			}
		})
	}},
	{"same-discontinuities", "6.2.4", true, "discontinuity sequence numbers match over all media playlists", func(p *presentation, v *verdict) {
		p.others(func(first, other *look, f *followed) {
			v.applies()
			numbers := first.discontinuities()
			for n, d := range other.discontinuities() {
				if want, ok := numbers[n]; ok && want != d {
					v.broken(f, "segment %d has %d, elsewhere %d", n, d, want)
				}
			}
		})
	}},
	{"aligned", "6.2.4", true, "segments with the same number start at the same time in all video playlists", func(p *presentation, v *verdict) {
		starts := map[uint64]time.Duration{}
		for _, f := range p.list {
			for number, s := range f.segments {
				rate := s.timescale()
				if f.audio || !s.readable() || rate == 0 {
					continue
				}
				at := ticks(s.start(), rate)
				if want, ok := starts[number]; ok {
					v.applies()
					if (at - want).Abs() > time.Millisecond {
						v.broken(f, "segment %d starts at %v, elsewhere at %v", number, at, want)
					}
				}
				starts[number] = at
			}
		}
	}},
	{"reports-complete", "B.1", true, "a low-latency playlist reports on every other media playlist", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			l := f.newest()
			if l == nil || l.m.PartTarget == 0 || l.m.EndList || len(p.list) < 2 {
				continue
			}
			v.applies()
			have := map[string]bool{}
			for _, r := range l.m.RenditionReports {
				if u, err := f.resolve(r.URI); err == nil {
					have[u.Path] = true
				}
			}
			for _, other := range p.list {
				if other != f && !have[other.url.Path] {
					v.broken(f, "none on %s", other.name)
				}
			}
		}
	}},
	{"codecs", "6.2.4", true, "CODECS names the coding of every rendition of a variant", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if f.variant == nil {
				continue
			}
			v.applies()
			if f.variant.Codecs == "" {
				v.broken(f, "there is no CODECS")
				continue
			}
			named := strings.Split(f.variant.Codecs, ",")
			for _, s := range f.sections {
				if s.h == nil {
					continue
				}
				entry := s.h.Entry
				if !slices.ContainsFunc(named, func(c string) bool { return entryOf(strings.TrimSpace(c)) == entry }) {
					v.broken(f, "the media is %s, CODECS says %s", entry, f.variant.Codecs)
				}
				if profile := avcProfile(s.h); profile != "" && !slices.ContainsFunc(named, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), profile) }) {
					v.broken(f, "the media is %s, CODECS says %s", profile, f.variant.Codecs)
				}
			}
			for _, s := range f.segments {
				if c := s.codec(); c != "" && !slices.ContainsFunc(named, func(n string) bool { return covers(strings.TrimSpace(n), c) }) {
					v.broken(f, "%s is %s, CODECS says %s", s.name(), c, f.variant.Codecs)
					break
				}
			}
		}
	}},
	{"resolution", "Apple 9.4", true, "RESOLUTION stands on every video variant and is that of its media", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if f.variant == nil || f.audio && f.variant.Width == 0 && onlyAudio(f.variant.Codecs) {
				continue
			}
			v.applies()
			if f.variant.Width == 0 || f.variant.Height == 0 {
				v.broken(f, "there is no RESOLUTION")
			}
			for _, s := range f.sections {
				if s.h != nil && s.h.Height > 0 && f.variant.Height > 0 && s.h.Height != f.variant.Height && s.h.Width != f.variant.Height {
					v.broken(f, "the media is %dx%d, RESOLUTION says %dx%d", s.h.Width, s.h.Height, f.variant.Width, f.variant.Height)
				}
			}
			for _, s := range f.segments {
				if t := s.track; t != nil && t.Height > 0 && f.variant.Height > 0 && t.Height != f.variant.Height && t.Width != f.variant.Height {
					v.broken(f, "%s is %dx%d, RESOLUTION says %dx%d", s.name(), t.Width, t.Height, f.variant.Width, f.variant.Height)
					break
				}
			}
		}
	}},
	{"frame-rate", "Apple 9.15", true, "FRAME-RATE stands on every video variant", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if f.variant != nil && f.variant.Width > 0 {
				v.applies()
				if f.variant.FrameRate == 0 {
					v.broken(f, "there is none")
				}
			}
		}
	}},
	{"average-bandwidth", "Apple 9.14", true, "AVERAGE-BANDWIDTH stands on every variant", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			if f.variant != nil {
				v.applies()
				if f.variant.AverageBandwidth == 0 {
					v.broken(f, "there is none")
				}
			}
		}
	}},
	{"independent-segments", "Apple 9.11", false, "EXT-X-INDEPENDENT-SEGMENTS stands in the multivariant playlist", func(p *presentation, v *verdict) {
		if p.m != nil {
			v.applies()
			if !p.m.IndependentSegments {
				v.broken(nil, "it does not")
			}
		}
	}},
}

// others calls check with the newest look at the first playlist and that at
// each other one.
func (p *presentation) others(check func(first, other *look, f *followed)) {
	var first *look
	for _, f := range p.list {
		l := f.newest()
		switch {
		case l == nil:
		case first == nil:
			first = l
		default:
			check(first, l, f)
		}
	}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// dates are the wall-clock times of segments: those that are written, and what
// follows from them by durations, forward and back (§4.4.4.6).
func (l *look) dates() map[uint64]time.Time {
	out, all := map[uint64]time.Time{}, l.m.Segments
	var next time.Time
	for i := range all {
		switch s := &all[i]; {
		case !s.ProgramDateTime.IsZero():
			next = s.ProgramDateTime
			for n := i - 1; n >= 0 && all[n+1].Discontinuities == 0; n-- {
				number := l.m.MediaSequence + uint64(n)
				if _, known := out[number]; known {
					break
				}
				out[number] = cmp.Or(out[number+1], next).Add(-all[n].Duration)
			}
		case s.Discontinuities > 0:
			next = time.Time{}
		}
		if !next.IsZero() {
			out[l.m.MediaSequence+uint64(i)] = next
			next = next.Add(all[i].Duration)
		}
	}
	return out
}

// discontinuities are the discontinuity sequence numbers of the segments.
func (l *look) discontinuities() map[uint64]uint64 {
	out, d := map[uint64]uint64{}, l.m.DiscontinuitySequence
	for i := range l.m.Segments {
		d += uint64(l.m.Segments[i].Discontinuities)
		out[l.m.MediaSequence+uint64(i)] = d
	}
	return out
}

// start is the first presentation time in a piece, in ticks.
func (p *piece) start() int64 {
	first := int64(1<<63 - 1)
	for i := range p.fragments {
		at := int64(p.fragments[i].Base)
		for _, s := range p.fragments[i].Samples {
			first = min(first, at+int64(s.Offset))
			at += int64(s.Duration)
		}
	}
	return first
}

// covers reports whether an item of CODECS names a coding, or one of its sort.
func covers(named, codec string) bool {
	return strings.EqualFold(named, codec) || entryOf(named) == codec
}

// entryOf is the sample entry that a codec string means.
func entryOf(codec string) string {
	entry, _, _ := strings.Cut(codec, ".")
	switch entry {
	case "opus":
		return "Opus"
	case "flac":
		return "fLaC"
	}
	return entry
}

// avcProfile is the codec string of an avc1 track, empty for others.
func avcProfile(h *fmp4.Header) string {
	if c := h.Box("avcC"); h.Entry == "avc1" && len(c) >= 4 {
		return fmt.Sprintf("avc1.%02X%02X%02X", c[1], c[2], c[3])
	}
	return ""
}

func onlyAudio(codecs string) bool {
	for c := range strings.SplitSeq(codecs, ",") {
		switch entryOf(strings.TrimSpace(c)) {
		case "mp4a", "Opus", "ac-3", "ec-3", "fLaC":
		default:
			return false
		}
	}
	return codecs != ""
}
