package main

import "context"

type demoCmd struct {
	settings
}

// Run serves, with a camera.
func (d *demoCmd) Run(ctx context.Context, w *world) error { return notYet("demo") }

// Help is printed by millrace help demo.
func (demoCmd) Help() string {
	return `A server as "millrace serve" runs it, with a camera that publishes to the path demo over RTSP: a moving
picture with a clock and a frame number, and a beep each second. It prints the address of the player
when the first segment is there.

    millrace demo
    millrace demo --http :9000 --rtsp :9554`
}
