package transcode

import (
	"fmt"
	"math"
	"runtime"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// Graph is what a worker runs; see wire.Graph. Scripts build their own.
type Graph = wire.Graph

// Graph is the plan's coded renditions as a graph: each source is decoded
// once, each rung shapes its own pictures from the decoder's.
func (p *Plan) Graph() Graph {
	var g Graph
	decoders := make(map[int]string)
	link := func(from, to string) { g.Links = append(g.Links, wire.Link{From: from, To: to}) }
	for _, r := range p.Renditions {
		t := p.source(r.Source)
		if r.Copy || t == nil {
			continue
		}
		decoder, ok := decoders[t.ID]
		if !ok {
			source := fmt.Sprintf("source-%d", t.ID)
			decoder = fmt.Sprintf("decode-%d", t.ID)
			decoders[t.ID] = decoder
			g.Nodes = append(g.Nodes,
				wire.Node{ID: source, Kind: wire.NodeSource, Track: t.ID},
				wire.Node{ID: decoder, Kind: wire.NodeDecode, Decode: p.decode(t)})
			link(source, decoder)
		}
		shape, encode := p.nodes(r, t)
		output := wire.Node{ID: r.Name, Kind: wire.NodeOutput, Rendition: r.Name}
		g.Nodes = append(g.Nodes, shape, encode, output)
		link(decoder, shape.ID)
		link(shape.ID, encode.ID)
		link(encode.ID, output.ID)
	}
	return g
}

func (p *Plan) decode(t *media.Track) *wire.Decode {
	d := &wire.Decode{LowLatency: p.policy.LowLatency}
	// One thread keeps up with encoders on few cores, and costs least.
	if t.Kind == media.Audio || !p.policy.Live && p.cores() <= 4 {
		d.Threads = 1
	}
	return d
}

func (p *Plan) nodes(r Rendition, t *media.Track) (shape, encode wire.Node) {
	encode = wire.Node{ID: "encode-" + r.Name, Kind: wire.NodeEncode}
	if r.Kind == media.Audio {
		encode.Encode = &wire.Encode{Codec: r.Codec, Bitrate: r.Bitrate}
		return wire.Node{
			ID: "sound-" + r.Name, Kind: wire.NodeSound,
			Sound: &wire.Sound{SampleRate: r.SampleRate, Channels: r.Channels},
		}, encode
	}
	picture := &wire.Picture{Width: r.Width, Height: r.Height, Deinterlace: t.Interlaced}
	if r.limit {
		picture.FPS = r.FPS
	}
	encode.Encode = &wire.Encode{
		Codec: r.Codec, Bitrate: r.Bitrate, MaxBitrate: r.MaxBitrate, BufSize: r.BufSize,
		Preset: p.policy.preset(), Threads: p.threads(r), LowLatency: p.policy.LowLatency,
		FrameRate: r.FPS,
	}
	return wire.Node{ID: "picture-" + r.Name, Kind: wire.NodePicture, Picture: picture}, encode
}

// threads of one rung's encoder. Files leave it to x264, which is fastest.
// Live rungs get as many as they need: each thread costs memory and some
// CPU, and one keeps up with a 720p30.
func (p *Plan) threads(r Rendition) int {
	if p.policy.Encoder.Threads > 0 || !p.policy.Live {
		return p.policy.Encoder.Threads
	}
	const busy = 0.5 // of a core, on average, leaves room for peaks
	return max(1, min(int(math.Ceil(p.encodeCost(r)/busy)), p.cores()))
}

func (p *Plan) cores() int {
	if p.policy.Cores > 0 {
		return p.policy.Cores
	}
	return runtime.NumCPU()
}
