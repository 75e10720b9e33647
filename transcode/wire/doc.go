// Package wire is what the server and a worker process say to each other: a
// framed protocol over a socket pair, the graph a worker is asked to run, and
// the exit codes a worker may leave with. It is pure: it starts no process,
// knows no codec library and imports internal/media only.
//
// # Descriptors of a worker
//
//	0     /dev/null
//	1, 2  a pipe to the parent: whatever a crashing process prints
//	3     the socket: both directions, see below (SocketFD)
//	4     the lifeline: a pipe that brings one Config frame and then stays
//	      open and silent; its end means the parent is gone (LifelineFD)
//
// # Conversation
//
// Each direction of the socket, and the lifeline, starts with a preamble of 8
// bytes: "MRWP", the version as 16 bits, 16 zero bits. Frames follow: the
// length of the body (32 bits), the type (8 bits), the body. All integers are
// big endian. Unknown types, types of the other direction, bodies over the
// limit of their type and trailing bytes are errors, and an error is final.
//
//	parent                       worker
//	------                       ------
//	Config (on the lifeline)
//	                             Hello: alive, same version
//	Job, Tune?                                                  role stream
//	Track, Cut, Packet …         Track, Packet …, Stats, Log
//	Drain                        … Drained: nothing of what was sent before is left
//	Bye                          Bye, exit 0
//
//	Open                         Opened, Track …, Packet …, Bye role input
//	Probe                        Probed                         role input
//	Thumbnail                    Image                          role thumbnail
//
//	ScriptJob                    Files                          role script
//	Track, Packet, Presence,     Renditions, Cut, Track,
//	SenderClock …
//	                             Packet …, Suspended, Stats, Log,
//	                             GivenUp
//	Handover                     … Handed
//	Script                       Script
//	Drain: the source has ended  … Drained
//	Bye                          Bye, exit 0
//	                             Error: fatal; exit follows     every role
//
// Probes and thumbnails may be sent one after the other over the same worker
// and are answered in order. A worker answers Bye with Bye and exits 0, and it
// does the same when the socket ends cleanly.
//
// # Rules of the media
//
// Source packets reach a stream worker in the order in which the parent wrote
// them; those of one track are in DTS order. The worker learns where segments
// start from Cut messages alone; a Cut comes before the first packet of its
// segment. Coded video frames with PTS at or after the cut belong to the new
// segment and the first of them is an IDR picture (and no other is); coded
// audio changes segment at its first frame with PTS at or after the cut. A
// source packet's own Segment says where its sender placed it and is for logs.
// Output packets carry the Segment and Discontinuity they belong to.
//
// Frames before the first Cut whose Discontinuity is at least Job.From prime
// the decoders and are not put out. A Cut with a higher Discontinuity than the
// one before it means that media before and after do not belong together:
// coders are flushed at it and begin anew.
//
// A script worker gets packets that have no place yet: it decides itself, by a
// Cutter of its own at the end of the script's graph, and tells its parent
// where segments start, before their first packets. It counts segments and
// discontinuities from 1; the parent knows which those are for viewers.
// Everything else holds for it too.
//
// After Drained a worker is as new: another Cut and more packets may follow.
package wire
