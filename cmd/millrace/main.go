// Command millrace is a media server: RTSP in, adaptive HLS out.
//
// This package is wiring. Each command has a file; everything that a command
// may touch of the world around it comes in a world value, so that the whole
// program also runs inside a test.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build (-X main.version=v1.2.3).
var version string

func main() {
	// A limit on the size of files is an error of the write that meets it.
	signal.Ignore(syscall.SIGXFSZ)
	os.Exit(run(context.Background(), osWorld()))
}
