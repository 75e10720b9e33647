// Package fmp4 writes the ISO BMFF boxes of CMAF tracks, one track a file:
// initialization sections (ftyp, moov) and fragments (moof, mdat), and reads
// them back. It also names codecs as RFC 6381 wants them.
//
// The boxes are our own, because the decoder configuration of a
// [media.Track] is stored as it came (a writer that parses and rebuilds it
// loses what it does not know), and because pasp, colr, the rotation matrix
// and signed composition offsets must be right. Parsing of what is inside the
// configuration (parameter sets, AudioSpecificConfig) is mediacommon's.
package fmp4
