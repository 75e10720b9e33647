package check

import (
	"fmt"
	"time"
)

// network is what a loaded machine or a slow line may add to a moment.
const network = 500 * time.Millisecond

// historyRules compare looks at one playlist with each other.
var historyRules = []rule{
	{"target-changes", "6.2.1", true, "TARGETDURATION never changes", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			v.applies()
			if a.m.TargetDuration != b.m.TargetDuration {
				v.broken(f, "%d became %d", a.m.TargetDuration, b.m.TargetDuration)
			}
		})
	}},
	{"part-target-changes", "4.4.3.7", true, "PART-TARGET and the hold-backs never change", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			if a.m.PartTarget == 0 || b.m.EndList {
				return
			}
			v.applies()
			if a.m.PartTarget != b.m.PartTarget {
				v.broken(f, "PART-TARGET %v became %v", a.m.PartTarget, b.m.PartTarget)
			}
			if ca, cb := a.m.ServerControl, b.m.ServerControl; ca != nil && (cb == nil || *ca != *cb) {
				v.broken(f, "EXT-X-SERVER-CONTROL changed")
			}
		})
	}},
	{"sequence", "6.2.2", true, "EXT-X-MEDIA-SEQUENCE grows by one for each removed segment and never goes back", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			v.applies()
			if b.m.MediaSequence < a.m.MediaSequence {
				v.broken(f, "%d after %d", b.m.MediaSequence, a.m.MediaSequence)
				return
			}
			for i := range b.m.Segments {
				n := b.m.MediaSequence + uint64(i)
				if old := a.segment(n); old != nil && old.URI != b.m.Segments[i].URI {
					v.broken(f, "segment %d was %s and is %s", n, old.URI, b.m.Segments[i].URI)
					return
				}
			}
		})
	}},
	{"legal-edits", "6.2.1", true, "a playlist only gets new segments at its end and loses old ones at its beginning", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			v.applies()
			switch {
			case a.m.EndList && !b.m.EndList:
				v.broken(f, "EXT-X-ENDLIST was removed")
			case b.end() < a.end():
				v.broken(f, "segments up to %d became segments up to %d", a.end()-1, b.end()-1)
			}
			for i := range a.m.Segments {
				old, now := &a.m.Segments[i], b.segment(a.m.MediaSequence+uint64(i))
				if now == nil {
					continue
				}
				if old.Duration != now.Duration || old.Discontinuities != now.Discontinuities || old.Gap != now.Gap ||
					!old.ProgramDateTime.IsZero() && !now.ProgramDateTime.IsZero() && !old.ProgramDateTime.Equal(now.ProgramDateTime) {
					v.broken(f, "%s changed after it was listed", old.URI)
				}
			}
		})
	}},
	{"parts-stay", "6.2.1", true, "a listed part keeps its duration and its place", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			type place struct {
				segment uint64
				index   int
				length  time.Duration
			}
			was := map[string]place{}
			for _, l := range f.read() {
				l.eachPart(func(number uint64, i int, id string, d time.Duration) {
					v.applies()
					now := place{number, i, d}
					if old, ok := was[id]; ok && old != now {
						v.broken(f, "%s was part %d of segment %d, %v, and is part %d of %d, %v", id, old.index, old.segment, old.length, i, number, d)
					}
					was[id] = now
				})
			}
		}
	}},
	{"discontinuity-sequence", "6.2.2", true, "EXT-X-DISCONTINUITY-SEQUENCE grows by one for each discontinuity that leaves", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			v.applies()
			left := uint64(0)
			gone := b.m.MediaSequence - a.m.MediaSequence
			if b.m.MediaSequence < a.m.MediaSequence || gone > uint64(len(a.m.Segments)) {
				return // another rule's
			}
			for i := range gone {
				left += uint64(a.m.Segments[i].Discontinuities)
			}
			if want := a.m.DiscontinuitySequence + left; b.m.DiscontinuitySequence != want {
				v.broken(f, "%d after %d, and %d discontinuities have left", b.m.DiscontinuitySequence, a.m.DiscontinuitySequence, left)
			}
		})
	}},
	{"window", "6.2.2", true, "a live playlist does not shrink below three target durations", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			if b.m.EndList || b.m.MediaSequence <= a.m.MediaSequence {
				return
			}
			v.applies()
			var lasts time.Duration
			for i := range b.m.Segments {
				lasts += b.m.Segments[i].Duration
			}
			if lasts < 3*b.target() {
				v.broken(f, "%v are left, TARGETDURATION is %v", lasts, b.target())
			}
		})
	}},
	{"date-follows", "6.2.1", true, "EXT-X-PROGRAM-DATE-TIME follows the media", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			for i := 1; i < len(l.m.Segments); i++ {
				a, b := &l.m.Segments[i-1], &l.m.Segments[i]
				if a.ProgramDateTime.IsZero() || b.ProgramDateTime.IsZero() || b.Discontinuities > 0 {
					continue
				}
				v.applies()
				if off := b.ProgramDateTime.Sub(a.ProgramDateTime.Add(a.Duration)); off.Abs() > 50*time.Millisecond && !a.Gap && !b.Gap {
					v.broken(f, "%s begins %v off the end of %s", b.URI, off, a.URI)
				}
			}
		})
	}},
	{"map-changes", "4.4.4.5", true, "EXT-X-MAP changes only at a discontinuity, or in nothing but how it is encrypted", func(p *presentation, v *verdict) {
		p.each(func(f *followed, l *look) {
			in, broke := "", false
			for i := range l.m.Segments {
				s := &l.m.Segments[i]
				broke = broke || s.Discontinuities > 0
				if s.Map == nil {
					continue
				}
				v.applies()
				if in != "" && s.Map.URI != in && !broke && !f.sameInClear(in, s.Map.URI) {
					v.broken(f, "at %s", s.URI)
				}
				in, broke = s.Map.URI, false
			}
		})
	}},
	{"hint-comes", "4.4.5.3", true, "a hinted part is the one that comes next", func(p *presentation, v *verdict) {
		p.pairs(func(f *followed, a, b *look) {
			if len(a.m.PreloadHints) == 0 || a.m.PreloadHints[0].Type != "PART" || a.m.PreloadHints[0].Start > 0 {
				return
			}
			v.applies()
			hint, fresh, seen := a.m.PreloadHints[0].URI, "", map[string]bool{}
			a.eachPart(func(_ uint64, _ int, id string, _ time.Duration) { seen[id] = true })
			b.eachPart(func(_ uint64, _ int, id string, _ time.Duration) {
				if fresh == "" && !seen[id] {
					fresh = id
				}
			})
			late := b.at().Sub(a.at()) > 2*b.target() // the hinted one may have left again
			if fresh != "" && fresh != hint && len(seen) > 0 && !seen[hint] && !late {
				v.broken(f, "%s was hinted, %s came", hint, fresh)
			}
		})
	}},
	{"parts-punctual", "6.2.1", true, "a new part appears within one part target of the one before", func(p *presentation, v *verdict) {
		p.fresh(func(f *followed, l, last, before *look, parts int) {
			if l.m.PartTarget == 0 || parts == 0 {
				return
			}
			v.applies()
			limit := l.m.PartTarget*time.Duration(parts) + network
			if l.query != "" {
				limit = l.m.PartTarget + network // it was answered when the first of them came
			}
			if since, ok := missed(l, last, before, limit); ok {
				v.broken(f, "%v without a part; PART-TARGET is %v", since.Round(time.Millisecond), l.m.PartTarget)
			}
		})
	}},
	{"segments-punctual", "6.2.1", true, "a playlist with a new segment appears within 1.5 target durations", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			var last, before *look
			for _, l := range f.read() {
				if l.m.EndList {
					break
				}
				if last == nil || l.end() != last.end() {
					if last != nil {
						v.applies()
						if since, ok := missed(l, last, before, l.target()*3/2+network); ok {
							v.broken(f, "%v without a segment; TARGETDURATION is %v", since.Round(time.Millisecond), l.target())
						}
					}
					last = l
				}
				before = l
			}
		}
	}},
	{"removed-stays", "6.2.2", true, "a segment that has left a live playlist can be downloaded for its duration and the playlist's longer", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for _, g := range f.gone {
				v.applies()
				if !g.ok() {
					v.broken(f, "%s: %s %v after it was listed last; it has to stay for %v", g.uri, g.said(), g.asked.Sub(g.last).Round(time.Millisecond), g.due)
				}
			}
		}
	}},
}

// pairs calls check with each readable look and the one after it.
func (p *presentation) pairs(check func(f *followed, before, after *look)) {
	for _, f := range p.list {
		all := f.read()
		for i := 1; i < len(all); i++ {
			check(f, all[i-1], all[i])
		}
	}
}

// fresh calls check with each look that brought something: since when nothing
// had, and how many parts are new.
func (p *presentation) fresh(check func(f *followed, l, last, before *look, parts int)) {
	for _, f := range p.list {
		var last, before *look
		seen := map[string]bool{}
		for _, l := range f.read() {
			if l.m.EndList {
				break
			}
			parts := 0
			l.eachPart(func(_ uint64, _ int, id string, _ time.Duration) {
				if !seen[id] {
					seen[id] = true
					parts++
				}
			})
			if parts == 0 && last != nil && l.end() == last.end() {
				before = l
				continue
			}
			if last != nil {
				check(f, l, last, before, parts)
			}
			last, before = l, l
		}
	}
}

// missed reports whether what l brought came later than limit behind the last
// news; before is the look before it. What came while nobody looked came in time.
func missed(l, last, before *look, limit time.Duration) (since time.Duration, late bool) {
	since = l.at().Sub(last.at())
	return since, since > limit && (l.asked.Sub(last.at()) <= limit || before.at().Sub(last.at()) > limit)
}

// eachPart calls visit with each listed part.
func (l *look) eachPart(visit func(number uint64, index int, id string, d time.Duration)) {
	for i := range l.m.Segments {
		for n := range l.m.Segments[i].Parts {
			pt := &l.m.Segments[i].Parts[n]
			visit(l.m.MediaSequence+uint64(i), n, partID(pt), pt.Duration)
		}
	}
	if l.m.Open != nil {
		for n := range l.m.Open.Parts {
			pt := &l.m.Open.Parts[n]
			visit(l.end(), n, partID(pt), pt.Duration)
		}
	}
}

// status words what a request came to.
func (a *answer) said() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprint(a.status)
}
