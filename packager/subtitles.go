package packager

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/webvtt"
)

// SubtitlesPrefix begins the names of subtitle renditions in URLs; their ID
// follows.
const SubtitlesPrefix = "sub-"

// subtitlesGroup is their group in the multivariant playlist.
const subtitlesGroup = "subs"

// describesSound is CHARACTERISTICS of subtitles for who does not hear.
const describesSound = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"

// Errors of Caption that a caller may branch on, beside media.ErrCue and
// ErrTooMany.
var (
	ErrNoSubtitles = errors.New("the presentation has no such subtitles")
	ErrLateCue     = errors.New("the cue's time is long over, or far ahead")
)

// What a presentation remembers of cues, and how late one may come.
const (
	maxCues        = 256 // in a rendition, that are not over
	maxWaitingCues = 64  // that came before the first cut
	latestCue      = time.Minute
	earliestCue    = time.Hour // who says more has mistaken the unit
)

// reachSlack is how much media may be missing at the end of a part of text: the
// parts of the picture that it goes with do not end in the very same places.
const reachSlack = 20 * time.Millisecond

// textBandwidth is what a subtitle rendition adds to BANDWIDTH at least, in
// bits/s: it is measured only when somebody speaks.
const textBandwidth = 5000

// Subtitles describes a rendition of text.
type Subtitles struct {
	ID       string // what media.Cue.Subtitles says; SubtitlesPrefix and it are its name in URLs
	Title    string // that players show; Language where it is empty
	Language string // BCP 47
	Default  bool   // to be shown unless the viewer chooses otherwise
	Forced   bool   // what has to be read by everybody, such as signs
	SDH      bool   // tells of sounds too, for who does not hear
}

// text is what a rendition of subtitles has in place of samples. Its segments
// have the numbers and lengths of all others, and go with the first rendition
// of the picture (of the sound where there is none) that is so far; its parts
// are as long as its PART-TARGET, and end where the segment does.
type text struct {
	subtitles Subtitles

	// Guarded by rendition.mu:
	cur     *open         // nil between segments
	from    time.Duration // on the stream's timeline: where it begins,
	reached time.Duration // and where its last part ends

	mu     sync.Mutex // guards what follows; nothing is waited for under it
	cues   []cue      // that are not over, by start
	edge   time.Duration
	serial int // of cues
}

// cue is one of a rendition, and the discontinuity in which it is listed, 0
// before it is. It is not shown beyond that: what follows is something else.
type cue struct {
	webvtt.Cue
	discontinuity uint64
}

// textSection stands for the initialization section that text has not.
var textSection = &initSection{name: "none", plain: "none", inBand: true}

// checkSubtitles reports what is wrong with those of a configuration.
func (c *Config) checkSubtitles() error {
	if len(c.Subtitles) > 0 && c.VOD {
		return errors.New("subtitles are for live presentations only")
	}
	seen := map[string]bool{}
	for _, s := range c.Subtitles {
		switch {
		case !validName(SubtitlesPrefix + s.ID):
			return fmt.Errorf("bad ID of subtitles %q", s.ID)
		case seen[s.ID]:
			return fmt.Errorf("two subtitles with the ID %q", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

// makeTexts makes the renditions of the subtitles.
func (p *Presentation) makeTexts() {
	for _, s := range p.cfg.Subtitles {
		spec := Rendition{Name: SubtitlesPrefix + s.ID, Kind: media.Text, Copy: true, Language: s.Language}
		r := newRendition(p, spec)
		r.spec, r.shown.spec, r.text = spec, spec, &text{subtitles: s}
		p.texts = append(p.texts, r)
	}
}

// Caption shows a text in the subtitles that the cue names. One that comes late
// is shown from the place up to which viewers have the subtitles, for as long
// as it was meant to be; one that was over a minute ago is refused.
//
// The cue that is returned has Date, At and Duration as it is shown, unless
// there is no media yet. It may be called from any goroutine, never waits for
// media, and fails with media.ErrCue or one of the errors above, with ErrTooMany,
// ErrEnded or ErrClosed.
func (p *Presentation) Caption(c media.Cue) (media.Cue, error) {
	i := slices.IndexFunc(p.texts, func(r *rendition) bool { return r.text.subtitles.ID == c.Subtitles })
	if i < 0 {
		return c, fmt.Errorf("%w: %q", ErrNoSubtitles, c.Subtitles)
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	if err := p.closedOrEnded(); err != nil {
		return c, err
	}
	if c.Duration == 0 {
		c.Duration = c.Lasts()
	}
	k := &p.marks
	k.mu.Lock()
	if !p.timeline.locate(&c.Date, &c.At) {
		defer k.mu.Unlock()
		if len(k.cues) == maxWaitingCues {
			return c, fmt.Errorf("%w: %d cues wait for the first segment", ErrTooMany, maxWaitingCues)
		}
		k.cues = append(k.cues, c)
		return c, nil
	}
	k.mu.Unlock()
	return p.texts[i].text.take(c)
}

// cutCues gives cues that waited for the first cut their time.
func (p *Presentation) cutCues() {
	k := &p.marks
	k.mu.Lock()
	waited := k.cues
	k.cues = nil
	k.mu.Unlock()
	for _, c := range waited {
		if _, err := p.Caption(c); err != nil {
			p.trouble(SubtitlesPrefix+c.Subtitles, fmt.Errorf("cue: %w", err))
		}
	}
}

// take adds a cue that has its time.
func (t *text) take(c media.Cue) (media.Cue, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch late := t.edge - c.At; {
	case late > c.Duration+latestCue:
		return c, fmt.Errorf("%w: it would have begun %v ago", ErrLateCue, late.Round(time.Second))
	case -late > earliestCue:
		return c, fmt.Errorf("%w: it would begin in %v only", ErrLateCue, -late.Round(time.Second))
	case late > 0:
		c.At, c.Date = t.edge, c.Date.Add(late)
	}
	if len(t.cues) == maxCues {
		return c, fmt.Errorf("%w: %d cues wait for their time", ErrTooMany, maxCues)
	}
	t.serial++
	made := cue{Cue: webvtt.Cue{
		Start: c.At, End: c.At + c.Duration, Text: c.Text, Line: c.Line, Position: c.Position, Align: c.Align,
	}}
	made.ID = fmt.Sprintf("%d-%d", c.Date.Unix(), t.serial) // never that of another life of the stream
	at, _ := slices.BinarySearchFunc(t.cues, made.Start, func(c cue, start time.Duration) int {
		if c.Start > start {
			return 1
		}
		return -1
	})
	t.cues = slices.Insert(t.cues, at, made)
	return c, nil
}

// list says that viewers have the subtitles up to a time from now on, and
// returns the cues that are shown in the open segment from another one on.
func (t *text) list(from, to time.Duration) []cue {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.edge = max(t.edge, to)
	t.cues = slices.DeleteFunc(t.cues, func(c cue) bool { return c.End <= t.from })
	var out []cue
	for i := range t.cues {
		c := &t.cues[i]
		if c.Start >= to || c.End <= from || c.discontinuity != 0 && c.discontinuity != t.cur.discontinuity {
			continue
		}
		c.discontinuity = t.cur.discontinuity
		out = append(out, *c)
	}
	return out
}

// writeText makes the file of what is shown between two times.
func (r *rendition) writeText(cues []cue, from, to time.Duration) []byte {
	var offset uint64
	if r.p.cfg.Container == TS {
		offset = mpegts.Offset
	}
	var shown []webvtt.Cue
	for _, c := range cues {
		if c.Start < to && c.End > from {
			shown = append(shown, c.Cue)
		}
	}
	return webvtt.Append(nil, webvtt.MapAt(from, offset), shown)
}

// leads reports whether subtitles go with what this rendition lists.
func (r *rendition) leads() bool {
	if r.p.pictured.Load() {
		return r.kind == media.Video
	}
	return r.kind == media.Audio
}

// reach tells the subtitles how far the media of a segment is there. The caller
// holds the lock of the rendition that is so far, not of a text's.
func (p *Presentation) reach(number uint64, to time.Duration) {
	for _, r := range p.texts {
		r.mu.Lock()
		r.reachText(number, to)
		r.mu.Unlock()
	}
}

func (r *rendition) reachText(number uint64, to time.Duration) {
	t := r.text
	if !r.beginText(number) || r.target == 0 || !r.p.cfg.LowLatency {
		return
	}
	n := len(t.cur.parts)
	for to+reachSlack >= t.reached+r.target {
		r.addPart(r.target, t.list(t.reached, t.reached+r.target))
	}
	if len(t.cur.parts) > n {
		r.showParts(t.cur)
	}
}

// addPart adds a part of that length with those of the cues that are shown then.
func (r *rendition) addPart(length time.Duration, cues []cue) {
	t := r.text
	to := t.reached + length
	doc := newDocument(r.writeText(cues, t.reached, to))
	t.cur.parts = append(t.cur.parts, part{size: int64(len(doc.text)), duration: length, independent: true, text: doc})
	t.reached = to
	r.serial++
}

// beginText opens a segment, unless it is open, after closing those before it.
// It reports false where it was not announced, or was closed already.
func (r *rendition) beginText(number uint64) bool {
	t := r.text
	if t.cur == nil || t.cur.number < number {
		r.closeTexts(number, 0)
		if r.next == 0 || r.next == number {
			r.openText(number)
		}
	}
	return t.cur != nil && t.cur.number == number
}

// openText opens a segment, if it was announced.
func (r *rendition) openText(number uint64) bool {
	s, known, _ := r.p.timeline.at(number)
	if !known {
		return false
	}
	if r.serial == 0 {
		r.serial = number * maxPartsPerSecond
	}
	t := r.text
	t.from = media.Duration(s.PTS, s.ClockRate)
	t.reached = t.from
	t.cur = &open{span: s, segment: segment{
		number: number, start: s.PTS, clock: s.ClockRate, first: r.serial, discontinuity: s.Discontinuity,
		init: textSection, wall: s.Wall, uri: r.segmentName(number),
	}}
	return true
}

// finishTexts closes the subtitles' segments up to one that was listed with so
// long a duration. The caller holds the lock of the rendition that listed it.
func (p *Presentation) finishTexts(number uint64, lasted time.Duration) {
	for _, r := range p.texts {
		r.mu.Lock()
		if r.beginText(number) {
			r.closeTexts(number+1, lasted)
		}
		r.mu.Unlock()
	}
}

// advanceText closes what no other rendition will list any more, now that the
// segment newest has begun.
func (r *rendition) advanceText(newest uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if late := r.p.lateness(&r.spec, false); newest >= late {
		r.closeTexts(newest-late+1, 0)
	}
}

// skipTexts closes all below a segment.
func (r *rendition) skipTexts(number uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeTexts(number, 0)
}

// closeTexts lists the segments below a number, from the first one that was
// begun. lasted is how long the last of them is where the cuts do not tell.
func (r *rendition) closeTexts(below uint64, lasted time.Duration) {
	for t := r.text; ; {
		if t.cur == nil {
			if r.next == 0 || r.next >= below {
				return
			}
			if !r.openText(r.next) {
				// Its cut is forgotten: numbers must stay equal.
				_ = r.fillGaps(r.next + 1) // which fails for files only
				continue
			}
		}
		if t.cur.number >= below {
			return
		}
		r.closeText(lasted)
	}
}

// closeText lists the open segment.
func (r *rendition) closeText(lasted time.Duration) {
	t := r.text
	cur := t.cur
	if s, known, _ := r.p.timeline.at(cur.number); known {
		cur.span = s
	}
	cur.duration = cur.span.length
	for _, other := range []time.Duration{lasted, r.p.cfg.Segment} {
		if cur.duration == 0 {
			cur.duration = other
		}
	}
	end := t.from + cur.duration
	cues := t.list(t.from, end)
	if r.p.cfg.LowLatency {
		if r.target == 0 {
			r.setTarget(r.p.cfg.Part)
		}
		for rest := end - t.reached; rest >= time.Millisecond; rest = end - t.reached {
			r.addPart(min(rest, r.target), cues)
		}
	}
	t.cur = nil
	doc := newDocument(r.writeText(cues, t.from, end))
	cur.text, cur.size, cur.segment.length = doc, int64(len(doc.text)), doc.length
	if err := r.storeText(cur, doc.text); err != nil {
		r.p.trouble(r.name, fmt.Errorf("store segment %d: %w", cur.number, err))
		cur.removeFiles()
		cur.segment.text, cur.file, cur.init, cur.parts, cur.size, cur.gap = nil, nil, nil, nil, 0, true
		r.gaps.Add(1)
	}
	_ = r.publish(&cur.segment) // which fails for files only
}

// storeText puts a segment where those of other renditions are.
func (r *rendition) storeText(cur *open, text []byte) error {
	size := cur.size
	cur.size = 0 // nothing is there yet that would have to be moved
	err := r.create(cur)
	if err == nil {
		_, err = cur.file.Append(text)
	}
	if err != nil && !cur.spilled {
		if err = r.spill(cur, err); err == nil {
			_, err = cur.file.Append(text)
		}
	}
	if err != nil {
		return err
	}
	cur.size = size
	return cur.file.Finish()
}

// subtitle adds the subtitles that there are to the multivariant playlist. The
// caller holds p.mu.
func (p *Presentation) subtitle(m *playlist.Multivariant) {
	peak, average, chosen := 0, 0, false
	var list []playlist.Rendition
	for _, r := range p.texts {
		if !r.shown.there {
			continue
		}
		s := &r.text.subtitles
		e := playlist.Rendition{
			Type: "SUBTITLES", GroupID: subtitlesGroup, Name: s.Title, Language: s.Language,
			Default: s.Default && !chosen, Autoselect: true, Forced: s.Forced, URI: r.name + "/" + mediaFile,
		}
		if e.Name == "" {
			e.Name = s.Language
		}
		if slices.ContainsFunc(list, func(o playlist.Rendition) bool { return o.Name == e.Name }) {
			e.Name = strings.TrimSpace(e.Name + " (" + s.ID + ")") // §4.4.6.1.1: names differ
		}
		if s.SDH {
			e.Characteristics = describesSound
		}
		chosen = chosen || e.Default
		peak, average = max(peak, stepped(r.shown.bandwidth), textBandwidth), max(average, stepped(r.shown.average), textBandwidth)
		list = append(list, e)
	}
	if len(list) == 0 {
		return
	}
	m.Renditions = append(m.Renditions, list...)
	for i := range m.Variants {
		v := &m.Variants[i]
		v.Subtitles = subtitlesGroup
		v.Bandwidth += peak
		v.AverageBandwidth += average
	}
}

// targetTexts has subtitles made in parts that are as long as those of the
// rendition they go with. The caller holds its lock, and not p.mu.
func (p *Presentation) targetTexts(lead *rendition) {
	for _, r := range p.texts {
		r.mu.Lock()
		if r.target == 0 {
			r.setTarget(lead.target)
		}
		r.mu.Unlock()
	}
}

// pastOfText is what the long playlist lists of subtitles that were not there
// before a restart: gaps, so that numbers are those of the others.
func pastOfText(name string, of []Listed) []Listed {
	out := make([]Listed, 0, len(of))
	for i := range of {
		l := &of[i]
		out = append(out, Listed{
			Rendition: name, Kind: media.Text, Number: l.Number, Discontinuity: l.Discontinuity,
			Duration: l.Duration, Wall: l.Wall, Target: l.Target, Container: l.Container,
		})
	}
	return out
}
