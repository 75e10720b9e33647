package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"testing"
	"time"

	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

//go:embed watch.js
var watchJS string

// Video watches one <video> element of a page, from when Watch was called. A
// page that is loaded again has to be watched again.
type Video struct {
	t        testing.TB
	page     *Page
	selector string
}

// Watch waits for a <video> element, which a CSS selector names, and watches
// it. Where the selector finds none, it is looked for in open shadow roots.
func (p *Page) Watch(selector string) *Video {
	p.t.Helper()
	find := fmt.Sprintf(`(() => {
		const search = (root) => {
			const found = root.querySelector(%s);
			if (found) { return found; }
			for (const element of root.querySelectorAll('*')) {
				const inside = element.shadowRoot && search(element.shadowRoot);
				if (inside) { return inside; }
			}
			return null;
		};
		return window.__watched = search(document);
	})()`, quote(selector))
	p.Eventually(actionTime, "element "+selector, find)
	layouts, _ := json.Marshal(testmedia.Layouts()) // plain numbers
	frame, wall := testmedia.StripBits()
	p.Eval(fmt.Sprintf("void (window.__watch = (%s)(window.__watched, %s, { Frame: %d, Wall: %d }))", watchJS, layouts, frame, wall), nil)
	return &Video{t: p.t, page: p, selector: selector}
}

// State is what a <video> says about itself.
type State struct {
	Time          float64 // currentTime, s
	Paused, Ended bool
	Muted         bool
	Ready         int // readyState: 4 is enough data
	Width, Height int // of the picture now shown
	Error         string
	Buffered      float64 // s ahead of Time
	Total         int     // pictures decoded or dropped
	Dropped       int     // pictures not shown because the browser was slow
}

// State asks the element.
func (v *Video) State() State {
	v.t.Helper()
	var s State
	v.page.Eval("window.__watch.state()", &s)
	return s
}

// Shown is one picture that the browser has put on the screen.
type Shown struct {
	testmedia.Stamp
	Readable  bool          // the strip could be read; the Stamp is zero otherwise
	At        time.Time     // when it was presented
	MediaTime time.Duration // its PTS on the element's timeline
	// Presented counts the pictures presented so far; it grows by more than
	// one where the page was too slow to look at each.
	Presented     int
	Width, Height int
}

// Latency is the time from drawing to presenting, for a source that draws by
// the wall clock of this machine.
func (s Shown) Latency() time.Duration { return s.At.Sub(s.Wall) }

// Shown returns the pictures presented since it was called last.
func (v *Video) Shown() []Shown {
	v.t.Helper()
	var raw []struct {
		Readable  bool
		Frame     uint32
		Wall      int64
		At        float64
		MediaTime float64
		Presented int
		Width     int
		Height    int
	}
	v.page.Eval("window.__watch.shown()", &raw)
	shown := make([]Shown, len(raw))
	for i, r := range raw {
		shown[i] = Shown{
			Readable: r.Readable, At: time.UnixMicro(int64(r.At * 1000)), MediaTime: time.Duration(math.Round(r.MediaTime * 1e9)),
			Presented: r.Presented, Width: r.Width, Height: r.Height,
		}
		if r.Readable {
			shown[i].Stamp = testmedia.Stamp{Frame: r.Frame, Wall: time.UnixMilli(r.Wall).UTC()}
		}
	}
	return shown
}

// Event is one event of the element.
type Event struct {
	Name string
	At   int64   // Unix ms
	Time float64 // currentTime, s
}

// Events returns the events since it was called last.
func (v *Video) Events() []Event {
	v.t.Helper()
	var events []Event
	v.page.Eval("window.__watch.events()", &events)
	return events
}

// Stall is a time in which the picture stood still although it should not.
type Stall struct {
	At     int64   // Unix ms
	Time   float64 // currentTime, s
	Length float64 // ms
}

// Stalls returns all stalls of more than a quarter of a second, after playback
// has once begun.
func (v *Video) Stalls() []Stall {
	v.t.Helper()
	var stalls []Stall
	v.page.Eval("window.__watch.stalls()", &stalls)
	return stalls
}

// Playing fails the test unless the element's time grows by more than half a
// second within the time.
func (v *Video) Playing(within time.Duration) {
	v.t.Helper()
	start := -1.0
	tools.Eventually(v.t, within, "playback of "+v.selector, func() bool {
		var s State
		if v.page.TryEval("window.__watch.state()", &s) != nil || s.Ready < 2 || s.Error != "" {
			return false
		}
		if start < 0 || s.Time < start {
			start = s.Time
		}
		return s.Time > start+0.5
	})
}

// Collect watches until at least n pictures were presented, and fails the test
// when they do not come within the time.
func (v *Video) Collect(n int, within time.Duration) []Shown {
	v.t.Helper()
	var all []Shown
	tools.Eventually(v.t, within, fmt.Sprintf("%d pictures of %s", n, v.selector), func() bool {
		all = append(all, v.Shown()...)
		return len(all) >= n
	})
	return all
}

// Screenshot is a picture of the element as the user sees it, and the
// rectangle in it that the video fills, for testmedia.DecodeStrip.
func (v *Video) Screenshot() (image.Image, image.Rectangle) {
	v.t.Helper()
	img := v.page.ScreenshotOf(v.selector)
	s := v.State()
	return img, contain(img.Bounds(), s.Width, s.Height)
}

// contain is where a picture of some size lies in a box that it fits into.
func contain(box image.Rectangle, width, height int) image.Rectangle {
	if width <= 0 || height <= 0 {
		return box
	}
	w, h := box.Dx(), box.Dx()*height/width
	if h > box.Dy() {
		w, h = box.Dy()*width/height, box.Dy()
	}
	at := box.Min.Add(image.Pt((box.Dx()-w)/2, (box.Dy()-h)/2))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}
}
