package pipeline

import (
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// container is the packager's word for what a configuration, or a policy, says.
func container(transportStream bool) packager.Container {
	if transportStream {
		return packager.TS
	}
	return packager.FMP4
}

func inTS(hls config.HLS) bool { return hls.Container == "ts" }

// LivePolicy is what a stream's configuration asks of the planner.
func LivePolicy(set config.Stream) transcode.Policy {
	p := Policy(set.Ladder, set.Encoder, set.HLS)
	p.Live, p.LowLatency = true, set.HLS.LowLatency
	return p
}

// Policy is LivePolicy for what need not keep up with anything.
func Policy(ladder config.Ladder, encoder config.Encoder, hls config.HLS) transcode.Policy {
	p := transcode.Policy{
		Mode:    transcode.Mode(ladder.Mode),
		Segment: hls.Segment, TransportStream: inTS(hls), Originals: hls.OriginalAudio,
		Encoder: transcode.Encoder{Threads: encoder.Threads, Nice: encoder.Nice, Preset: encoder.Preset},
	}
	for _, s := range hls.Audio.List() {
		p.Sounds = append(p.Sounds, transcode.Sound{Track: s.Track, Name: s.Name, Language: s.Language})
	}
	for _, r := range ladder.Rungs() {
		p.Rungs = append(p.Rungs, transcode.Rung{
			Name: r.Name, Height: r.Height, Bitrate: int(r.Bitrate), FPS: r.FPS, Codec: media.Codec(r.Codec),
		})
	}
	return p
}
