// Package ingest holds the live, named thing that publishers feed and
// everybody else reads: the Stream.
//
// Protocol servers (ingest/rtsp and its siblings) turn their wire into Tracks
// and Samples. They ask a Gate whether a publisher may come in, and get a
// Publisher, the writing end of one publishing session. The Stream puts every
// sample on one timeline (ingest/timeline: the one place where time is made
// sane), keeps the packets since the newest keyframe, and shares each packet
// with all subscribers through byte-bounded rings. Nothing here blocks on a
// reader, and nobody behind it repairs time again.
//
// Goroutines: the package starts none. A Publisher is driven by its protocol's
// goroutines, a Subscription by its reader; timers (hold, gather) run on the
// runtime's timer goroutine and only change the state.
package ingest
