// Package rtsp is Millrace's RTSP room: a server that takes publishers
// (ANNOUNCE, RECORD) and serves readers (DESCRIBE, PLAY) over TCP and UDP, a
// client that pulls a source into a Stream, and one that pushes packets to
// another server.
//
// The wire's side (sockets, sessions, RTP and RTCP framing) is gortsplib's.
// Ours is what happens to the packets: to_stream.go makes Tracks and Samples
// of what arrives, from_stream.go makes RTP of media.Packets again; the Stream
// between the two knows no RTP.
//
// What is answered when:
//
//	ErrUnauthorized  401 with Basic and Digest challenges, on the same connection
//	ErrForbidden     403
//	ErrNotFound      404
//	ErrBadPath       400
//	ErrBusy          453 Not Enough Bandwidth: RTSP 1.0 has no status for "taken";
//	                 this is the one clients report and retry, and its reason
//	                 says who publishes
//	ErrNoTracks      415 Unsupported Media Type, naming the codecs
//	transport off    461 Unsupported Transport
//
// The reason stands in the status line, where ffmpeg and GStreamer print it,
// and in the body.
//
// Loss: an access unit that misses a packet is dropped and counted; the
// pictures that refer to it are passed on. A decoder conceals the fault until
// the next keyframe, which is less than what a viewer loses by a picture that
// stands still for a whole GOP.
//
// Goroutines: gortsplib has one to three for each connection and session. Ours
// are one for each publishing session (watchdog and kick) and one for each
// playing session (subscription to RTP). Server.Close waits for all of them.
package rtsp
