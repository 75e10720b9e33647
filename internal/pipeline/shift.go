package pipeline

import (
	"context"

	"github.com/millrace/millrace/internal/config"
)

// reshape takes up the time shift of the stream, where a shape has some, and
// makes a presentation of that shape with it. It is not done under the
// Manager's lock: there may be hours to read.
func (p *Pipeline) reshape(hls config.HLS) error {
	wants := hls.DVR > 0 && p.deps.Shifts != nil
	if !wants && p.shift == nil && hls == p.inForce().HLS {
		return nil // it is there already
	}
	if p.shift != nil {
		// Its folder is to be as the presentation leaves it when it is opened.
		pres, _ := p.presented()
		pres.Close()
		p.shift.Close()
		p.shift = nil
	}
	if wants {
		// Without a disk for it the stream goes on without.
		shift, err := p.deps.Shifts.Open(p.path, hls.DVR, p.last.Segment)
		if err != nil {
			p.log.Error("no time shift", "err", err)
		}
		p.shift = shift
	}
	return p.present(hls)
}

// closeShift leaves the time shift to the next server where this one goes
// down, and removes it where the stream is over.
func (p *Pipeline) closeShift(ctx context.Context) {
	switch {
	case p.shift == nil:
	case ctx.Err() != nil:
		p.shift.Close()
	default:
		if err := p.shift.Remove(); err != nil {
			p.log.Warn("media is left behind", "err", err)
		}
	}
}
