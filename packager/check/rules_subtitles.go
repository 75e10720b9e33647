package check

import (
	"slices"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// subtitleRules look into subtitle renditions of WebVTT.
var subtitleRules = []rule{
	{"subtitles-group", "4.4.6.2", true, "SUBTITLES of a variant names a group of subtitles", func(p *presentation, v *verdict) {
		if p.m == nil {
			return
		}
		for i := range p.m.Variants {
			name := p.m.Variants[i].Subtitles
			if name == "" {
				continue
			}
			v.applies()
			if !slices.ContainsFunc(p.m.Renditions, func(r playlist.Rendition) bool { return r.Type == "SUBTITLES" && r.GroupID == name }) {
				v.broken(nil, "%s: there is no group %q", p.m.Variants[i].URI, name)
			}
		}
	}},
	{"subtitles-readable", "3.1.4", true, "segments of subtitles, and parts, are WebVTT with a header", func(p *presentation, v *verdict) {
		p.eachText(func(f *followed, s *piece) {
			v.applies()
			if s.bad != nil {
				v.broken(f, "%s: %v", s.name(), s.bad)
			}
		})
	}},
	{"subtitles-map", "3.1.4", false, "segments of subtitles say by X-TIMESTAMP-MAP what their times mean", func(p *presentation, v *verdict) {
		p.eachText(func(f *followed, s *piece) {
			if s.text == nil {
				return
			}
			v.applies()
			if s.text.Map == nil {
				v.broken(f, "%s does not", s.name())
			}
		})
	}},
	{"subtitles-in-time", "3.1.4", true, "the cues of a segment are shown while its media is", func(p *presentation, v *verdict) {
		p.eachText(func(f *followed, s *piece) {
			at, ok := p.mediaStart(s.number, s.duration)
			if s.text == nil || s.text.Map == nil || !ok || f.parts[s.name()] == s {
				return
			}
			for i := range s.text.Cues {
				v.applies()
				c := &s.text.Cues[i]
				from := afterWrap(s.text.Map, c.Start, at)
				if to := from + c.End - c.Start; to < -inTime || from > s.duration+inTime {
					v.broken(f, "%s: the cue at %v is shown %v after the segment begins", s.name(), c.Start, from.Round(time.Millisecond))
				}
			}
		})
	}},
	{"subtitles-in-parts", "3.2", true, "the parts of a segment of subtitles have its cues, no more and no less", func(p *presentation, v *verdict) {
		for _, f := range p.list {
			for number, whole := range f.segments {
				parts, complete := f.textsOf(number)
				if !complete || whole.text == nil {
					continue
				}
				v.applies()
				all := map[webvtt.Cue]bool{}
				for _, c := range parts {
					all[plain(c)] = true
				}
				missing := len(all) != len(whole.text.Cues)
				for _, c := range whole.text.Cues {
					missing = missing || !all[plain(c)]
				}
				if missing {
					v.broken(f, "%s has %d cues, its parts %d, or others", whole.name(), len(whole.text.Cues), len(all))
				}
			}
		}
	}},
}

// inTime is how far a cue may be from its segment: pictures do not begin when
// the sound does.
const inTime = 500 * time.Millisecond

// plain is a cue without its settings, which compare by address.
func plain(c webvtt.Cue) webvtt.Cue {
	c.Line, c.Position = nil, nil
	return c
}

// eachText calls check for every segment and part of text that was downloaded.
func (p *presentation) eachText(check func(f *followed, s *piece)) {
	for _, f := range p.list {
		if !f.text {
			continue
		}
		for _, s := range f.pieces() {
			if s.ok() {
				check(f, s)
			}
		}
	}
}

// mediaStart is where the media of a segment begins, in ticks of 90 kHz; false
// where it was not downloaded. One of another duration is not taken for the same:
// numbers need not agree between playlists.
func (p *presentation) mediaStart(number uint64, duration time.Duration) (at int64, ok bool) {
	for _, f := range p.list {
		s := f.segments[number]
		if s != nil && s.readable() && s.timescale() > 0 && (s.duration-duration).Abs() < inTime && (!ok || !f.audio) {
			at, ok = int64(ticks(s.start(), s.timescale())*9/100_000), true
		}
	}
	return at, ok
}

// afterWrap is how long after a point of the media a time of the cues is shown.
func afterWrap(m *webvtt.Map, cue time.Duration, at int64) time.Duration {
	off := int64(m.MPEGTS) + int64((cue-m.Local)*9/100_000) - at
	off = ((off+transportWrap/2)%transportWrap+transportWrap)%transportWrap - transportWrap/2
	return ticks(off, transportRate)
}

// textsOf returns the cues of the parts of a segment, and whether all parts
// were downloaded and can be read.
func (f *followed) textsOf(number uint64) ([]webvtt.Cue, bool) {
	for _, l := range f.read() {
		s := l.segment(number)
		if s == nil || len(s.Parts) == 0 {
			continue
		}
		var out []webvtt.Cue
		for i := range s.Parts {
			got := f.parts[partID(&s.Parts[i])]
			if s.Parts[i].Gap || got == nil || got.text == nil {
				return nil, false
			}
			out = append(out, got.text.Cues...)
		}
		return out, true
	}
	return nil, false
}
