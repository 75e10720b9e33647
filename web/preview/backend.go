package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/web"
)

// backend makes streams up. Only "demo" and "private/demo" can be played.
type backend struct {
	dir   string
	live  *live
	mu    sync.Mutex
	list  []status.Stream
	subs  map[chan status.Event]bool
	id    uint64
	began time.Time
}

func newBackend(ctx context.Context, dir string, empty bool) (*backend, error) {
	l, err := newLive(dir)
	if err != nil {
		return nil, err
	}
	b := &backend{dir: dir, live: l, subs: map[chan status.Event]bool{}, began: time.Now()}
	if !empty {
		b.list = made()
	}
	go func() {
		for tick := time.NewTicker(segment); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				l.tick()
			}
		}
	}()
	return b, nil
}

func made() []status.Stream {
	now := time.Now()
	video := func(w, h int, fps float64, codec string) status.Track {
		return status.Track{ID: 0, Kind: "video", Codec: codec, Width: w, Height: h, FPS: fps}
	}
	aac := status.Track{ID: 1, Kind: "audio", Codec: "aac", SampleRate: 48000, Channels: 2}
	ladder := []status.Rendition{
		{Name: "1080p", Kind: "video", Codec: "h264", Width: 1920, Height: 1080, FPS: 30, Declared: 6_900_000, Measured: 5_210_000, Copy: true, State: "live"},
		{Name: "720p", Kind: "video", Codec: "h264", Width: 1280, Height: 720, FPS: 30, Declared: 3_200_000, Measured: 2_480_000, State: "live"},
		{Name: "480p", Kind: "video", Codec: "h264", Width: 854, Height: 480, FPS: 30, Declared: 1_500_000, Measured: 1_190_000, State: "live"},
		{Name: "360p", Kind: "video", Codec: "h264", Width: 640, Height: 360, FPS: 30, Declared: 900_000, Measured: 688_000, State: "live"},
		{Name: "audio", Kind: "audio", Codec: "aac", SampleRate: 48000, Channels: 2, Declared: 132_000, Measured: 128_000, Copy: true, State: "live"},
	}
	worker := &status.Worker{Speed: 2.31, Queue: 48_000, RSS: 186_000_000}
	one := func(path string, state status.State, ago time.Duration, in int, tracks ...status.Track) status.Stream {
		return status.Stream{
			Path: path, State: state, Since: now.Add(-ago), Created: now.Add(-ago), Tracks: tracks, Renditions: ladder, Worker: worker,
			Publisher: &status.Publisher{Protocol: "rtsp", Remote: "192.0.2.17:51812", UserAgent: "Lavf61.7.100", Transport: "tcp", Since: now.Add(-ago)},
			Input:     status.Input{Bitrate: in, FPS: 30, Bytes: uint64(ago.Seconds()) * uint64(in) / 8, Packets: uint64(ago.Seconds()) * 77},
		}
	}
	demo := one("demo", status.Live, 3*time.Minute, 5_200_000, video(1920, 1080, 30, "h264"), aac)
	yard := one("cam/yard", status.Live, 26*time.Hour, 3_100_000, video(2560, 1440, 25, "h265"), status.Track{ID: 1, Kind: "audio", Codec: "pcma", SampleRate: 8000, Channels: 1})
	yard.Worker = &status.Worker{Speed: 0.91, Queue: 2_900_000, Dropped: 311, RSS: 402_000_000, Restarts: 1, Degraded: "1440p is off to keep up"}
	yard.Input.Lost, yard.Input.Repaired, yard.Input.Drift = 42, map[string]uint64{"went backwards": 3, "jumped": 1}, -12
	gate := one("cam/gate", status.Lost, 14*time.Second, 0, video(1920, 1080, 25, "h264"), aac)
	gate.Publisher = nil
	studio := one("studio/main", status.Live, 47*time.Minute, 8_400_000, video(1920, 1080, 59.94, "h264"), aac)
	hall := one("hall/wide", status.Failed, 2*time.Minute, 0, video(3840, 2160, 30, "av1"))
	hall.Error = "the worker crashed five times in a minute: decoder: unsupported bit depth 12"
	hall.Renditions, hall.Worker = nil, nil
	desk := one("desk/portrait", status.Live, 9*time.Minute, 1_900_000, video(1080, 1920, 30, "h264"), aac)
	private := one("private/demo", status.Live, time.Hour, 5_200_000, video(1920, 1080, 30, "h264"), aac)
	door := status.Stream{Path: "cam/door", State: status.Waiting, Since: now.Add(-5 * time.Hour)}
	return []status.Stream{door, gate, yard, demo, desk, hall, private, studio}
}

// List moves the figures a little, so that there is something to see.
func (b *backend) List() []status.Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := time.Since(b.began).Seconds()
	var out []status.Stream
	for i, s := range b.list {
		if s.State == status.Live {
			x := t + float64(i)*7
			s.Input.Bitrate = int(float64(s.Input.Bitrate) * (1 + 0.08*math.Sin(x/3) + 0.05*math.Sin(x*1.7) + 0.03*math.Sin(x*4.1)))
			s.Input.FPS += 0.4 * math.Sin(x*2)
			s.Readers = i % 3
		}
		out = append(out, s)
	}
	return out
}

func (b *backend) Get(path string) (status.Stream, bool) {
	for _, s := range b.List() {
		if s.Path == path {
			return s, true
		}
	}
	return status.Stream{}, false
}

func (b *backend) Kick(path, reason string) error {
	if path != "demo" {
		return status.ErrNoPublisher
	}
	b.live.set(false, false, true)
	b.become(path, status.Lost, reason)
	time.AfterFunc(12*time.Second, func() {
		b.live.set(true, false, true)
		b.become(path, status.Live, "")
	})
	return nil
}

func (b *backend) End(path, reason string) error {
	if path != "demo" {
		return status.ErrNotFound
	}
	b.live.set(false, true, true)
	b.become(path, status.Ended, reason)
	time.AfterFunc(12*time.Second, func() { b.live.set(false, true, false) })
	time.AfterFunc(20*time.Second, func() {
		b.live.start()
		b.become(path, status.Live, "")
	})
	return nil
}

func (b *backend) Mark(string, status.Marker) (status.Marked, error) {
	return status.Marked{}, status.ErrMarkersEnded
}

func (b *backend) EndMarker(string, string, status.MarkerEnd) (status.Marked, error) {
	return status.Marked{}, status.ErrNoMarker
}

func (b *backend) Caption(string, string, status.Cue) (status.Shown, error) {
	return status.Shown{}, status.ErrNoSubtitles
}

func (b *backend) Markers(string) ([]status.Marked, error) { return []status.Marked{}, nil }

func (b *backend) become(path string, state status.State, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if b.list[i].Path == path {
			b.list[i].State, b.list[i].Since = state, time.Now()
		}
	}
	b.id++
	for ch := range b.subs {
		select {
		case ch <- status.Event{ID: b.id, Time: time.Now(), Type: "stream:" + string(state), Path: path, Data: map[string]string{"reason": reason}}:
		default:
		}
	}
}

func (b *backend) Playback(urlPath string) (web.Playback, bool) {
	for _, p := range []string{"demo", "private/demo"} {
		if strings.HasPrefix(urlPath+"/", p+"/") && b.live.there() {
			return web.Playback{Path: p, Handler: b.live, Target: 3 * time.Second}, true
		}
	}
	return web.Playback{}, false
}

func (b *backend) Thumbnail(_ context.Context, path string) ([]byte, error) {
	jpeg, err := os.ReadFile(filepath.Join(b.dir, "thumbs", strings.ReplaceAll(path, "/", "-")+".jpg"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, status.ErrNoPicture
	}
	return jpeg, err
}

func (b *backend) Events(ctx context.Context) <-chan status.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan status.Event, 16)
	b.subs[ch] = true
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, ch)
		close(ch)
	})
	return ch
}

func (b *backend) Ready() error { return nil }
