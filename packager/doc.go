// Package packager makes HLS out of packets that have their place: it fills
// segments made of parts, keeps a sliding window of them for each rendition,
// renders playlists once a change and serves all of it as a plain
// http.Handler.
//
// A [Presentation] is one stream. The pipeline announces each [media.Cut]
// before any packet of that segment and writes [media.Placed] packets; the
// packager decides no segment itself: a rendition changes segment exactly
// where Placed.Segment changes, and EXT-X-DISCONTINUITY stands exactly where
// Placed.Discontinuity does.
//
// Writing: one goroutine at a time for a rendition, any number of renditions
// at once. Reading: any number of goroutines; they see immutable values that
// are swapped at each change and never wait for a writer or for a disk.
//
// Words: a rendition is a rung or an audio track, one media playlist. The
// package playlist alone uses the words of RFC 8216bis.
package packager
