package libav

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// grid keeps coded sound in step with its timestamps. Samples form one
// gapless row from base on; for each decoded frame it says what has to be done
// to the row so that the frame comes to lie where its timestamp wants it.
// Everything is in samples of the output's rate.
type grid struct {
	rate  int
	base  int64 // timestamp of the first sample
	count int64 // samples in the row
	begun bool

	drift   float64 // smoothed distance between timestamps and row
	settled int64   // count until which a correction is still being made
}

// What is heard as a gap is filled at once; what is smaller may be jitter and
// is only corrected when it lasts, by stretching.
const (
	gapMillis   = 100
	driftMillis = 8
	smoothing   = 16
)

// LongestGap is how much silence a Row makes; beyond it another row begins.
const LongestGap = 30 * time.Second

// step is what to do before a frame is appended.
type step struct {
	silence int64 // samples to insert
	skip    int64 // samples of the frame's front to leave out
	stretch int64 // samples to gain (or lose) over the next second
	restart bool  // begin a new row at the frame
}

// next is where the row's next sample lies.
func (g *grid) next() int64 { return g.base + g.count }

func (g *grid) begin(pts int64) { *g = grid{rate: g.rate, base: pts, begun: true} }

// place decides about a frame at pts; held is the number of samples that are
// on their way inside the resampler.
func (g *grid) place(pts, held int64) step {
	if !g.begun {
		g.begin(pts)
		return step{}
	}
	off := pts - g.next() - held
	gap := int64(g.rate) * gapMillis / 1000
	switch {
	case off > media.Ticks(LongestGap, g.rate):
		return step{restart: true}
	case off > gap:
		g.drift, g.settled = 0, 0
		return step{silence: off}
	case off < -gap:
		g.drift, g.settled = 0, 0
		return step{skip: -off}
	}
	g.drift += (float64(off) - g.drift) / smoothing
	limit := float64(g.rate) * driftMillis / 1000
	if g.count < g.settled || g.drift < limit && g.drift > -limit {
		return step{}
	}
	s := step{stretch: int64(g.drift)}
	g.drift = 0
	g.settled = g.count + int64(g.rate)
	return s
}
