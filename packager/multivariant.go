package packager

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// defaultBandwidth is what the first variant, which players start with, comes
// nearest to (Apple 1.32).
const defaultBandwidth = 2_000_000

// shown is what the multivariant playlist says of a rendition; guarded by
// Presentation.mu.
type shown struct {
	spec      Rendition
	retired   bool
	there     bool // there is something to play
	listed    int  // segments with media, ever
	codecs    string
	width     int
	height    int
	channels  int
	frameRate int // in 1000 s
	bandwidth int
	average   int

	iframePeak, iframeAverage int // the same of the I-frame playlist; 0 where there is none

	final bool // nothing more is measured

	partTarget time.Duration // PART-TARGET; 0 before it is known
}

// published takes note of a segment that was listed. The caller holds r.mu.
func (p *Presentation) published(r *rendition, s *segment) {
	if s.gap {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	sh := &r.shown
	if sh.listed == 0 {
		sh.bandwidth, sh.frameRate = 0, 0 // as estimated by appeared
	}
	sh.listed++
	r.describe(s, s.duration)
	sh.bandwidth = max(sh.bandwidth, r.declared(), r.meter.peak, r.meter.average())
	sh.average = r.meter.average()
	sh.iframePeak = max(sh.iframePeak, r.iframes.peak, r.iframes.average())
	sh.iframeAverage = r.iframes.average()
	p.refresh()
}

// appeared takes note of the first part of a rendition's first segment, where
// parts are listed. Until the segment is complete its bitrate is an estimate.
// The caller holds r.mu.
func (p *Presentation) appeared(r *rendition, s *segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.shown.there {
		return
	}
	first := &s.parts[0]
	r.describe(s, first.duration)
	r.shown.bandwidth = max(r.declared(), bitrate(first.size, first.duration))
	p.refresh()
}

// describe takes over what a segment, of which so much is there, tells of its
// rendition. The caller holds r.mu and p.mu.
func (r *rendition) describe(s *segment, d time.Duration) {
	sh := &r.shown
	sh.there, sh.codecs = true, s.init.codecs
	switch r.kind {
	case media.Text:
		return
	case media.Audio:
		sh.channels = r.track.Channels
		return
	}
	sh.width, sh.height = fmp4.DisplaySize(r.track)
	if rate := r.track.FrameRate; rate.Known() {
		sh.frameRate = int(media.Rescale(1000, rate.Den, rate.Num))
	} else if sh.frameRate == 0 {
		sh.frameRate = measuredRate(s.frames, d)
	}
}

// forget drops what was measured of a rendition whose coder was replaced. The
// caller holds r.mu.
func (p *Presentation) forget(r *rendition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.shown.bandwidth, r.shown.average, r.shown.frameRate = 0, 0, 0
	r.shown.iframePeak, r.shown.iframeAverage = 0, 0
}

// declared is BANDWIDTH as far as it needs no peak measured: the maximum of a
// coder with what the boxes add, or 1.5 times the first GOPs of a copied video
// and 1.25 times the beginning of copied audio. The caller holds r.mu.
func (r *rendition) declared() int {
	peak := r.spec.Bitrate
	switch {
	case r.spec.Copy && r.kind == media.Video:
		return max(peak, r.meter.first*3/2)
	case r.spec.Copy:
		return max(peak, r.meter.first*5/4)
	}
	if peak == 0 {
		return 0
	}
	return peak + r.overhead(peak)
}

// usualRates are frames in 1000 seconds.
var usualRates = []int{23976, 24000, 25000, 29970, 30000, 50000, 59940, 60000}

// measuredRate is frames in 1000 seconds; within a thousandth of usual rates
// it is the nearest of them.
func measuredRate(frames int, d time.Duration) int {
	if d <= 0 {
		return 0
	}
	rate := int(media.Rescale(int64(frames)*1000, int(d), int(time.Second)))
	nearest, distance := rate, rate/1000+1
	for _, usual := range usualRates {
		if off := max(rate-usual, usual-rate); off < distance {
			nearest, distance = usual, off
		}
	}
	return nearest
}

// refresh renders the multivariant playlist anew where it says something else
// than before. The caller holds p.mu.
func (p *Presentation) refresh() {
	if p.state.Load() == stateClosed || !p.complete() {
		return
	}
	m := p.multivariant()
	if len(m.Variants) == 0 {
		return
	}
	text := m.Append(nil)
	if old := p.multi.Load(); old == nil || !bytes.Equal(old.text, text) {
		p.multi.Store(newDocument(text))
		if p.cfg.Recorder != nil {
			p.cfg.Recorder.Multivariant(text)
		}
	}
	if !p.isReady {
		p.isReady = true
		close(p.ready)
	}
}

// complete reports whether the multivariant playlist can be shown: once it
// was, it stays, and changes when there is something to show. The caller holds
// p.mu.
func (p *Presentation) complete() bool {
	video, hasVideo, most, missing := false, false, 0, false
	for _, r := range p.order {
		if r.shown.retired {
			continue
		}
		there := r.shown.there
		video = video || r.kind == media.Video
		hasVideo = hasVideo || there && r.kind == media.Video
		missing = missing || !there
		most = max(most, r.shown.listed)
	}
	if video && !hasVideo {
		return false
	}
	return !missing || p.isReady || most >= lateSegments || p.state.Load() != stateOpen
}

// multivariant builds the playlist of what is there. The caller holds p.mu.
func (p *Presentation) multivariant() *playlist.Multivariant {
	m := &playlist.Multivariant{Version: p.version(), IndependentSegments: !p.dependent.Load(), SessionKeys: p.sessionKeys()}
	var video, audio []*rendition
	for _, r := range p.order {
		switch {
		case !r.shown.there || r.shown.retired:
		case r.kind == media.Video:
			video = append(video, r)
		case r.kind == media.Audio:
			audio = append(audio, r)
		}
	}
	groups := groupsOf(audio)
	if len(video) == 0 {
		listSounds(m, groups)
		p.subtitle(m)
		return m
	}
	for _, g := range groups {
		m.Renditions = append(m.Renditions, g.list()...)
	}
	for _, r := range video {
		if len(groups) == 0 {
			m.Variants = append(m.Variants, variant(r))
		}
		for _, g := range groups {
			m.Variants = append(m.Variants, g.with(variant(r)))
		}
	}
	if p.cfg.AudioOnly && len(groups) > 0 {
		m.Variants = append(m.Variants, groups[0].alone())
	}
	arrange(m.Variants)
	m.IFrames = p.iframeVariants(video)
	p.caption(m)
	p.subtitle(m)
	return m
}

func variant(r *rendition) playlist.Variant {
	sh := &r.shown
	return playlist.Variant{
		Bandwidth: sh.bandwidth, AverageBandwidth: min(shownAverage(sh), sh.bandwidth), Codecs: sh.codecs,
		Width: sh.width, Height: sh.height, FrameRate: sh.frameRate, URI: r.name + "/index.m3u8",
	}
}

// shownAverage rounds the measured average up to a step of 2 %, so that the
// playlist does not change with every segment.
func shownAverage(sh *shown) int {
	if sh.final {
		return sh.average
	}
	average := sh.average
	if average == 0 {
		average = sh.spec.AverageBitrate
	}
	return stepped(average)
}

// stepped rounds a bit rate up to a step of 2 %.
func stepped(rate int) int {
	if rate < 1000 {
		return rate
	}
	step := math.Pow(1.02, math.Ceil(math.Log(float64(rate))/math.Log(1.02)))
	return int(math.Ceil(step))
}

// arrange puts the variant that players should start with first and the rest
// from the best to the least. It is one of the sound that stands first, which
// everybody can play, and has a picture where there is one.
func arrange(vs []playlist.Variant) {
	if len(vs) == 0 {
		return
	}
	sound, picture := vs[0].Audio, vs[0].Height > 0
	slices.SortStableFunc(vs, func(a, b playlist.Variant) int { return cmp.Compare(b.Bandwidth, a.Bandwidth) })
	best, distance := 0, math.Inf(1)
	for i, v := range vs {
		if v.Audio != sound || picture && v.Height == 0 {
			continue
		}
		if d := math.Abs(math.Log(float64(max(v.Bandwidth, 1)) / defaultBandwidth)); d < distance {
			best, distance = i, d
		}
	}
	first := vs[best]
	copy(vs[1:best+1], vs[:best])
	vs[0] = first
}
