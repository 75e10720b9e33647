package main

import "context"

type cameraCmd struct{}

// Run is the demo's camera.
func (cameraCmd) Run(ctx context.Context) error { return notYet("camera") }
