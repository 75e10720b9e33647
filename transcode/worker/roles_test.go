package worker

import (
	"bytes"
	"image"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// exits waits for the worker to leave and checks how.
func (p *parent) exits(want int) {
	p.t.Helper()
	select {
	case code := <-p.exit:
		if code != want {
			p.t.Errorf("worker left with %d, want %d: %v", code, want, p.fatal)
		}
	case <-time.After(30 * time.Second):
		p.t.Fatal("the worker does not leave")
	}
	<-p.read
	_ = p.conn.Close()
}

func TestInputWorker(t *testing.T) {
	path := clip(t, "a.mkv", "-f", "lavfi", "-i", still+":d=2", "-f", "lavfi", "-i", "sine=1000:d=2",
		"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libopus")
	p := startWorker(t, wire.RoleInput)
	p.send(&wire.Probe{URL: path})
	p.send(&wire.Open{URL: path})
	p.exits(wire.ExitDone)
	if p.probed == nil || p.opened == nil || !p.left {
		t.Fatalf("probed %v, opened %v, left %v", p.probed, p.opened, p.left)
	}
	i := p.probed.Info
	if i.Container != "matroska,webm" || i.Duration < 1.9 || i.Duration > 2.1 || i.Size == 0 || len(i.Streams) != 2 {
		t.Errorf("info %+v", i)
	}
	if v := i.Streams[0]; v.Kind != "video" || v.Codec != media.H264 || v.Width != 320 || v.FrameRate != "25/1" || !v.Usable {
		t.Errorf("video %+v", v)
	}
	if a := i.Streams[1]; a.Codec != media.Opus || a.Channels != 1 || a.SampleRate != 48000 || a.Track != 1 {
		t.Errorf("audio %+v", a)
	}
	_, packets := demux(t, path)
	var got int
	for _, out := range p.outputs {
		got += len(out)
	}
	if got != len(packets) {
		t.Errorf("%d packets of %d", got, len(packets))
	}
}

func TestInputWorkerRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(text, []byte("no film"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []wire.Message{
		&wire.Probe{URL: text}, &wire.Open{URL: text}, &wire.Open{URL: text + ".missing"},
		&wire.Open{URL: "rtsp://127.0.0.1:1/nobody"}, &wire.Open{URL: "nonsense://x"},
	} {
		p := startWorker(t, wire.RoleInput)
		p.send(m)
		p.exits(wire.ExitInput)
		if p.fatal == nil || p.fatal.Class != wire.ClassInput {
			t.Errorf("%+v: %+v", m, p.fatal)
		} else {
			t.Log(p.fatal)
		}
	}
}

// TestInputWorkerIsLeft closes the socket while a long input is read.
func TestInputWorkerIsLeft(t *testing.T) {
	path := clip(t, "a.ts", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=20", "-c:v", "mpeg2video", "-q:v", "2")
	for _, polite := range []bool{true, false} {
		p := startWorker(t, wire.RoleInput)
		p.send(&wire.Open{URL: path})
		p.wait(func() bool { return p.opened != nil })
		if polite {
			p.send(&wire.Bye{})
		} else {
			_ = p.conn.Close()
		}
		p.exits(wire.ExitDone)
	}
}

func TestThumbnailWorker(t *testing.T) {
	tracks, packets := film(t, "a.mp4", "testsrc2=s=320x240:r=25:d=1", "")
	track := *tracks[0]
	track.Rotation = 90
	p := startWorker(t, wire.RoleThumbnail)
	p.send(&wire.Thumbnail{ID: 1, Width: 120, Track: track, Payload: packets[0].Payload})
	p.send(&wire.Thumbnail{ID: 2, Width: 120, Track: track, Payload: []byte{1, 2, 3}})
	p.send(&wire.Thumbnail{ID: 3, Width: 120, Track: media.Track{Kind: media.Video, Codec: "nonsense", ClockRate: 90000}, Payload: packets[0].Payload})
	p.send(&wire.Thumbnail{ID: 4, Width: 64, Track: *tracks[0], Payload: packets[0].Payload})
	p.bye()
	if len(p.images) != 4 {
		t.Fatalf("%d answers", len(p.images))
	}
	for i, want := range []image.Point{{120, 160}, {}, {}, {64, 48}} {
		a := p.images[i]
		if a.ID != uint64(i+1) || (a.Error != "") != (want == image.Point{}) {
			t.Errorf("answer %d: %d, %q", i, a.ID, a.Error)
		}
		if a.Error != "" {
			continue
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(a.JPEG))
		if err != nil || c.Width != want.X || c.Height != want.Y {
			t.Errorf("picture %d: %dx%d, %v", i, c.Width, c.Height, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	tracks, packets := film(t, "a.mp4", still+":d=1", "")
	job := &wire.Job{Live: true, Graph: ladder(true, tracks, wire.Picture{Width: 320, Height: 180})}
	bad := func(change func(*wire.Encode)) *wire.Job {
		g := ladder(true, tracks, wire.Picture{Width: 320, Height: 180})
		for _, n := range g.Nodes {
			if n.Kind == wire.NodeEncode {
				change(n.Encode)
			}
		}
		return &wire.Job{Graph: g}
	}
	for _, c := range []struct {
		name string
		role wire.Role
		want int
		say  func(p *parent)
	}{
		{"closed at once", wire.RoleStream, wire.ExitDone, func(p *parent) { _ = p.conn.Close() }},
		{"bye at once", wire.RoleStream, wire.ExitDone, func(p *parent) { p.send(&wire.Bye{}) }},
		{"closed after the job", wire.RoleStream, wire.ExitDone, func(p *parent) { p.send(job); _ = p.conn.Close() }},
		{"no role", "nothing", wire.ExitUsage, func(*parent) {}},
		{"no job", wire.RoleStream, wire.ExitUsage, func(p *parent) { p.send(&wire.Drain{}) }},
		{"two jobs", wire.RoleStream, wire.ExitUsage, func(p *parent) { p.send(job); p.send(job) }},
		{"not the protocol", wire.RoleStream, wire.ExitUsage, func(p *parent) { _, _ = p.conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")) }},
		{"unknown codec", wire.RoleStream, wire.ExitUnsupported, func(p *parent) {
			p.send(bad(func(e *wire.Encode) { e.Codec = media.VP9 }))
			(&cutter{}).place(p, packets[0])
		}},
		{"unknown option", wire.RoleStream, wire.ExitInternal, func(p *parent) {
			p.send(bad(func(e *wire.Encode) { e.Options = map[string]string{"nonsense": "1"} }))
			(&cutter{}).place(p, packets[0])
		}},
		{"unknown filter", wire.RoleStream, wire.ExitUnsupported, func(p *parent) {
			g := ladder(true, tracks, wire.Picture{Width: 320, Height: 180})
			for i, n := range g.Nodes {
				if n.Kind == wire.NodePicture {
					g.Nodes[i] = wire.Node{ID: n.ID, Kind: wire.NodeFilter, Filter: &wire.Filter{Name: "nonsense"}}
				}
			}
			p.send(&wire.Job{Graph: g})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startWorker(t, c.role)
			c.say(p)
			p.exits(c.want)
		})
	}
}
