package browser

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/testmedia/tools"
)

// hlsObject is where the player page exposes its hls.js object.
const hlsObject = "window.millracePlayer.hls"

// Level is one quality level as hls.js knows it.
type Level struct {
	Width, Height, Bitrate int
	Codecs                 string
}

// HLS is the state of the hls.js object of the player page.
type HLS struct {
	Levels  []Level
	Current int // index of the level that is shown; -1 none yet
	Next    int // index of the level that is loaded
	Auto    bool
	Latency float64 // s behind the live edge, as hls.js estimates it
	Target  float64 // s, that it tries to keep
}

// HLS asks the hls.js object that the page exposes as window.millracePlayer.hls.
func (p *Page) HLS() HLS {
	p.t.Helper()
	h, err := p.tryHLS()
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

func (p *Page) tryHLS() (HLS, error) {
	var h HLS
	err := p.TryEval(`(() => {
		const hls = `+hlsObject+`;
		return {
			Levels: hls.levels.map((l) => ({ Width: l.width, Height: l.height, Bitrate: l.bitrate, Codecs: [l.videoCodec, l.audioCodec].filter(Boolean).join(',') })),
			Current: hls.currentLevel, Next: hls.nextLoadLevel, Auto: hls.autoLevelEnabled,
			Latency: hls.latency, Target: hls.targetLatency,
		};
	})()`, &h)
	return h, err
}

// SetLevel asks for a quality level from the next segment on; -1 is automatic.
func (p *Page) SetLevel(index int) {
	p.t.Helper()
	p.Eval(fmt.Sprintf("void (%s.nextLevel = %d)", hlsObject, index), nil)
}

// SwitchTo asks for the level with the given height, and fails the test unless
// pictures of that height are shown by the watched video within the time.
func (v *Video) SwitchTo(height int, within time.Duration) {
	v.t.Helper()
	h := v.page.HLS()
	index := -1
	for i, l := range h.Levels {
		if l.Height == height {
			index = i
		}
	}
	if index < 0 {
		v.t.Fatalf("no level is %d high: %+v", height, h.Levels)
	}
	v.page.SetLevel(index)
	tools.Eventually(v.t, within, fmt.Sprintf("pictures of height %d", height), func() bool {
		h, err := v.page.tryHLS()
		return err == nil && h.Current == index && v.State().Height == height
	})
}
