// Package mpegts writes the MPEG-2 transport streams of HLS (RFC 8216bis
// §3.1.1), one track a stream beside an optional one of timed ID3 metadata,
// and reads such segments back.
//
// The writer is our own: PAT and PMT have to stand at the start of each
// segment and each part and nowhere else, continuity counters go on over
// segments that are files of their own, and a payload is copied once, from the
// packet into its transport packets.
package mpegts
