// Package stream runs a stream's pipeline script, in a worker process of its
// own: the worker's side of the role "script" of transcode/wire.
//
//	reader    takes what the parent says: packets go to the source's queue
//	loop      runs the script; media moves through stages of jsapi/media
//	Sink      (internal/pipeline) cuts, plans and codes what reaches hls()
//	writer    sends what comes of it, and what the script logs and says
//
// Whatever ends the script before its source has ended is an error that names
// the place in the script.
package stream
