package packager

import "time"

// Stats is the state of a presentation at one moment.
type Stats struct {
	Renditions []RenditionStats
	Requests   uint64 // answered since the start, playlists and media
	BytesOut   uint64 // body bytes of media, as far as they went out
}

// RenditionStats is the state of one media playlist.
type RenditionStats struct {
	Name     string
	Kind     string
	Codecs   string // RFC 6381; empty until the first packet
	Listed   int    // segments in the playlist
	Held     int    // segments that can be fetched, listed or not
	Bytes    int64  // of the held segments and the open one
	Last     time.Time
	Segments uint64 // with media, since the start
	Gaps     uint64 // listed without media, since the start
	Dropped  uint64 // packets that came too late or had no place
	Peak     int    // bits/s, largest measured
	Average  int    // bits/s, measured
}
