package ingest

import (
	"slices"

	"github.com/millrace/millrace/internal/media"
)

// audioBacklog is how many packets are kept for joiners of a stream without
// video.
const audioBacklog = 50

// gop keeps the packets since the newest video keyframe, so that a new
// subscriber's decoder can start at once. A group that grows beyond the limit
// is forgotten until the next keyframe: joiners then wait for that.
type gop struct {
	limit   int
	bytes   int
	video   bool // video has been seen since the epoch began
	open    bool // packets[0] is a video keyframe and nothing is missing
	epoch   uint32
	packets []*media.Packet
}

func (g *gop) add(p *media.Packet) {
	if p.Epoch != g.epoch {
		g.reset()
		g.epoch = p.Epoch
	}
	video := p.Track.Kind == media.Video
	switch {
	case video && p.Key:
		g.clear()
		g.video, g.open = true, true
	case video:
		g.video = true
	}
	if g.video && !g.open {
		return
	}
	if g.bytes+len(p.Payload) > g.limit {
		g.clear()
		g.open = false
		return
	}
	if !g.video && len(g.packets) >= audioBacklog {
		g.bytes -= len(g.packets[0].Payload)
		g.packets = slices.Delete(g.packets, 0, 1)
	}
	g.packets = append(g.packets, p)
	g.bytes += len(p.Payload)
}

// clear forgets the packets. The slice is used again, its references are not
// kept.
func (g *gop) clear() {
	clear(g.packets)
	g.packets = g.packets[:0]
	g.bytes = 0
}

func (g *gop) reset() { *g = gop{limit: g.limit} }
