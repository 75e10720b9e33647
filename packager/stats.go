package packager

import "time"

// Stats is the state of a presentation at one moment.
type Stats struct {
	Renditions []RenditionStats
	Requests   uint64 // answered since the start, playlists and media
	BytesOut   uint64 // body bytes sent since the start
}

// RenditionStats is the state of one media playlist.
type RenditionStats struct {
	Name     string
	Kind     string
	Codecs   string    // RFC 6381; empty until the first segment
	Listed   int       // segments in the playlist
	Held     int       // segments that can be fetched, listed or not
	Bytes    int64     // of the held segments and the open one
	Last     time.Time // wall-clock time at which the newest segment ends
	Segments int       // with media, since the start
	Gaps     uint64    // listed without media, since the start
	Dropped  uint64    // packets that came too late or had no place
	Filled   uint64    // silent frames put into holes of the sound
	Declared int       // bits/s, BANDWIDTH of this rendition alone
	Average  int       // bits/s, measured
	Retired  bool      // not in the newest plan
}

// Shift is how far back the long playlists reach; 0 where there are none.
func (p *Presentation) Shift() time.Duration { return p.cfg.DVR }

// DASH reports whether there is an MPD of the same segments.
func (p *Presentation) DASH() bool { return p.noDASH() == "" }

// Stats tells the present state.
func (p *Presentation) Stats() Stats {
	st := Stats{Requests: p.requests.Load(), BytesOut: p.bytesOut.Load()}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.order {
		sh := &r.shown
		rs := RenditionStats{
			Name: r.name, Kind: r.kind.String(), Codecs: sh.codecs, Segments: sh.listed, Retired: sh.retired,
			Declared: sh.bandwidth, Average: sh.average, Gaps: r.gaps.Load(), Dropped: r.dropped.Load(), Filled: r.filled.Load(),
		}
		w := r.window.Load()
		rs.Listed, rs.Held, rs.Last = w.listed, len(w.held), w.lastSeen()
		for _, s := range w.held {
			rs.Bytes += s.size
		}
		if w.open != nil {
			for _, pt := range w.open.parts {
				rs.Bytes += pt.size
			}
		}
		st.Renditions = append(st.Renditions, rs)
	}
	return st
}

// lastSeen is the wall-clock time at which the newest segment ends.
func (w *window) lastSeen() time.Time {
	if s := w.last(); s != nil {
		return s.wall.Add(s.duration)
	}
	return time.Time{}
}
