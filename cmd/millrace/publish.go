package main

import "context"

type publishCmd struct {
	Input string `arg:"" help:"File or URL."`
	URL   string `arg:"" name:"url" help:"Where to publish: rtsp://HOST/PATH."`
	Loop  bool   `help:"Begin again at the end, until stopped."`
}

// Run plays the input.
func (p *publishCmd) Run(ctx context.Context, w *world) error { return notYet("publish") }

// Help is printed by millrace help publish.
func (publishCmd) Help() string {
	return `Plays a file in real time to a server, as it is: nothing is encoded.

    millrace publish film.mp4 rtsp://localhost:8554/film
    millrace publish --loop film.mp4 'rtsp://media.example.org:8554/live/film?key=s3cret'
    millrace publish film.mp4 rtsp://publisher:s3cret@media.example.org:8554/live/film`
}
