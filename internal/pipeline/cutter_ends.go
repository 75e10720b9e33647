package pipeline

import "github.com/millrace/millrace/internal/media"

// Stop ends the segments there are: what comes next has nothing to do with
// what came before.
func (c *Cutter) Stop() {
	c.Flush()
	c.started, c.waitKey, c.broken = false, true, true
	c.leadTrack, c.oldLead, c.cuts = nil, nil, c.cuts[:0]
}

// Forget drops what is held back of a time or later: it has another place.
func (c *Cutter) Forget(pts int64, rate int) {
	kept := c.held[:0]
	for _, p := range c.held {
		if p.PTS < media.Rescale(pts, rate, p.Track.ClockRate) {
			kept = append(kept, p)
		} else {
			c.drop(p)
		}
	}
	c.held = kept
}
