// Package libav is Millrace's way into FFmpeg: it opens files and URLs,
// decodes, filters and encodes, and speaks media.Track and media.Packet at its
// border. It is the only package that imports go-astiav and the only one that
// holds cgo of its own, which does what go-astiav lacks: a bounded log callback
// and FFmpeg's words in our errors (shim.c, bridge.go, words.go), payloads and
// planes that are handed over without detours through new memory (shim.c,
// planes.c, muxer.c), filter graphs of any shape (graph.c), and the tables of
// options (options.c).
//
// There are two ways in. The worker's ladder uses Decoder, VideoFilter,
// VideoEncoder, Row and AudioEncoder, which lend frames and know what a ladder
// wants. Scripts use what Engine makes, FrameDecoder, FrameFilter,
// FrameEncoder, Muxer and Demuxer, which give frames away, take any coder,
// graph and container there is, and stand on the same parts.
//
// What lives in C memory (Frame, Decoder, Encoder, Demuxer, …) has one owner
// and must be closed by it; nothing has a finalizer. Unless said otherwise a
// value may be used by one goroutine at a time. A fault inside FFmpeg ends the
// process: only worker processes call this package.
package libav
