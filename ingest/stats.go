package ingest

import (
	"slices"
	"time"

	"github.com/millrace/millrace/ingest/timeline"
	"github.com/millrace/millrace/internal/media"
)

// Stats is a snapshot of a Stream, for the API and for metrics. Counters
// count since the stream's creation, over all its publishers.
type Stats struct {
	State       State            `json:"state"`
	Reason      string           `json:"reason,omitempty"` // why it is lost or ended
	Protocol    string           `json:"protocol,omitempty"`
	Remote      string           `json:"remote,omitempty"`
	Agent       string           `json:"agent,omitempty"`
	Since       time.Time        `json:"since,omitzero"` // when the publisher came
	Bytes       uint64           `json:"bytes"`          // payload received
	Packets     uint64           `json:"packets"`        // samples received
	Lost        uint64           `json:"lost"`           // packets lost on the wire
	Damaged     uint64           `json:"damaged"`        // samples thrown away because of that
	Waiting     uint64           `json:"waiting"`        // samples before parameters or keyframe were there
	Subscribers int              `json:"subscribers"`
	Dropped     uint64           `json:"dropped"` // packets that slow subscribers missed
	Repairs     timeline.Repairs `json:"repairs"`
	Skew        time.Duration    `json:"skew"` // audio against video by the sender's clock, before correction
	Tracks      []TrackStats     `json:"tracks"`
	Unused      []Unused         `json:"unused,omitempty"` // offered by the present publisher and not taken
}

// TrackStats is a snapshot of one track of the present publisher.
type TrackStats struct {
	ID      int           `json:"id"`
	Kind    string        `json:"kind"`
	Codec   media.Codec   `json:"codec"`
	Ready   bool          `json:"ready"` // see State
	Bytes   uint64        `json:"bytes"`
	Packets uint64        `json:"packets"`
	Bitrate int           `json:"bitrate"` // bits/s over the last second
	FPS     float64       `json:"fps"`     // samples a second over the last second
	Drift   time.Duration `json:"drift"`   // sender's clock against arrival since the track began
	GOP     time.Duration `json:"gop"`     // distance of the last two keyframes, video
}

// counters are a Stream's own.
type counters struct {
	bytes, packets, lost, damaged, waiting, dropped uint64
}

// trackCounters count one track of one publisher.
type trackCounters struct {
	bytes, packets uint64

	since           time.Duration // begin of the second being measured
	sBytes, sCount  uint64
	bitrate         int
	fps             float64
	lastKey         int64
	hasKey, nextKey bool
	gop             time.Duration
}

// meterPeriod is the time rates are measured over.
const meterPeriod = time.Second

func (c *trackCounters) count(s Sample) {
	if c.packets == 0 {
		c.since = s.Arrival
	}
	c.bytes += uint64(len(s.Payload))
	c.packets++
	if d := s.Arrival - c.since; d >= meterPeriod {
		c.bitrate = int(float64(c.bytes-c.sBytes) * 8 / d.Seconds())
		c.fps = float64(c.packets-1-c.sCount) / d.Seconds()
		c.since, c.sBytes, c.sCount = s.Arrival, c.bytes, c.packets-1
	}
	c.nextKey = s.Key
}

// placed follows the distance of keyframes.
func (c *trackCounters) placed(st timeline.Stamp, rate int) {
	if !c.nextKey {
		return
	}
	if c.hasKey {
		c.gop = media.Duration(st.PTS-c.lastKey, rate)
	}
	c.lastKey, c.hasKey = st.PTS, true
}

// Stats returns a snapshot.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	skew, _ := s.clock.Skew()
	st := Stats{
		State: s.state,
		Bytes: s.stats.bytes, Packets: s.stats.packets, Lost: s.stats.lost,
		Damaged: s.stats.damaged, Waiting: s.stats.waiting, Dropped: s.stats.dropped,
		Subscribers: len(s.subs), Repairs: s.clock.Repairs, Skew: skew,
	}
	if s.reason != nil {
		st.Reason = s.reason.Error()
	}
	for _, r := range s.subs {
		st.Dropped += r.Dropped()
	}
	if p := s.pub; p != nil {
		st.Protocol, st.Agent, st.Since = p.info.Protocol, p.info.Agent, p.since
		st.Unused = slices.Clone(p.info.Unused)
		if p.info.Remote != nil {
			st.Remote = p.info.Remote.String()
		}
		for _, pt := range p.tracks {
			if pt.skipped {
				continue
			}
			st.Tracks = append(st.Tracks, s.trackStats(pt))
		}
	}
	return st
}

func (s *Stream) trackStats(pt *pubTrack) TrackStats {
	t := pt.track
	drift, _ := s.clock.Drift(t.ID)
	ts := TrackStats{
		ID: t.ID, Kind: t.Kind.String(), Codec: t.Codec, Ready: pt.ready,
		Bytes: pt.stats.bytes, Packets: pt.stats.packets, Bitrate: pt.stats.bitrate, FPS: pt.stats.fps,
		Drift: drift,
	}
	if t.Kind == media.Video {
		ts.GOP = pt.stats.gop
	}
	return ts
}

// insert adds a track to those in force. s.mu is held.
func (s *Stream) insert(t *media.Track) {
	i, _ := slices.BinarySearchFunc(s.tracks, t, func(a, b *media.Track) int { return a.ID - b.ID })
	s.tracks = slices.Insert(slices.Clone(s.tracks), i, t)
}
