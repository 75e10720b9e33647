// Package media is the half of the JavaScript module millrace that moves
// media: sources, coders, filters and sinks as Node streams in object mode,
// and the Packets and Frames that they carry.
//
// Each stage is a goroutine of Go with a bounded queue before it and one
// behind; its JavaScript object, a real subclass of node:stream's classes, is
// what scripts wire and listen to. Where both ends of a pipe are stages, what
// flows is moved from queue to queue in Go and the runtime hears of the end
// only. Where a script stands between them, it sees every object.
//
// The threading rule is the loop's: everything of goja belongs to the loop's
// goroutine, queues and stages belong to nobody and lock for themselves.
package media
