package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/transcode/libav"
)

// cameraCmd is the demo's camera, a process of its own: what draws and encodes
// runs beside the server, not in it, and comes in over RTSP as any camera does.
type cameraCmd struct{}

// cameraOrder is what the demo tells its camera over standard input, which then
// stays open: its end is the camera's.
type cameraOrder struct {
	URL string `json:"url"`
}

// What the camera sends.
const (
	cameraWidth, cameraHeight = 1280, 720
	cameraRate                = 30
	cameraBitrate             = 2_500_000
	cameraSampleRate          = 48000
	cameraChannels            = 2
)

// Run films until standard input ends.
func (cameraCmd) Run(ctx context.Context, w *world) error {
	var order cameraOrder
	in := json.NewDecoder(w.stdin)
	if err := in.Decode(&order); err != nil {
		return fmt.Errorf("the camera is started by the demo, not by hand: %w", err)
	}
	ctx, stop := w.interruptible(ctx)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		// Owned by the process: a read of standard input cannot be ended.
		_, _ = io.Copy(io.Discard, w.stdin)
		cancel()
	}()
	libav.SetLog(libav.LogError, func(_ libav.LogLevel, line string, _ int) {
		fmt.Fprintln(w.stderr, line) // one Write a line: the demo reads lines
	})
	err := film(ctx, order.URL)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// film draws, encodes and publishes.
func film(ctx context.Context, url string) error {
	recorder, err := libav.OpenRecorder(libav.RecorderOptions{
		Width: cameraWidth, Height: cameraHeight, FrameRate: media.Rational{Num: cameraRate, Den: 1},
		GOP: cameraRate, Bitrate: cameraBitrate, Preset: "superfast",
		SampleRate: cameraSampleRate, Channels: cameraChannels,
	})
	if err != nil {
		return fmt.Errorf("open encoders: %w", err)
	}
	defer recorder.Close()
	camera, err := testmedia.NewCamera(testmedia.CameraOptions{
		Picture: testmedia.PictureOptions{Width: cameraWidth, Height: cameraHeight, Label: "Millrace"},
		Rate:    testmedia.Rate{Num: cameraRate, Den: 1},
		Sound:   testmedia.SoundOptions{Rate: cameraSampleRate, Channels: cameraChannels},
	})
	if err != nil {
		return err
	}
	out, err := push(ctx, url, recorder.Tracks())
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	return camera.Run(ctx, &filming{recorder: recorder, out: out})
}

// filming is between the camera and the wire. Pictures and sound come from a
// goroutine each.
type filming struct {
	recorder *libav.Recorder
	mu       sync.Mutex // guards out
	out      sink
}

// Picture implements testmedia.Viewer.
func (f *filming) Picture(s testmedia.Shot) error {
	return f.recorder.Picture(s.I420, s.Number, f.send)
}

// Sound implements testmedia.Viewer.
func (f *filming) Sound(c testmedia.Chunk) error {
	return f.recorder.Sound(c.PCM, c.Number, f.send)
}

func (f *filming) send(p *media.Packet) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(p)
}
