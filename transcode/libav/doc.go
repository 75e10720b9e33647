// Package libav is Millrace's way into FFmpeg: it opens files and URLs,
// decodes, filters and encodes, and speaks media.Track and media.Packet at its
// border. It is the only package that imports go-astiav and the only one that
// holds cgo of its own, which stays in the files shim.c and bridge.go and does
// what go-astiav lacks: a bounded log callback, payloads that are handed over
// without detours through new memory, and the tables of options.
//
// What lives in C memory (Frame, Decoder, Encoder, Demuxer, …) has one owner
// and must be closed by it; nothing has a finalizer. Unless said otherwise a
// value may be used by one goroutine at a time. A fault inside FFmpeg ends the
// process: only worker processes call this package.
package libav
