package pipeline

import (
	"time"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// LivePolicy is what a stream's configuration asks of the planner.
func LivePolicy(set config.Stream) transcode.Policy {
	p := Policy(set.Ladder, set.Encoder, set.HLS.Segment)
	p.Live, p.LowLatency = true, set.HLS.LowLatency
	return p
}

// Policy is LivePolicy for what need not keep up with anything.
func Policy(ladder config.Ladder, encoder config.Encoder, segment time.Duration) transcode.Policy {
	p := transcode.Policy{
		Mode:    transcode.Mode(ladder.Mode),
		Segment: segment,
		Encoder: transcode.Encoder{Threads: encoder.Threads, Nice: encoder.Nice, Preset: encoder.Preset},
	}
	for _, r := range ladder.Rungs() {
		p.Rungs = append(p.Rungs, transcode.Rung{
			Name: r.Name, Height: r.Height, Bitrate: int(r.Bitrate), FPS: r.FPS, Codec: media.Codec(r.Codec),
		})
	}
	return p
}
