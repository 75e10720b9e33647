package main

import "context"

type workerCmd struct{}

// Run is a worker process; its parent talks to it over descriptors.
func (workerCmd) Run(ctx context.Context) error { return notYet("worker") }

type cameraCmd struct{}

// Run is the demo's camera.
func (cameraCmd) Run(ctx context.Context) error { return notYet("camera") }
