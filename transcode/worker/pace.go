package worker

import "github.com/millrace/millrace/internal/media"

// pace drops frames to keep a rung under its frame rate. It looks at
// timestamps alone, so that what passes keeps the time it has.
type pace struct {
	rate    media.Rational // unknown keeps all
	clock   int
	divisor int // keep one frame of divisor; 0 and 1 keep all

	origin  int64
	slot    int64
	skipped int
}

// start begins a segment: its first frame is kept whatever came before.
func (p *pace) start(pts int64) { p.origin, p.slot, p.skipped = pts, 0, 0 }

// keep decides on a frame that does not start a segment. Time since the start
// is divided into slots of one frame interval, each centred a quarter interval
// late, so that a frame that comes a little early is still in its own slot;
// the first frame in a slot is kept.
func (p *pace) keep(pts int64) bool {
	if p.divisor > 1 {
		if p.skipped++; p.skipped < p.divisor {
			return false
		}
		p.skipped = 0
	}
	if !p.rate.Known() {
		return true
	}
	// slot = ⌊(elapsed + interval/4) / interval⌋, interval = clock·den/num
	interval4 := 4 * int64(p.clock) * int64(p.rate.Den)
	elapsed4 := 4 * (pts - p.origin) * int64(p.rate.Num)
	slot := (elapsed4 + interval4/4) / interval4
	if slot <= p.slot {
		return false
	}
	p.slot = slot
	return true
}
