package transcode

import "github.com/millrace/millrace/internal/media"

// What work costs, in core seconds a pixel, measured for a 720p30 source made
// into 720p, 480p and 360p with x264 veryfast: 0.37 cores live without
// look-ahead, 0.48 with it. A machine of another speed has other cores; the
// relations hold.
const (
	encodePixel    = 6.2e-9 // x264 veryfast, no look-ahead
	lookAhead      = 1.35   // with look-ahead and B-frames
	scalePixel     = 0.4e-9 // a pixel of the source, for each rung
	audioCost      = 0.01   // decode and encode one stereo track
	deinterlaceAdd = 1.5e-9
)

var decodePixel = map[media.Codec]float64{
	media.H264: 1.4e-9, media.H265: 2.2e-9, media.AV1: 2.5e-9, media.VP9: 1.8e-9,
}

// decodeOther is for what only files bring.
const decodeOther = 2e-9

// Cost estimates how many cores the plan keeps busy at the source's own pace.
// A frame rate that is not known counts as 30.
func (p *Plan) Cost() float64 {
	cost := 0.0
	decoded := make(map[int]bool)
	for _, r := range p.Renditions {
		t := p.source(r.Source)
		if r.Copy || t == nil {
			continue
		}
		if r.Kind == media.Audio {
			cost += audioCost
			continue
		}
		source := float64(t.Width) * float64(t.Height) * estimate(frameRate(t))
		if !decoded[t.ID] {
			decoded[t.ID] = true
			pixel, ok := decodePixel[t.Codec]
			if !ok {
				pixel = decodeOther
			}
			if t.Interlaced {
				pixel += deinterlaceAdd
			}
			cost += source * pixel
		}
		cost += source*scalePixel + p.encodeCost(r)
	}
	return cost
}

// encodeCost is the share of one rung's encoder.
func (p *Plan) encodeCost(r Rendition) float64 {
	pixels := float64(r.Width) * float64(r.Height) * estimate(r.FPS)
	cost := pixels * encodePixel * presets[presetIndex(p.policy.preset())].cost
	if !p.policy.LowLatency {
		cost *= lookAhead
	}
	return cost
}
