package pipeline

import "time"

// Numbers are a media sequence number and a discontinuity sequence number.
type Numbers struct{ Segment, Discontinuity uint64 }

// discontinuityEpoch is the zero from which hours are counted.
var discontinuityEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// numbersAt is what a stream created at t numbers above, so that numbers do
// not go back over a restart of the server (RFC 8216bis §6.2.2): Unix seconds
// for segments, hours for discontinuities. The latter must stay small: hls.js
// keeps an array that is indexed by them and walks it at every playlist load.
func numbersAt(t time.Time) Numbers {
	hours := max(0, t.Sub(discontinuityEpoch)/time.Hour)
	return Numbers{Segment: uint64(t.Unix()) - 1, Discontinuity: uint64(hours)}
}

// above is the larger of each.
func (n Numbers) above(o Numbers) Numbers {
	return Numbers{max(n.Segment, o.Segment), max(n.Discontinuity, o.Discontinuity)}
}
