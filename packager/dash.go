package packager

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/dash"
	"github.com/millrace/millrace/packager/fmp4"
)

// Names of what DASH players ask for beside the segments.
const (
	manifestFile = "manifest.mpd"
	clockFile    = "time"
)

var (
	typeManifest = []string{"application/dash+xml"}
	typeText     = []string{"text/plain; charset=utf-8"}
)

// keptAnchors is how many discontinuities a presentation remembers the times
// of. What is older is in no MPD.
const keptAnchors = 256

// anchor is where the media of a discontinuity, or of a key within one, stands
// on the timeline of the MPD: a Period.
type anchor struct {
	id            string
	discontinuity uint64
	key           *key
	start         time.Duration // of the Period, since the first anchor's wall-clock time
	cut           span          // its first
}

// at is where a point of the stream's timeline is shown.
func (a *anchor) at(pts time.Duration) time.Duration {
	return a.start + pts - media.Duration(a.cut.PTS, a.cut.ClockRate)
}

// anchor gives a discontinuity its place. Where media goes on (a worker died,
// parameters changed), so does the timeline; else it follows the wall clock,
// but never into what was there before.
func (p *Presentation) anchor(c media.Cut) {
	n := len(p.anchors)
	broken := n == 0 || p.anchors[n-1].discontinuity != c.Discontinuity
	if !broken && p.anchors[n-1].key == p.key {
		return
	}
	a := anchor{id: strconv.FormatUint(c.Discontinuity, 10), discontinuity: c.Discontinuity, key: p.key, cut: span{Cut: c}}
	if !broken {
		a.id += "-" + strconv.FormatUint(c.Segment, 10)
	}
	if n > 0 {
		before := &p.anchors[n-1]
		a.start = c.Wall.Sub(p.zero)
		goesOn := before.at(media.Duration(c.PTS, c.ClockRate))
		ends := before.start
		if last, known, _ := p.timeline.at(c.Segment - 1); known {
			ends = before.at(media.Duration(last.PTS, last.ClockRate) + last.length)
		}
		if off := goesOn - a.start; !broken || off.Abs() < time.Second {
			a.start = goesOn
		}
		a.start = max(a.start, ends)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 0 {
		p.zero = c.Wall
	}
	if n >= keptAnchors {
		p.anchors = p.anchors[1:]
	}
	p.anchors = append(slices.Clip(p.anchors), a)
}

// manifest is an MPD and what it was made of.
type manifest struct {
	windows []*window
	multi   *document
	doc     *document
}

// serveManifest answers with the MPD, which is made when somebody asks for it
// first after a change.
func (p *Presentation) serveManifest(w http.ResponseWriter, r *http.Request, multi *document) {
	if reason := p.noDASH(); reason != "" {
		w.Header().Set("Cache-Control", cacheMissing)
		http.Error(w, reason, http.StatusNotFound)
		return
	}
	if multi == nil {
		notFound(w)
		return
	}
	m, err := p.manifest(multi)
	if err != nil || m.doc == nil {
		notFound(w) // there is no whole segment yet
		return
	}
	serveText(w, r, m.doc, typeManifest, p.cacheMedia)
}

// noDASH says why there is no MPD, empty where there is one.
func (p *Presentation) noDASH() string {
	switch {
	case p.cfg.Container != FMP4:
		return "there is no DASH of MPEG-TS segments: hls.container has to be fmp4"
	case p.wholly():
		return "there is no DASH of segments that are encrypted as a whole: hls.encryption.method has to be cbcs"
	}
	return ""
}

// serveClock tells the time that the MPD's is by (§5.8.5.7).
func serveClock(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = typeText, []string{"no-store"}
	if r.Method != http.MethodHead {
		_, _ = fmt.Fprintln(w, time.Now().UTC().Format("2006-01-02T15:04:05.000Z")) // the client may be gone
	}
}

func (p *Presentation) manifest(multi *document) (*manifest, error) {
	names := *p.names.Load()
	m := &manifest{multi: multi}
	for _, name := range sortedNames(names) {
		m.windows = append(m.windows, names[name].window.Load())
	}
	if old := p.mpd.Load(); old != nil && old.multi == multi && slices.Equal(old.windows, m.windows) {
		return old, nil
	}
	p.mu.Lock()
	d := p.describeDASH(time.Now())
	p.mu.Unlock()
	if len(d.Periods) > 0 {
		text, err := d.Append(nil)
		if err != nil {
			return nil, err
		}
		m.doc = newDocument(text)
	}
	p.mpd.Store(m)
	return m, nil
}

func sortedNames(names map[string]*rendition) []string {
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// describeDASH says what the MPD is. The caller holds p.mu.
func (p *Presentation) describeDASH(now time.Time) *dash.MPD {
	m := &dash.MPD{
		Profiles: dash.Profiles, Type: "dynamic", AvailabilityStartTime: dash.Time(p.zero), PublishTime: dash.Time(now),
		MinimumUpdatePeriod: dash.Duration(p.cfg.Segment / 2), TimeShiftBufferDepth: dash.Duration(max(p.cfg.Window, p.cfg.DVR)),
		PresentationDelay:  dash.Duration(holdBackTargets * p.target),
		MaxSegmentDuration: dash.Duration(p.target), MinBufferTime: dash.Duration(p.cfg.Segment),
		Timing: &dash.Descriptor{Scheme: "urn:mpeg:dash:utc:http-iso:2014", Value: clockFile},
	}
	if c := p.control.Load(); c != nil && p.cfg.LowLatency {
		delay := c.PartHoldBack + p.cfg.Segment/2 // a change is seen half a segment late
		m.PresentationDelay = dash.Duration(delay)
		m.Service = &dash.ServiceDescription{Latency: dash.Latency{
			Target: delay.Milliseconds(), Min: c.PartHoldBack.Milliseconds(), Max: (holdBackTargets * p.target).Milliseconds(),
		}}
	}
	var end time.Duration
	for i := range p.anchors {
		a := &p.anchors[i]
		period := dash.Period{ID: a.id, Start: dash.Duration(a.start)}
		var video []dash.Representation
		var sets []dash.AdaptationSet
		for _, r := range p.order {
			if r.shown.retired || !r.shown.there || r.kind == media.Text {
				continue
			}
			rep, ends, ok := r.represent(a)
			if !ok {
				continue
			}
			end = max(end, ends)
			if r.kind == media.Video {
				video = append(video, rep)
				continue
			}
			set := r.audioSet(rep)
			set.ID = len(sets) + 2 // behind that of the picture, in every Period
			sets = append(sets, set)
		}
		if len(video) > 0 {
			slices.SortStableFunc(video, func(a, b dash.Representation) int { return cmp.Compare(b.Bandwidth, a.Bandwidth) })
			sets = append([]dash.AdaptationSet{{
				ID: 1, ContentType: "video", MimeType: typeVideo[0], Aligned: true, StartWithSAP: 1, Representations: video,
			}}, sets...)
		}
		for i := range sets {
			sets[i].Protection = a.key.describe()
		}
		if len(sets) > 0 && p.cfg.Markers { // as Mark says where metadata is
			sets[0].Events = &dash.Descriptor{Scheme: fmp4.SchemeID3}
		}
		if period.Sets = sets; len(sets) > 0 {
			m.Periods = append(m.Periods, period)
		}
	}
	if p.state.Load() == stateEnded {
		m.MinimumUpdatePeriod, m.Length = 0, dash.Duration(end)
	}
	return m
}

func (r *rendition) audioSet(rep dash.Representation) dash.AdaptationSet {
	set := dash.AdaptationSet{
		ContentType: "audio", MimeType: typeAudio[0], Aligned: true, StartWithSAP: 1,
		Language: r.shown.spec.Language, Label: r.shown.spec.Title, Representations: []dash.Representation{rep},
	}
	if r.shown.spec.Default {
		set.Role = &dash.Descriptor{Scheme: "urn:mpeg:dash:role:2011", Value: "main"}
	}
	return set
}

// represent lists the segments of a discontinuity that the rendition has from
// its last GAP on. The second value is where they end on the MPD's timeline,
// the third false where it has none: a rung that is off is not offered. The
// caller holds p.mu.
func (r *rendition) represent(a *anchor) (dash.Representation, time.Duration, bool) {
	sh, w := &r.shown, r.window.Load()
	rep := dash.Representation{
		ID: r.name, Codecs: sh.codecs, Bandwidth: sh.bandwidth, Width: sh.width, Height: sh.height,
	}
	if rate := sh.frameRate; rate > 0 && rate%1000 == 0 {
		rep.FrameRate = strconv.Itoa(rate / 1000)
	} else if rate > 0 {
		rep.FrameRate = strconv.Itoa(rate) + "/1000"
	}
	if r.kind == media.Audio {
		rep.Channels = &dash.Descriptor{Scheme: dash.ChannelsScheme, Value: strconv.Itoa(sh.channels)}
	}
	var run []*segment
	for _, s := range w.held[len(w.held)-max(w.listed, w.long):] {
		switch {
		case s.discontinuity != a.discontinuity || s.key != a.key:
		case s.gap || s.clock == 0:
			run = run[:0]
		default:
			run = append(run, s)
		}
	}
	open := w.open
	if open != nil && (open.discontinuity != a.discontinuity || open.key != a.key || w.ended || !r.p.cfg.LowLatency || len(open.parts) == 0) {
		open = nil
	}
	if len(run) == 0 {
		return rep, 0, false
	}
	first, last := run[0], run[len(run)-1]
	for i, s := range run { // another initialization section is another run
		if s.init != last.init && s.init.name != last.init.name {
			first = run[i+1]
		}
	}
	run = run[slices.Index(run, first):]
	rep.Template = dash.SegmentTemplate{
		Timescale: last.clock, PresentationOffset: a.cut.ticks(last.clock), StartNumber: first.number,
		Initialization: r.name + "/" + last.init.name, Media: r.name + "/$Number$" + r.p.cfg.Container.extension(),
	}
	if r.kind == media.Audio {
		rep.SamplingRate = last.clock
	}
	for i, s := range run {
		length := media.Ticks(s.duration, s.clock)
		if i+1 < len(run) {
			length = run[i+1].start - s.start
		} else if open != nil {
			length = open.start - s.start
		}
		rep.Template.Add(s.start, length)
	}
	end := a.at(media.Duration(last.start, last.clock) + last.duration)
	if open != nil {
		// How long it will be is not known; as long as the one before, mostly.
		rep.Template.Add(open.start, media.Ticks(last.duration, last.clock))
	}
	if r.p.cfg.LowLatency && !w.ended {
		early := r.p.cfg.Segment - min(r.p.cfg.Segment, max(w.target, r.p.cfg.Part))
		complete := false
		rep.Template.AvailabilityOffset, rep.Template.Complete = dash.Seconds(early), &complete
	}
	return rep, end, true
}
