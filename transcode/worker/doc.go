// Package worker is the child's side of a worker process: it is told over a
// socket pair what to do (package transcode/wire), does it with FFmpeg
// (package transcode/libav) and sends back coded packets, never frames.
//
// A stream worker runs a graph. Its goroutines:
//
//	reader ─ queue ─ decode ─┬─ queue ─ rung (scale, encode) ─ sender
//	                         └─ queue ─ rung (scale, encode) ─ sender
//	       ─ queue ─ decode ──── queue ─ sound (resample, encode) ─ sender
//
// Every queue is short and blocks: a worker that cannot keep up stops reading,
// and it is the parent's queue that decides what a live stream loses. Cuts
// travel through the same queues as the media, in order.
package worker
