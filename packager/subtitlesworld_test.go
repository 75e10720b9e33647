package packager

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// captioner says random texts, and remembers what it was told of them.
type captioner struct {
	rnd  *rand.Rand
	said map[string]media.Cue // by text
	seen map[string]webvtt.Cue
}

// caption says something, now and then.
func (w *world) caption() {
	w.t.Helper()
	k := w.captioner
	if k == nil || k.rnd.IntN(60) > 0 {
		return
	}
	c := media.Cue{Subtitles: "en", Text: fmt.Sprintf("cue %d", len(k.said)), Duration: time.Duration(50+k.rnd.IntN(6000)) * time.Millisecond}
	c.Date = time.Now().Add(time.Duration(k.rnd.IntN(9000)-4000) * time.Millisecond)
	out, err := w.Caption(c)
	if err != nil {
		w.t.Errorf("%+v: %v", c, err)
	}
	k.said[c.Text] = out
}

func versionOf(r *rendition) int {
	if r.text != nil {
		return 3
	}
	return 6
}

// subtitles checks a segment of text the moment it is listed.
func (o *observer) subtitles(r *rendition, number uint64, s playlist.Segment) {
	o.t.Helper()
	held := r.window.Load().segment(number)
	from := media.Duration(held.start, held.clock)
	cues := o.cues(r.name+"/"+s.URI, from, from+s.Duration)
	if !o.cfg.LowLatency {
		return
	}
	parts := map[string]webvtt.Cue{}
	at := from
	for i := range held.parts {
		p := &held.parts[i]
		id := fmt.Sprintf("%s part %d of %d", s.URI, i, len(held.parts))
		if last := i == len(held.parts)-1; p.duration > r.target || !last && p.duration != r.target {
			o.t.Errorf("%s lasts %v of %v", id, p.duration, r.target)
		}
		for text, c := range o.cues(r.name+"/"+r.partName(held.first+uint64(i)), at, at+p.duration) {
			parts[text] = c
		}
		at += p.duration
	}
	if off := at - from - s.Duration; off.Abs() > reachSlack {
		o.t.Errorf("%s lasts %v, its parts %v", s.URI, s.Duration, at-from)
	}
	if fmt.Sprint(parts) != fmt.Sprint(cues) {
		o.t.Errorf("%s has the cues %v, its parts %v", s.URI, cues, parts)
	}
}

// cues reads a file that is shown between two times, and holds its cues to what
// was said of them.
func (o *observer) cues(path string, from, to time.Duration) map[string]webvtt.Cue {
	o.t.Helper()
	w := o.get(path)
	f, err := webvtt.Read(w.Body.Bytes())
	if err != nil || w.Code != 200 {
		o.t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	if f.Map == nil || *f.Map != webvtt.MapAt(from, 0) {
		o.t.Errorf("%s: mapping %+v at %v", path, f.Map, from)
	}
	found := map[string]webvtt.Cue{}
	for _, c := range f.Cues {
		said := o.captioner.said[c.Text]
		if c.Start >= to || c.End.Truncate(time.Millisecond)+time.Millisecond <= from {
			o.t.Errorf("%s: %+v is not within %v to %v", path, c, from, to)
		}
		if !said.Date.IsZero() && (c.Start-said.At).Abs() > time.Millisecond || (c.End-c.Start-said.Duration).Abs() > time.Millisecond {
			o.t.Errorf("%s: %+v was said to be at %v for %v", path, c, said.At, said.Duration)
		}
		if o.captioner.seen == nil {
			o.captioner.seen = map[string]webvtt.Cue{}
		}
		if before, ok := o.captioner.seen[c.Text]; ok && before != c {
			o.t.Errorf("%s: %+v was %+v", path, c, before)
		}
		o.captioner.seen[c.Text] = c
		found[c.Text] = c
	}
	return found
}

// shownCues holds that what was said was shown, unless its time was one without
// media.
func (o *observer) shownCues() {
	if o.captioner == nil {
		return
	}
	type stretch struct{ from, to time.Duration }
	var there []stretch
	for _, s := range o.seen["sub-en"].known {
		from := s.ProgramDateTime.Sub(o.start)
		there = append(there, stretch{from, from + s.Duration})
	}
	for text, c := range o.captioner.said {
		if _, ok := o.captioner.seen[text]; ok || c.Date.IsZero() {
			continue
		}
		for _, s := range there {
			if c.At+time.Millisecond < s.to && c.At+c.Duration > s.from+time.Millisecond {
				o.t.Errorf("%q at %v for %v was never shown; there was media from %v to %v", text, c.At, c.Duration, s.from, s.to)
				break
			}
		}
	}
	if n := len(o.captioner.said); n > 30 && len(o.captioner.seen) < n/2 {
		o.t.Errorf("%d of %d were shown: %s", len(o.captioner.seen), n, strings.Join(o.troubles, ", "))
	}
}
