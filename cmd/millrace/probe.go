package main

import "context"

type probeCmd struct {
	Input string `arg:"" help:"File or URL."`
	JSON  bool   `name:"json" help:"Write JSON."`
}

// Run prints what is in the input.
func (p *probeCmd) Run(ctx context.Context, w *world) error { return notYet("probe") }

// Help is printed by millrace help probe.
func (probeCmd) Help() string {
	return `    millrace probe film.mp4
    millrace probe --json https://example.org/film.mp4 | jq '.streams[0].codec'
    millrace probe rtsp://camera/stream1`
}
