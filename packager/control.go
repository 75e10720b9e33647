package packager

import (
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// versionSkip is EXT-X-VERSION of a delta update (RFC 8216bis §8).
const versionSkip = 9

// versionSkipDates is that of one that leaves date ranges out.
const versionSkipDates = 10

// maxPartsPerSecond is the distance of the serials with which two segments may
// begin: a rendition counts its parts up from the number of its first segment,
// which is at least a second above that of an earlier presentation's.
const maxPartsPerSecond = 1000

// Limits that are given in target durations (RFC 8216bis §4.4.3.8, §6.2.2).
const (
	holdBackTargets = 3
	skipTargets     = 6
	partTargets     = 3 // how far from the end parts are listed
)

// setTarget fixes PART-TARGET, which never changes from then on. Once the
// hold-back is announced no target may be above a third of it.
func (r *rendition) setTarget(t time.Duration) {
	r.target = t
	if r.leads() {
		defer r.p.targetTexts(r)
	}
	if !r.p.cfg.LowLatency {
		return
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if c := r.p.control.Load(); c != nil {
		r.target = min(t, c.PartHoldBack/3)
	}
	r.shown.partTarget = r.target
}

// controlled reports whether EXT-X-SERVER-CONTROL is decided, and decides it
// once every rendition's PART-TARGET is known: the same for all of them, for
// good. A rendition that does not come is not waited for longer than it takes
// another one to have two parts. w is the window of r, about to be shown.
func (p *Presentation) controlled(r *rendition, w *window) bool {
	if p.control.Load() != nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.control.Load() != nil {
		return true
	}
	largest, missing := r.target, false
	for _, other := range p.order {
		if !other.shown.retired {
			largest = max(largest, other.shown.partTarget)
			missing = missing || other.shown.partTarget == 0
		}
	}
	if missing {
		if w.listed == 0 && len(w.open.parts) < 2 {
			return false
		}
		largest = max(largest, p.cfg.Part*6/5)
	}
	p.control.Store(&playlist.ServerControl{
		CanBlockReload: true, CanSkipUntil: skipTargets * p.target, CanSkipDateRanges: p.cfg.Markers,
		PartHoldBack: 3 * largest, HoldBack: holdBackTargets * p.target,
	})
	return true
}

// lowLatency adds to a playlist what is there for low latency, and returns
// from which of the listed segments on parts are listed too. The playlist has
// a name that those of the other renditions share.
func (r *rendition) lowLatency(w *window, m *playlist.Media, listed []*segment, name string) int {
	m.ServerControl, m.PartTarget = r.p.control.Load(), w.target
	if !w.ended {
		m.PreloadHints = []playlist.PreloadHint{{Type: "PART", URI: r.partName(w.serial), Length: -1}}
		m.RenditionReports = r.reports(name)
	}
	// Parts further from the end than three target durations leave (§6.2.2).
	var behind time.Duration
	if w.open != nil {
		for i := range w.open.parts {
			behind += w.open.parts[i].duration
		}
	}
	from := len(listed)
	for from > 0 {
		if behind += listed[from-1].duration; behind > partTargets*r.p.target {
			break
		}
		from--
	}
	return from
}

// reports tells how far the other renditions are.
func (r *rendition) reports(name string) []playlist.RenditionReport {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []playlist.RenditionReport
	for _, other := range p.order {
		if other == r || other.shown.retired {
			continue
		}
		w := other.window.Load()
		newest := w.newestParts()
		if w.doc == nil || newest == nil {
			continue
		}
		out = append(out, playlist.RenditionReport{
			URI: "../" + other.name + "/" + name, LastMSN: newest.number, LastPart: int64(len(newest.parts)) - 1,
		})
	}
	return out
}

// newestParts is the newest segment that has parts, nil if there is none. GAPs
// have none.
func (w *window) newestParts() *segment {
	if w.open != nil {
		return w.open
	}
	for i := len(w.held) - 1; i >= 0; i-- {
		if len(w.held[i].parts) > 0 {
			return w.held[i]
		}
	}
	return nil
}

// skippable is how many of the newest segments, as many as a playlist lists, a
// delta update leaves out: those that end further than boundary before the end of the last one
// (RFC 8216bis §6.2.5.1).
func (w *window) skippable(segments int, boundary time.Duration) int {
	listed := w.held[len(w.held)-segments:]
	var behind time.Duration
	for i := len(listed) - 1; i >= 0; i-- {
		if behind > boundary {
			return i + 1
		}
		behind += listed[i].duration
	}
	return 0
}
