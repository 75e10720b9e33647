package main

import "context"

type serveCmd struct {
	settings
}

// Run serves until it is told to stop.
func (s *serveCmd) Run(ctx context.Context, w *world) error { return notYet("serve") }

// Help is printed by millrace help serve.
func (serveCmd) Help() string {
	return `Without a configuration file the server listens for RTSP and HTTP, takes publishers from this machine
on any path, and offers each stream in several qualities as low-latency HLS.

Start it, publish, and watch:

    millrace serve
    ffmpeg -re -i film.mp4 -c copy -f rtsp rtsp://localhost:8554/film
    http://localhost:8080/watch/film

With a configuration (docs/config.md lists its keys, examples/millrace.yaml shows them):

    millrace serve -c millrace.yaml

Other addresses, no RTMP and SRT, a log for machines:

    millrace serve --http :80 --rtsp 192.0.2.1:554 --rtmp off --srt off --log-format json

Publishing from elsewhere needs a key: auth.publish in the configuration, or for a start

    auth: {publish: [{path: "*", key: s3cret}], api: {token: t0ken}}

SIGHUP reads the configuration again; streams whose entry did not change keep running. SIGTERM and
SIGINT tell publishers and viewers, and end the server within 10 seconds; a second one ends it at once.`
}
