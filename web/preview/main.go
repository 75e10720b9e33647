// Command preview shows the console and the player on made-up streams, for
// working on their looks and on the player's recovery without a camera or an
// encoder. The stream "demo" plays an HLS folder in a loop as if it were live:
//
//	go run ./web/preview -hls DIR -listen 127.0.0.1:8080
//
// DIR holds index.m3u8 and one folder a rendition with segments of 2 s, as
// ffmpeg's hls muxer writes them; DIR/thumbs may hold PATH-WITH-DASHES.jpg.
// Kicking "demo" takes its publisher away for 12 s; ending it ends it, and it
// starts anew 20 s later.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/web"
)

func main() {
	dir := flag.String("hls", ".", "folder with an HLS presentation to play as live")
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	token := flag.String("token", "", "API token")
	view := flag.String("view", "", "token that the streams private/* need")
	empty := flag.Bool("empty", false, "no streams at all")
	nobody := flag.Bool("noloopback", false, "nobody counts as local")
	flag.Parse()
	if err := run(*dir, *listen, *token, *view, *empty, *nobody); err != nil {
		slog.Error("preview", "err", err)
		os.Exit(1)
	}
}

func run(dir, listen, token, view string, empty, noLoopback bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	backend, err := newBackend(ctx, dir, empty)
	if err != nil {
		return err
	}
	cfg := web.Config{
		Listen: listen, Backend: backend, RTSP: ":8554", Version: "preview",
		Token: token, NoLoopback: noLoopback, Metrics: prometheus.NewRegistry(),
	}
	if view != "" {
		cfg.View = access.Rules{{Path: "private/*", Key: view}}
	}
	server, err := web.New(cfg)
	if err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	if err := server.Listen(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	slog.Info("preview is up", "console", fmt.Sprintf("http://%s/", server.Addr()), "player", fmt.Sprintf("http://%s/watch/demo", server.Addr()))
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.Background()) })
	return server.Serve()
}
