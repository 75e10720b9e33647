// Package mpegts is Millrace's room for MPEG transport streams (ISO/IEC
// 13818-1) that come in, by whatever protocol: it makes Tracks and Samples of
// their bytes, as ingest/rtsp does of RTP.
//
//	bytes -> packets (framer) -> sections and PES packets of one program (demuxer)
//	      -> access units and audio frames (video, audio) -> ingest.Publisher
//
// Nothing in a stream is fatal: what is no packet is skipped until packets
// come again, what misses a packet is dropped and counted, a program map that
// changes has its tracks go on, change, or join. PCR is not looked at: PTS and
// DTS go to ingest/timeline as the 33 bits that they are, and it repairs them.
//
// Of several programs the first is taken, and of several video streams too.
package mpegts
