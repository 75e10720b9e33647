package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/pipeline"
)

type transcodeCmd struct {
	Input     string         `arg:"" help:"File or URL."`
	OutDir    string         `arg:"" name:"outdir" help:"Folder for the playlists and segments; made when it is not there."`
	Ladder    string         `placeholder:"LADDER" help:"Renditions: auto, passthrough, a list such as 720:2500k,360:700k, or a YAML file with a list."`
	Config    *string        `short:"c" placeholder:"FILE" help:"Configuration file: the streams entry that matches the folder's name holds (MILLRACE_CONFIG)."`
	Segment   *time.Duration `placeholder:"DURATION" help:"Aim for the length of segments, such as 4s."`
	Container string         `placeholder:"FORMAT" enum:",fmp4,ts" default:"" help:"Segment format: fmp4, or ts for old players."`
	Force     bool           `help:"Write into a folder that is not empty; files of the same names are replaced, others stay."`
}

// Help is printed by millrace help transcode.
func (transcodeCmd) Help() string {
	return `Makes of a file what viewers get of a live stream: the same renditions, the same encoders, the same
segments, as VOD playlists that any web server can serve. Nothing is in the folder until all is done.

    millrace transcode film.mp4 out
    millrace transcode film.mkv out --ladder 1080:5M,720:2500k,480:1200k
    millrace transcode film.mp4 out --ladder passthrough --segment 4s
    millrace transcode film.mp4 out --container ts
    millrace transcode film.mp4 out --ladder '[{height: 720, bitrate: 2500k, fps: 25}, {height: 360}]'

By default (auto) the source is copied as the top rendition where players can play it, and smaller ones
are encoded. Then serve the folder by any web server, and open its index.m3u8 in a player.`
}

// Run makes the presentation.
func (t *transcodeCmd) Run(ctx context.Context, w *world) error {
	file, err := t.prepare(w)
	if err != nil {
		return err
	}
	ctx, stop := w.interruptible(ctx)
	defer stop()
	p := w.progress("transcode")
	file.Progress = p.show
	begin := time.Now()
	err = file.Run(ctx)
	p.close()
	if err != nil {
		return t.explain(ctx, err)
	}
	_, err = fmt.Fprintf(w.stdout, "%s  %s\n", filepath.Join(t.OutDir, "index.m3u8"), p.total(time.Since(begin)))
	return err
}

// prepare checks everything that can be checked before the work begins.
func (t *transcodeCmd) prepare(w *world) (pipeline.File, error) {
	settings, err := t.settings(w)
	if err != nil {
		return pipeline.File{}, err
	}
	if err := checkInput(t.Input); err != nil {
		return pipeline.File{}, err
	}
	if err := t.checkOutput(); err != nil {
		return pipeline.File{}, err
	}
	supervisor, err := w.supervisor()
	return pipeline.File{
		Input: t.Input, Output: t.OutDir,
		Ladder: settings.Ladder, Encoder: settings.Encoder, HLS: settings.HLS,
		Transcoder: supervisor, Logger: slog.New(slog.DiscardHandler),
	}, err
}

// settings are what the configuration says, changed by the flags.
func (t *transcodeCmd) settings(w *world) (config.Stream, error) {
	given := make(map[string]string)
	if t.Config != nil {
		given["config"] = *t.Config
	}
	cfg, err := config.Load(given, w.env)
	if err != nil {
		return config.Stream{}, err
	}
	s := config.DefaultStream()
	if name, err := filepath.Abs(t.OutDir); err == nil && access.CheckPath(filepath.Base(name)) == nil {
		s = cfg.ForPath(filepath.Base(name))
	}
	s.Encoder.Nice = 0 // it has nothing to give way to
	if t.Segment != nil {
		s.HLS.Segment = *t.Segment
		if err := config.CheckSegment(*t.Segment); err != nil {
			return s, usagef("--segment: %w", err)
		}
	}
	if t.Container != "" {
		s.HLS.Container = t.Container
	}
	if t.Ladder != "" {
		if s.Ladder, err = readLadder(t.Ladder); err != nil {
			return s, err
		}
	}
	for _, r := range s.Ladder.Rungs() {
		if r.Codec != "h264" && r.Codec != "copy" {
			return s, notYet("encoding to " + r.Codec)
		}
	}
	return s, nil
}

// readLadder reads what --ladder says, or the file that it names.
func readLadder(text string) (config.Ladder, error) {
	name := "--ladder"
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		b, err := os.ReadFile(text)
		if err != nil {
			return config.Ladder{}, fmt.Errorf("--ladder: %w", err)
		}
		name, text = text, string(b)
	} else if strings.HasSuffix(text, ".yaml") || strings.HasSuffix(text, ".yml") {
		return config.Ladder{}, usagef("--ladder: there is no file %s", text)
	}
	l, err := config.ParseLadder(name, text)
	if err != nil && name == "--ladder" {
		return l, usageError{err}
	}
	return l, err
}

// checkOutput refuses to mix a presentation into somebody's other files.
func (t *transcodeCmd) checkOutput() error {
	entries, err := os.ReadDir(t.OutDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", t.OutDir, errors.Unwrap(err))
	case t.Force:
		return nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") { // what a killed run left behind is hidden
			return fmt.Errorf("%s is not empty; choose another folder, or add --force to replace what is in it", t.OutDir)
		}
	}
	return nil
}

// explain makes one line of what went wrong.
func (t *transcodeCmd) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w; nothing was written", context.Cause(ctx))
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return inputError(t.Input, err)
}
