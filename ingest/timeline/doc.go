// Package timeline makes time sane: it takes the timestamps of several tracks
// as their wires carry them and returns stamps on one timeline per stream, in
// exact ticks of each track's clock, that nobody has to repair again.
//
// What it deals with, each repair counted and none of them fatal:
//   - counters of 32 or 33 bits that wrap, and start just below the wrap;
//   - jumps: samples stamped hours away are re-stamped at once; when the new
//     clock persists for persistTime it becomes the clock in force and the
//     epoch grows, without a visible jump;
//   - decode times that go backwards or stand still;
//   - missing decode times: a reorder buffer as deep as the sequence parameter
//     set says gives the exact ones (see reorder);
//   - clocks that run at a wrong rate (see rateMeter);
//   - coarse or jittery audio stamps: frames follow each other seamlessly as
//     long as the wire agrees within snapLimit;
//   - tracks whose clocks have different origins: aligned by the sender's wall
//     clock (RTCP sender reports) or by a shared clock, else by arrival, and
//     kept aligned by nudging the follower (audio), never the leader (video).
//
// Stamps are never negative, a presentation time is never before its decode
// time, and decode times of a track strictly increase over the whole life of
// the Timeline, restarts included. The package is pure: arrival times come in
// with the samples, there is no clock, no goroutine and no lock.
package timeline
