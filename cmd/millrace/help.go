package main

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/internal/telemetry"
)

const description = `A media server: cameras and encoders publish, browsers and players watch.

Start with "millrace demo", then "millrace help serve".`

type helpCmd struct {
	Command string `arg:"" optional:"" help:"Command to explain."`
}

// Run answers as --help does.
func (h *helpCmd) Run(ctx context.Context, w *world) error {
	again := *w
	again.args = []string{"--help"}
	if h.Command != "" {
		again.args = []string{h.Command, "--help"}
	}
	return dispatch(ctx, &again)
}

type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.stdout, "millrace", versionName())
	return err
}

// versionName is what the build said, or else what Go knows.
func versionName() string {
	if version != "" {
		return version
	}
	return telemetry.Version()
}
