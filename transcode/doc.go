// Package transcode decides which renditions a stream is offered in and has
// them made: the ladder planner, and the parent's side of the worker
// processes that run libav.
//
// In come tracks and placed packets, out go placed packets of each rendition.
// The package is pure Go: decoding, filtering and encoding happen in worker
// processes (the same executable started again with the hidden command
// "worker"), reached through transcode/wire. What a worker does is told to it
// as a graph of nodes and links; the ladder is one such graph.
//
//	NewPlan     tracks and policy → renditions, their cost, their graph
//	Supervisor  admits, starts and watches workers
//	Session     one stream's transcoding, over as many workers as it takes
//	Prober      what is in a file or behind a URL
//	Demuxer     a file or URL as a source of packets
//	Thumbnailer pictures of keyframes
package transcode
