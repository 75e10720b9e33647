package main

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace/millrace/packager/check"
)

type checkCmd struct {
	URL  string        `arg:"" help:"Playlist to judge: multivariant, or a media playlist alone."`
	For  time.Duration `name:"for" default:"20s" help:"How long to watch a live presentation."`
	JSON bool          `name:"json" help:"Write the verdict as JSON."`
	All  bool          `help:"List the rules that hold and those that do not apply too."`
}

// Help is printed by millrace help check.
func (checkCmd) Help() string {
	return `Watches a presentation as a player does, downloads its media, asks what a
client may ask, and judges each rule of RFC 8216bis and of Apple's authoring
specification that a server can be held to. Exit code 1 says that a rule is
broken; recommendations that are not followed are shown as warnings.

    millrace check http://localhost:8080/hls/demo/index.m3u8
    millrace check --for 2m --all https://example.org/live/index.m3u8
    millrace check --json https://example.org/film/index.m3u8 | jq '.results[] | select(.verdict == "broken")'`
}

// Run judges a presentation.
func (c *checkCmd) Run(ctx context.Context, w *world) error {
	ctx, stop := w.interruptible(ctx)
	defer stop()
	progress := w.progress("watching")
	report, err := check.Run(ctx, c.URL, check.Options{For: c.For, Progress: progress.show})
	progress.close()
	if err != nil {
		return err
	}
	if c.JSON {
		err = report.JSON(w.stdout)
	} else {
		err = report.Text(w.stdout, c.All)
	}
	if err != nil {
		return err
	}
	if must, _ := report.Broken(); must > 0 {
		return fmt.Errorf("%d rules are broken", must)
	}
	return nil
}
