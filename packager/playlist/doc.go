// Package playlist is the text of HLS playlists (RFC 8216bis §4) as a pure
// model: [Media] and [Multivariant] are rendered by their Append methods and
// read by the Parse functions. It alone uses the RFC's words: a variant is
// what the rest of Millrace calls a video rendition.
//
// Durations are kept in whole microseconds and dates in whole milliseconds,
// which is what is written; what Append wrote, Parse reads back equal. Tags
// that the model does not know are skipped by the parser.
package playlist
