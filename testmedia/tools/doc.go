// Package tools is test support: it runs the real programs that publish to and
// read from a media server, and looks at what comes out.
//
//   - Find and its relatives find a program or fail the test with a sentence
//     saying how to get it.
//   - Start runs a program for the length of a test; PublishFFmpeg,
//     PublishGStreamer and RecordVLC are built on it.
//   - Probe asks ffprobe, Read decodes with ffmpeg and reads the strips of the
//     pictures and the beeps of the sound.
//   - FreePort, Eventually, UsageOf and CheckLeaks are for the test's own house.
//
// Functions that take a testing.TB fail the test themselves and must be called
// from its goroutine. Nothing here is imported by the server.
package tools
