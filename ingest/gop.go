package ingest

import (
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
)

const (
	// audioBacklog is how many packets are kept for joiners of a stream without
	// video.
	audioBacklog = 50
	// audioBeginning is how many are kept before the first picture, of what
	// may belong behind it.
	audioBeginning = 1000
)

// beginning is how long, by arrival, the groups before the newest one are kept
// for whoever asks for a publisher's beginning: longer than gathering takes.
const beginning = defaultGather + 5*time.Second

// gop keeps the packets since the newest video keyframe, so that a new
// subscriber's decoder can start at once. A group that grows beyond the limit
// is forgotten until the next keyframe: joiners then wait for that.
//
// Until somebody takes them, it keeps the groups before that one too, from the
// publisher's first.
type gop struct {
	limit   int
	bytes   int
	video   bool // video has been seen since the epoch began
	open    bool // packets[newest] is a video keyframe and nothing is missing
	epoch   uint32
	packets []*media.Packet
	newest  int  // where the newest group begins
	taken   bool // the beginning is given out, or too long ago
}

func (g *gop) add(p *media.Packet) {
	if p.Epoch != g.epoch {
		*g = gop{limit: g.limit, epoch: p.Epoch, taken: g.taken}
	}
	video := p.Track.Kind == media.Video
	switch {
	case video && p.Key && g.open && !g.taken && p.Arrival-g.packets[0].Arrival < beginning:
		g.newest = len(g.packets)
	case video && p.Key && !g.video:
		g.keepBehind(p)
		g.video, g.open = true, true
	case video && p.Key:
		g.clear()
		g.open, g.taken = true, true
	case video:
		g.video = true
	}
	if g.video && !g.open {
		return
	}
	if g.newest > 0 && g.bytes+len(p.Payload) > g.limit {
		g.trim()
	}
	if g.bytes+len(p.Payload) > g.limit {
		g.clear()
		g.open = false
		return
	}
	if !g.video && (len(g.packets) >= audioBeginning || g.taken && len(g.packets) >= audioBacklog) {
		g.bytes -= len(g.packets[0].Payload)
		g.packets = slices.Delete(g.packets, 0, 1)
	}
	g.packets = append(g.packets, p)
	g.bytes += len(p.Payload)
}

// backlog is what a new subscriber gets first.
func (g *gop) backlog(fromBeginning bool) []*media.Packet {
	if fromBeginning {
		all := slices.Clone(g.packets)
		g.trim()
		return all
	}
	if !g.video {
		return g.packets[max(len(g.packets)-audioBacklog, 0):]
	}
	return g.packets[g.newest:]
}

// keepBehind forgets the sound that is over when the first picture is shown.
func (g *gop) keepBehind(key *media.Packet) {
	from := media.Duration(key.PTS, key.Track.ClockRate)
	g.packets = slices.DeleteFunc(g.packets, func(p *media.Packet) bool {
		over := media.Duration(p.PTS, p.Track.ClockRate) < from
		if over {
			g.bytes -= len(p.Payload)
		}
		return over
	})
}

// trim forgets all but the newest group.
func (g *gop) trim() {
	older := g.newest
	if !g.video {
		older = max(len(g.packets)-audioBacklog, 0)
	}
	for _, p := range g.packets[:older] {
		g.bytes -= len(p.Payload)
	}
	g.packets = slices.Delete(g.packets, 0, older)
	g.newest, g.taken = 0, true
}

// clear forgets the packets. The slice is used again, its references are not
// kept.
func (g *gop) clear() {
	clear(g.packets)
	g.packets = g.packets[:0]
	g.bytes, g.newest = 0, 0
}

func (g *gop) reset() { *g = gop{limit: g.limit} }
