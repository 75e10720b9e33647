// Package codec turns what the wires carry into what media.Track and
// media.Packet hold: parameter sets into avcC and hvcC and the picture's
// description, access units into 4-byte lengths, AAC and Opus headers into
// their configurations; and back into parameter sets for those who send.
//
// It is pure, and everything in it may be fed bytes of strangers.
package codec
