package main

import (
	"context"
	"time"
)

type transcodeCmd struct {
	Input   string         `arg:"" help:"File or URL."`
	OutDir  string         `arg:"" name:"outdir" help:"Folder for the playlists and segments; made when it is not there."`
	Ladder  string         `placeholder:"LADDER" help:"Renditions: auto, passthrough, a list such as 720:2500k,360:700k, or a YAML file with a list."`
	Config  *string        `short:"c" placeholder:"FILE" help:"Configuration file: the streams entry that matches the folder's name holds (MILLRACE_CONFIG)."`
	Segment *time.Duration `placeholder:"DURATION" help:"Aim for the length of segments, such as 4s."`
	Force   bool           `help:"Write into a folder that is not empty; a presentation that is there is replaced."`
}

// Run makes the presentation.
func (t *transcodeCmd) Run(ctx context.Context, w *world) error { return notYet("transcode") }

// Help is printed by millrace help transcode.
func (transcodeCmd) Help() string {
	return `Makes what a live stream gets of a file: the same renditions, the same encoders, the same segments, as
VOD playlists that any web server can serve. Nothing is in the folder until all is done.

    millrace transcode film.mp4 out
    millrace transcode film.mkv out --ladder 1080:5M,720:2500k,480:1200k
    millrace transcode film.mp4 out --ladder passthrough --segment 4s
    millrace transcode film.mp4 out --ladder '[{height: 720, bitrate: 2500k, fps: 25}, {height: 360}]'

By default (auto) the source is copied as the top rendition where players can play it, and smaller ones
are encoded. Then, in out: python3 -m http.server, and open index.m3u8 in a player.`
}
