package check

import (
	"strings"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// rounding is how much decimals in playlists may lose.
const rounding = time.Millisecond

// tagRules look at one playlist at a time.
var tagRules = []rule{
	{"readable", "4.1", true, "every playlist can be read", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			v.applies()
			for _, l := range f.looks {
				switch {
				case l.err != nil:
					v.broken(f, "%s: %v", l.url.RequestURI(), l.err)
				case l.ok() && l.bad != nil:
					v.broken(f, "%s: %v", l.url.RequestURI(), l.bad)
				}
			}
		}
	}},
	{"part-inf", "4.4.3.7", true, "a playlist with EXT-X-PART has EXT-X-PART-INF", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if l.hasParts() {
				v.applies()
				if l.m.PartTarget == 0 {
					v.broken(f, "parts without PART-TARGET")
				}
			}
		})
	}},
	{"part-hold-back", "4.4.3.8", true, "PART-HOLD-BACK stands beside PART-INF and is at least two part targets", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if l.m.PartTarget == 0 {
				return
			}
			v.applies()
			switch c := l.m.ServerControl; {
			case c == nil || c.PartHoldBack == 0:
				v.broken(f, "PART-TARGET %v and no PART-HOLD-BACK", l.m.PartTarget)
			case c.PartHoldBack < 2*l.m.PartTarget-2*rounding:
				v.broken(f, "PART-HOLD-BACK %v is less than twice PART-TARGET, %v", c.PartHoldBack, l.m.PartTarget)
			}
		})
	}},
	// The draft only recommends it.
	{"part-hold-back-three", "Apple 14.3", true, "PART-HOLD-BACK is at least three times the largest part target", func(p *presentation, v *verdict) {
		var largest time.Duration
		p.each(func(_ *followed, l *look) { largest = max(largest, l.m.PartTarget) })
		p.each(func(f *followed, l *look) {
			if c := l.m.ServerControl; l.m.PartTarget > 0 && c != nil && c.PartHoldBack > 0 {
				v.applies()
				if c.PartHoldBack < 3*largest-3*rounding {
					v.broken(f, "PART-HOLD-BACK %v is less than three times the largest PART-TARGET, %v", c.PartHoldBack, largest)
				}
			}
		})
	}},
	{"hold-back", "4.4.3.8", true, "HOLD-BACK is at least three target durations", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if c := l.m.ServerControl; c != nil && c.HoldBack > 0 {
				v.applies()
				if c.HoldBack < 3*l.target() {
					v.broken(f, "HOLD-BACK %v, TARGETDURATION %v", c.HoldBack, l.target())
				}
			}
		})
	}},
	{"can-skip-until", "4.4.3.8", true, "CAN-SKIP-UNTIL is at least six target durations", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if c := l.m.ServerControl; c != nil && c.CanSkipUntil > 0 {
				v.applies()
				if c.CanSkipUntil < 6*l.target() {
					v.broken(f, "CAN-SKIP-UNTIL %v, TARGETDURATION %v", c.CanSkipUntil, l.target())
				}
			}
		})
	}},
	{"skip-dateranges", "4.4.3.8", true, "CAN-SKIP-DATERANGES stands only beside CAN-SKIP-UNTIL", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if c := l.m.ServerControl; c != nil && strings.Contains(string(l.body), "CAN-SKIP-DATERANGES=YES") {
				v.applies()
				if c.CanSkipUntil == 0 {
					v.broken(f, "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL")
				}
			}
		})
	}},
	{"part-longest", "4.4.4.9", true, "no part is longer than PART-TARGET", func(p *presentation, v *verdict) {
		p.eachPart(func(f *followed, l *look, s *playlist.Segment, i int, _ bool) {
			v.applies()
			if pt := s.Parts[i]; pt.Duration > l.m.PartTarget {
				v.broken(f, "%s lasts %v, PART-TARGET is %v", pt.URI, pt.Duration, l.m.PartTarget)
			}
		})
	}},
	{"part-shortest", "4.4.4.9", true, "a part is at least 85 % of PART-TARGET, unless it is independent, a gap, before a gap, or the last of its segment", func(p *presentation, v *verdict) {
		p.eachPart(func(f *followed, l *look, s *playlist.Segment, i int, open bool) {
			v.applies()
			pt := s.Parts[i]
			last := i == len(s.Parts)-1
			if pt.Independent || pt.Gap || !last && s.Parts[i+1].Gap || last && !open {
				return
			}
			if last && l.isEdge(pt.URI) {
				return // nobody knows yet whether the segment ends here
			}
			if pt.Duration*100 < l.m.PartTarget*85-100*rounding {
				v.broken(f, "%s lasts %v of %v", pt.URI, pt.Duration, l.m.PartTarget)
			}
		})
	}},
	{"tags-before-parts", "4.4.4.9", true, "EXT-X-DISCONTINUITY, -KEY, -MAP and -PROGRAM-DATE-TIME of a segment stand before its first part", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if l.hasParts() {
				v.applies()
				if line := tagBehindPart(string(l.body)); line != "" {
					v.broken(f, "%s stands behind a part of its segment", line)
				}
			}
		})
	}},
	{"version", "8", true, "EXT-X-VERSION is at least what the tags used need", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			v.applies()
			if need := needs(l.m); l.m.Version < need {
				v.broken(f, "version %d, the tags used need %d", l.m.Version, need)
			}
		})
		for _, f := range p.list {
			if d := f.probed(probeDelta); d != nil && d.look.m != nil && d.look.m.Skip != nil && d.look.m.Version < 9 {
				v.broken(f, "version %d with EXT-X-SKIP, which needs 9", d.look.m.Version)
			}
			if d := f.probed(probeDeltaDates); d != nil && d.look.m != nil && d.look.m.Skip != nil && d.look.m.Version < 10 && len(d.leftOut()) > 0 {
				v.broken(f, "version %d with EXT-X-SKIP in place of date ranges, which needs 10", d.look.m.Version)
			}
		}
	}},
	{"hint-after-end", "4.4.5.3", true, "no EXT-X-PRELOAD-HINT stands beside EXT-X-ENDLIST", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if l.m.EndList {
				v.applies()
				if len(l.m.PreloadHints) > 0 {
					v.broken(f, "hint of %s", l.m.PreloadHints[0].URI)
				}
			}
		})
	}},
	{"one-hint", "6.2.6", false, "there is at most one EXT-X-PRELOAD-HINT of a type", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			types := map[string]int{}
			for _, h := range l.m.PreloadHints {
				v.applies()
				if types[h.Type]++; types[h.Type] == 2 {
					v.broken(f, "two hints of type %s", h.Type)
				}
			}
		})
	}},
	{"reports", "4.4.5.4", true, "EXT-X-RENDITION-REPORT has a relative URI, LAST-MSN, and LAST-PART where there are parts", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			for _, r := range l.m.RenditionReports {
				v.applies()
				switch {
				case !relative(r.URI):
					v.broken(f, "URI %q is not relative", r.URI)
				case r.LastMSN == 0:
					v.broken(f, "report of %s without LAST-MSN", r.URI)
				case r.LastPart < 0 && l.m.PartTarget > 0:
					v.broken(f, "report of %s without LAST-PART", r.URI)
				}
			}
		})
	}},
	{"date", "Apple 8.4", true, "a live playlist has EXT-X-PROGRAM-DATE-TIME", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if !f.live() || len(l.m.Segments) == 0 {
				return
			}
			v.applies()
			for _, s := range l.m.Segments {
				if !s.ProgramDateTime.IsZero() {
					return
				}
			}
			v.broken(f, "no date in %d segments", len(l.m.Segments))
		})
	}},
	{"segment-longest", "4.4.3.1", true, "no segment is longer than TARGETDURATION, rounded to seconds", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			for _, s := range l.m.Segments {
				v.applies()
				if s.Duration.Round(time.Second) > l.target() {
					v.broken(f, "%s lasts %v, TARGETDURATION is %v", s.URI, s.Duration, l.target())
				}
			}
		})
	}},
	{"sliding-type", "6.2.2", true, "a playlist that loses segments has no EXT-X-PLAYLIST-TYPE", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			all := f.read()
			if len(all) > 1 && all[len(all)-1].m.MediaSequence > all[0].m.MediaSequence {
				v.applies()
				if t := all[len(all)-1].m.Type; t != "" {
					v.broken(f, "PLAYLIST-TYPE is %s", t)
				}
			}
		}
	}},
	{"parts-leave", "6.2.2", false, "parts further from the end than three target durations are not listed", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if !l.hasParts() {
				return
			}
			v.applies()
			var behind time.Duration
			if l.m.Open != nil {
				behind = total(l.m.Open.Parts)
			}
			for i := len(l.m.Segments) - 1; i >= 0; i-- {
				s := &l.m.Segments[i]
				if behind > 3*l.target() && len(s.Parts) > 0 {
					v.broken(f, "%s still has parts, %v from the end", s.URI, behind)
					return
				}
				behind += s.Duration
			}
		})
	}},
	{"six-segments", "Apple 8.11", false, "a live playlist has at least six segments once it slides", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			if all := f.read(); f.live() && l.m.MediaSequence > all[0].m.MediaSequence {
				v.applies()
				if len(l.m.Segments) < 6 {
					v.broken(f, "%d segments", len(l.m.Segments))
				}
			}
		})
	}},
}

// each calls check with every readable look.
func (p *presentation) each(check func(*followed, *look)) {
	for _, f := range p.list {
		for _, l := range f.read() {
			check(f, l)
		}
	}
}

// eachPart calls check with every listed part, once a look; open says that its
// segment is not complete.
func (p *presentation) eachPart(check func(f *followed, l *look, s *playlist.Segment, part int, open bool)) {
	p.each(func(f *followed, l *look) {
		if l.m.PartTarget == 0 {
			return
		}
		for i := range l.m.Segments {
			for n := range l.m.Segments[i].Parts {
				check(f, l, &l.m.Segments[i], n, false)
			}
		}
		if l.m.Open != nil {
			for n := range l.m.Open.Parts {
				check(f, l, l.m.Open, n, true)
			}
		}
	})
}

func (l *look) target() time.Duration { return time.Duration(l.m.TargetDuration) * time.Second }

func (l *look) hasParts() bool {
	if l.m.Open != nil && len(l.m.Open.Parts) > 0 {
		return true
	}
	for i := range l.m.Segments {
		if len(l.m.Segments[i].Parts) > 0 {
			return true
		}
	}
	return false
}

// isEdge reports whether a part is the last one of the playlist.
func (l *look) isEdge(uri string) bool {
	o := l.m.Open
	return o != nil && len(o.Parts) > 0 && o.Parts[len(o.Parts)-1].URI == uri
}

func total(parts []playlist.Part) (d time.Duration) {
	for i := range parts {
		d += parts[i].Duration
	}
	return d
}

// tagBehindPart finds a tag that applies to parts and comes behind one of them.
func tagBehindPart(text string) string {
	parts := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#EXT-X-PART:"):
			parts = true
		case line != "" && !strings.HasPrefix(line, "#"):
			parts = false
		case parts && (line == "#EXT-X-DISCONTINUITY" || strings.HasPrefix(line, "#EXT-X-KEY:") ||
			strings.HasPrefix(line, "#EXT-X-MAP:") || strings.HasPrefix(line, "#EXT-X-PROGRAM-DATE-TIME:")):
			return line
		}
	}
	return ""
}

// needs is the version that a playlist's tags need (§8).
func needs(m *playlist.Media) int {
	need := 1
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.Duration%time.Second != 0 {
			need = max(need, 3)
		}
		if s.ByteRange != nil || m.IFramesOnly {
			need = max(need, 4)
		}
		if s.Map != nil {
			need = max(need, 5)
			if !m.IFramesOnly {
				need = max(need, 6)
			}
		}
	}
	if m.Skip != nil {
		need = max(need, 9)
	}
	segments, _ := m.Keys()
	for _, keys := range segments {
		for _, k := range keys {
			if k.IV != nil {
				need = max(need, 2)
			}
			if k.Format != "" || k.Versions != "" {
				need = max(need, 5)
			}
		}
	}
	return need
}
