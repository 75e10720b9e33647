package packager

import (
	"strings"
	"sync"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// Names of I-frame playlists (RFC 8216bis §4.4.3.6), beside the media playlists
// whose pictures they list.
const (
	iframesFile     = "iframes.m3u8"
	longIFramesFile = "dvr-iframes.m3u8"
)

// iframes are the I-frame playlists of a window, each made when somebody asks
// for it first. There is one entry for each segment, so that media sequence
// numbers are those of the media playlist.
type iframes struct {
	doc, delta, longDoc, longDelta func() *document // nil where there is none
	deltaDates, longDeltaDates     func() *document
}

// listIFrames is what a window offers to who fast-forwards: nothing where
// segments need not begin with an I-frame.
func (r *rendition) listIFrames(w *window) *iframes {
	if r.kind != media.Video || w.listed == 0 || r.p.dependent.Load() || r.p.wholly() {
		return nil
	}
	later := func(e extent) func() *document {
		e.iframes = true
		return sync.OnceValue(func() *document {
			var m playlist.Media
			r.compose(w, &m, e)
			return newDocument(m.Append(nil))
		})
	}
	skips := r.p.cfg.LowLatency && !w.ended
	f := &iframes{doc: later(extent{file: iframesFile, segments: w.listed})}
	if skip := w.skippable(w.listed, skipTargets*r.p.target); skips && skip > 0 {
		f.delta = later(extent{file: iframesFile, segments: w.listed, skip: skip})
		f.deltaDates = later(extent{file: iframesFile, segments: w.listed, skip: skip, skipDates: true})
	}
	if w.long > 0 {
		f.longDoc = later(extent{file: longIFramesFile, segments: w.long})
		if skip := w.skippable(w.long, skipTargets*r.p.target); skips && skip > 0 {
			f.longDelta = later(extent{file: longIFramesFile, segments: w.long, skip: skip})
			f.longDeltaDates = later(extent{file: longIFramesFile, segments: w.long, skip: skip, skipDates: true})
		}
	}
	return f
}

// iframe is how an I-frame playlist lists the segment's first picture: the
// range of the segment with its moof (Apple 6.10). A segment that does not
// begin with one has none to load.
func (s *segment) iframe(e playlist.Segment) playlist.Segment {
	if e.Gap = s.iframeSize == 0; !e.Gap {
		e.ByteRange = &playlist.ByteRange{Length: s.iframeSize}
	}
	return e
}

// iframeVariants lists the I-frame playlists of the video renditions that have
// one. The caller holds p.mu.
func (p *Presentation) iframeVariants(video []*rendition) []playlist.Variant {
	if p.dependent.Load() {
		return nil
	}
	var out []playlist.Variant
	for _, r := range video {
		sh := &r.shown
		if sh.iframePeak == 0 {
			continue
		}
		v := playlist.Variant{
			Bandwidth: sh.iframePeak, AverageBandwidth: sh.iframeAverage, Codecs: sh.codecs,
			Width: sh.width, Height: sh.height, URI: r.name + "/" + iframesFile,
		}
		if !sh.final { // pictures differ more than segments do
			v.Bandwidth, v.AverageBandwidth = stepped(v.Bandwidth), stepped(v.AverageBandwidth)
		}
		out = append(out, v)
	}
	return out
}

// longURIs makes the multivariant playlist of the long media playlists out of
// the other one.
var longURIs = strings.NewReplacer("/"+mediaFile, "/"+longFile, "/"+iframesFile, "/"+longIFramesFile)
