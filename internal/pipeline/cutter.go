package pipeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Placer receives what the Cutter decided, in order: each Cut before the
// first packet of its segment.
type Placer interface {
	Cut(media.Cut)
	Place(media.Placed)

	// Drop tells of a packet that has no place: before the first keyframe,
	// or before the first cut.
	Drop(*media.Packet)

	// LongGOP says that the source's keyframes are too far apart to cut on
	// them. It comes once, before the Cut that is made regardless of
	// keyframes; copied video cannot be decoded from there on, so the placer
	// encodes it instead or says that its segments are not independent.
	LongGOP()
}

// CutterConfig is what the Cutter must know of a plan.
type CutterConfig struct {
	// Lead is the ID of the track that decides: the video, or the audio where
	// there is none.
	Lead int
	// LeadKind is the kind of the leading track.
	LeadKind media.Kind
	// OnKey allows cuts at the leading track's keyframes only, because a
	// rendition copies it. Without it every frame will do.
	OnKey bool
	// Copied are the IDs of the tracks that some rendition copies: there new
	// parameters are a discontinuity. Coders take them in without one.
	Copied map[int]bool
	// Segment is the wanted length of a segment.
	Segment time.Duration
}

const (
	// maxAudioLead is how far audio may run ahead of the video that decides
	// about it before it goes on alone: a camera whose picture freezes must
	// not take the sound with it.
	maxAudioLead = time.Second
	// Dates are corrected against media time from an error of wallLoose on until
	// it is below wallTight, by one part in wallSlew, which is more than clocks
	// drift and less than players notice over the length of a playlist: hls.js
	// adds durations to dates. What is wrong by more than wallFar is corrected by
	// one part in wallFarSlew.
	wallLoose   = 20 * time.Millisecond
	wallTight   = 5 * time.Millisecond
	wallSlew    = 8000
	wallFar     = time.Second
	wallFarSlew = 1000
	// keptCuts is how many cuts late audio is still sorted into.
	keptCuts = 16
)

// Cutter is the one place that decides where segments start (DESIGN §3.2). It
// reads a source's packets before anyone else and gives each its place. It is
// used by one goroutine.
type Cutter struct {
	cfg CutterConfig
	out Placer

	epoch   uint32
	started bool // a cut was made in this epoch
	waitKey bool // leading packets are useless until a keyframe
	broken  bool // the next cut starts a new discontinuity
	longGOP bool // LongGOP was said in this configuration

	segment       uint64
	discontinuity uint64
	cuts          []media.Cut // newest last, at most keptCuts

	leadTrack *media.Track
	oldLead   *media.Track // whose ticks mark and leadEnd are, until another leads
	mark      int64        // leading DTS: everything before it is decided
	leadEnd   int64        // end of the newest leading frame, by PTS
	held      []*media.Packet
	placed    map[int]placement // of the newest packet, by track ID

	wall    wallClock
	date    func(arrival time.Duration) time.Time
	sender  senderDate
	dropped uint64
}

// placement is where a packet was placed.
type placement struct {
	segment, discontinuity uint64
	track                  *media.Track
}

// NewCutter makes a Cutter that numbers above the given ones.
func NewCutter(above Numbers, out Placer) *Cutter {
	return &Cutter{out: out, segment: above.Segment, discontinuity: above.Discontinuity, placed: map[int]placement{}, waitKey: true, broken: true, date: media.Wall}
}

// Configure sets the rules from the next cut on.
func (c *Cutter) Configure(cfg CutterConfig) {
	if cfg.Lead != c.cfg.Lead {
		c.waitKey = true
		if c.leadTrack != nil {
			c.oldLead, c.leadTrack = c.leadTrack, nil
		}
	}
	c.cfg = cfg
	c.longGOP = false
}

// Break makes the next cut start a new discontinuity: a worker died, or the
// set of renditions changes.
func (c *Cutter) Break() { c.broken = true }

// Follow has dates follow a sender's clock instead of the server's, from the
// next epoch on; wall tells it, nil is the server's again.
func (c *Cutter) Follow(wall func(*media.Packet) (time.Time, bool)) {
	c.sender = senderDate{wall: wall}
}

// Next returns the sequence numbers that the next cut will have if it breaks.
func (c *Cutter) Next() (segment, discontinuity uint64) { return c.segment + 1, c.discontinuity + 1 }

// Dropped is the number of packets that had no place: before the first
// keyframe, or before the first cut.
func (c *Cutter) Dropped() uint64 { return c.dropped }

// Flush places what is held back. Call it when the source ends or is lost.
func (c *Cutter) Flush() {
	for _, p := range c.held {
		c.placeFollower(p)
	}
	c.held = c.held[:0]
}

// Push takes the next packet in order of arrival.
func (c *Cutter) Push(p *media.Packet) {
	if p.Epoch != c.epoch {
		c.Stop()
		c.epoch = p.Epoch
	}
	if p.Track.ID == c.cfg.Lead {
		c.pushLead(p)
		c.release()
		return
	}
	c.held = append(c.held, p)
	c.release()
	if c.started {
		c.leadFromAudio()
	}
}

func (c *Cutter) pushLead(p *media.Packet) {
	rate := p.Track.ClockRate
	if c.waitKey && (!p.Key || c.started && p.PTS <= c.newestPTS(rate)) {
		c.drop(p)
		return
	}
	if old := c.oldLead; old != nil {
		c.mark, c.leadEnd = media.Rescale(c.mark, old.ClockRate, rate), media.Rescale(c.leadEnd, old.ClockRate, rate)
		c.oldLead = nil
	}
	switch {
	case !c.started || c.waitKey:
		if c.started {
			c.fillHole(p)
		}
		c.cut(p)
	case c.changed(p):
		c.broken = true
		c.cut(p)
	case c.hole(p):
		c.fillHole(p)
		if c.cfg.OnKey && !p.Key {
			c.waitKey = true
			c.drop(p)
			return
		}
		c.cut(p)
	default:
		length := media.Duration(p.PTS-c.newest().PTS, rate)
		switch {
		case c.cfg.OnKey && p.Key && length >= c.cfg.Segment*3/4:
			c.cut(p)
		case !c.cfg.OnKey && length >= c.cfg.Segment-media.Duration(frame(p), rate)/2:
			c.cutAmid(p)
		case c.cfg.OnKey && length+media.Duration(frame(p), rate) > c.cfg.Segment*3/2:
			c.tooLong(p)
		}
	}
	c.waitKey = false
	c.leadTrack = p.Track
	c.mark = max(c.mark, p.DTS)
	c.leadEnd = max(c.leadEnd, p.PTS+frame(p))
	c.place(p, c.segment, c.discontinuity)
}

// tooLong ends the attempt to cut on keyframes: the placer is told, and
// answers by Configure before the cut is made.
func (c *Cutter) tooLong(p *media.Packet) {
	if !c.longGOP {
		c.longGOP = true
		c.out.LongGOP()
	}
	c.cutAmid(p)
}

// changed reports whether copied media cannot go on in the same sequence:
// new parameters take a new EXT-X-MAP (RFC 8216bis §4.4.4.3).
func (c *Cutter) changed(p *media.Packet) bool {
	copied := c.cfg.OnKey || c.cfg.Copied[p.Track.ID]
	return copied && p.Key && c.leadTrack != nil && differ(p.Track, c.leadTrack)
}

// misfits is changed for a follower, which cannot be cut where it changes: what
// it has up to the next cut nobody could play, and that cut breaks.
func (c *Cutter) misfits(p *media.Packet, in media.Cut) bool {
	before := c.placed[p.Track.ID]
	if before.track == nil || !c.cfg.Copied[p.Track.ID] || !differ(p.Track, before.track) || in.Discontinuity != before.discontinuity {
		return false
	}
	c.broken = c.broken || in.Discontinuity == c.discontinuity
	return true
}

// differ reports whether a player of a needs to be told before it is given b.
func differ(a, b *media.Track) bool { return a != b && !a.SameParameters(b) }

// hole reports that so much of the leading track is missing before p that
// the segment would outgrow its target.
func (c *Cutter) hole(p *media.Packet) bool {
	return media.Duration(p.PTS-c.leadEnd, p.Track.ClockRate) > c.cfg.Segment/2 &&
		media.Duration(p.PTS-c.newest().PTS, p.Track.ClockRate) > c.cfg.Segment*3/2
}

// fillHole cuts the missing time before p into segments of their own, which
// stay empty, so that they are listed as EXT-X-GAP.
func (c *Cutter) fillHole(p *media.Packet) {
	rate := p.Track.ClockRate
	step := media.Ticks(c.cfg.Segment, rate)
	start := max(c.leadEnd, c.newestPTS(rate)+1)
	// What remains before p is one segment of half to one and a half steps.
	for at := start; p.PTS-at > step/2; at += step {
		c.cutAt(at, rate, c.wall.at(at, rate))
	}
}

// leadFromAudio goes on without video that stays away.
func (c *Cutter) leadFromAudio() {
	for len(c.held) > 0 {
		p, newest := c.held[0], c.held[len(c.held)-1]
		rate := p.Track.ClockRate
		if media.Duration(newest.PTS, newest.Track.ClockRate)-media.Duration(p.PTS, rate) <= maxAudioLead {
			return
		}
		if media.Duration(p.PTS-c.newestPTS(rate), rate) >= c.cfg.Segment {
			c.cutAt(p.PTS, rate, c.wall.at(p.PTS, rate))
			c.waitKey = true
		}
		c.held = append(c.held[:0], c.held[1:]...)
		c.placeFollower(p)
	}
}

// release places the followers that the leading track has passed.
func (c *Cutter) release() {
	if !c.started || c.leadTrack == nil {
		if c.cfg.LeadKind == media.Video && !c.started {
			c.boundHeld()
		}
		return
	}
	n := 0
	for _, p := range c.held {
		if media.Rescale(p.PTS, p.Track.ClockRate, c.leadTrack.ClockRate) >= c.mark {
			break
		}
		c.placeFollower(p)
		n++
	}
	c.held = append(c.held[:0], c.held[n:]...)
}

// boundHeld forgets audio that no keyframe has come for; it would precede the
// first picture anyway.
func (c *Cutter) boundHeld() {
	for len(c.held) > 1 {
		first, last := c.held[0], c.held[len(c.held)-1]
		if media.Duration(last.PTS, last.Track.ClockRate)-media.Duration(first.PTS, first.Track.ClockRate) <= 10*c.cfg.Segment {
			return
		}
		c.held = c.held[1:]
		c.drop(first)
	}
}

// placeFollower sorts a packet of another track into the segments, by time.
func (c *Cutter) placeFollower(p *media.Packet) {
	if p.Epoch != c.epoch || !c.started {
		c.drop(p)
		return
	}
	for i := len(c.cuts) - 1; i >= 0; i-- {
		cut := c.cuts[i]
		if p.PTS < media.Rescale(cut.PTS, cut.ClockRate, p.Track.ClockRate) && c.placed[p.Track.ID].segment < cut.Segment {
			continue
		}
		if c.misfits(p, cut) {
			break
		}
		c.place(p, cut.Segment, cut.Discontinuity)
		return
	}
	c.drop(p)
}

func (c *Cutter) drop(p *media.Packet) {
	c.dropped++
	c.out.Drop(p)
}

func (c *Cutter) place(p *media.Packet, segment, discontinuity uint64) {
	c.placed[p.Track.ID] = placement{segment, discontinuity, p.Track}
	c.out.Place(media.Placed{Packet: p, Segment: segment, Discontinuity: discontinuity})
}

func (c *Cutter) cut(p *media.Packet) { c.cutFrom(p, p.PTS) }

// cutAmid cuts between two keyframes. Pictures shown before p may follow it;
// what comes from p on is shown from the end of what came before.
func (c *Cutter) cutAmid(p *media.Packet) {
	if p.PTS > p.DTS && c.leadEnd > c.newestPTS(p.Track.ClockRate) {
		c.cutFrom(p, min(p.PTS, c.leadEnd))
		return
	}
	c.cut(p)
}

func (c *Cutter) cutFrom(p *media.Packet, pts int64) {
	anew := c.broken && !c.started
	date := c.sender.date(p, c.date(p.Arrival), anew)
	if anew {
		c.wall.reach(c.leadEnd, p.Track.ClockRate)
		c.wall.anchor(p.PTS, p.Track.ClockRate, date)
	} else {
		c.wall.discipline(p.PTS, p.Track.ClockRate, date)
	}
	c.cutAt(pts, p.Track.ClockRate, c.wall.at(pts, p.Track.ClockRate))
}

func (c *Cutter) cutAt(pts int64, rate int, wall time.Time) {
	c.segment++
	if c.broken {
		c.discontinuity++
		c.broken = false
	}
	if !c.started {
		c.started = true
		c.mark, c.leadEnd = pts, pts
	}
	cut := media.Cut{Segment: c.segment, Discontinuity: c.discontinuity, PTS: pts, ClockRate: rate, Wall: wall}
	if len(c.cuts) == keptCuts {
		c.cuts = append(c.cuts[:0], c.cuts[1:]...)
	}
	c.cuts = append(c.cuts, cut)
	c.out.Cut(cut)
}

func (c *Cutter) newest() media.Cut { return c.cuts[len(c.cuts)-1] }

func (c *Cutter) newestPTS(rate int) int64 {
	return media.Rescale(c.newest().PTS, c.newest().ClockRate, rate)
}

// frame is the duration of p, or a guess of it where the source does not say.
func frame(p *media.Packet) int64 {
	switch {
	case p.Duration > 0:
		return p.Duration
	case p.Track.FrameRate.Known():
		return int64(p.Track.ClockRate) * int64(p.Track.FrameRate.Den) / int64(p.Track.FrameRate.Num)
	}
	return int64(p.Track.ClockRate) / 50
}
