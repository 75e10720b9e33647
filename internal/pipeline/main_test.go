package pipeline

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// TestMain lets the test binary be its own worker: started as "TEST worker
// MODE" it codes by copying, and behaves as MODE says.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		syscall.Exit(fakeWorker(os.Args[2])) // os.Exit sleeps a second under -race
	}
	goleak.VerifyTestMain(m)
}

// coder is a worker whose encoders hand on what they get.
type coder struct {
	mode    string
	out     *wire.Writer
	outputs map[string]media.Kind
	tracks  map[int]*media.Track
	streams map[string]int
	from    uint64
	cut     *wire.Cut
	fresh   map[string]bool // renditions whose next packet starts a segment
}

func fakeWorker(mode string) int {
	if mode == "absent" {
		return wire.ExitUnsupported
	}
	if file, ok := strings.CutPrefix(mode, "needs="); ok {
		if _, err := os.Stat(file); err != nil {
			return wire.ExitUnsupported
		}
	}
	lifeline := wire.NewReader(os.NewFile(wire.LifelineFD, "lifeline"), wire.FromLifeline)
	config, err := lifeline.Read()
	if err != nil {
		return wire.ExitUsage
	}
	go func() {
		_, _ = lifeline.Read()
		syscall.Exit(wire.ExitOrphan)
	}()
	conn, err := net.FileConn(os.NewFile(wire.SocketFD, "socket"))
	if err != nil {
		return wire.ExitUsage
	}
	if m, ok := config.(*wire.Config); ok && m.Role == wire.RoleScript {
		return fakeScript(conn)
	}
	c := &coder{
		mode: mode, out: wire.NewWriter(conn), outputs: map[string]media.Kind{},
		tracks: map[int]*media.Track{}, streams: map[string]int{}, fresh: map[string]bool{},
	}
	c.send(&wire.Hello{PID: os.Getpid(), FFmpeg: "fake"})
	in := wire.NewReader(conn, wire.FromParent)
	for {
		m, err := in.Read()
		if err != nil {
			return wire.ExitDone
		}
		c.take(m)
	}
}

func (c *coder) send(m wire.Message) {
	if err := c.out.Write(m); err != nil {
		syscall.Exit(wire.ExitInternal)
	}
}

func (c *coder) take(m wire.Message) {
	switch m := m.(type) {
	case *wire.Job:
		c.from = m.From
		for _, n := range m.Graph.Nodes {
			switch {
			case n.Picture != nil:
				c.outputs[strings.TrimPrefix(n.ID, "picture-")] = media.Video
			case n.Sound != nil:
				c.outputs[strings.TrimPrefix(n.ID, "sound-")] = media.Audio
			}
		}
	case *wire.Cut:
		c.cut = m
		for name := range c.outputs {
			c.fresh[name] = true
		}
	case *wire.Track:
		c.tracks[m.Stream] = &m.Track
	case *wire.Packet:
		c.packet(m)
	case *wire.Drain:
		if c.mode == "mortal" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Hour)
		}
		c.send(&wire.Drained{})
	case *wire.Bye:
		syscall.Exit(wire.ExitDone)
	}
}

func (c *coder) packet(p *wire.Packet) {
	t := c.tracks[p.Stream]
	if c.cut == nil || c.cut.Discontinuity < c.from || t == nil {
		return
	}
	for name, kind := range c.outputs {
		if kind != t.Kind {
			continue
		}
		stream, known := c.streams[name]
		if !known {
			stream = len(c.streams) + 1
			c.streams[name] = stream
			coded := *t
			coded.ID = stream
			if kind == media.Audio {
				coded.Codec, coded.Config, coded.Channels = media.AAC, aacConfig, 2
			}
			c.send(&wire.Track{Stream: stream, Rendition: name, Track: coded})
		}
		c.send(&wire.Packet{Stream: stream, Placed: media.Placed{
			Packet: &media.Packet{
				PTS: p.PTS, DTS: p.DTS, Duration: p.Duration, Key: c.fresh[name] || kind == media.Audio,
				Payload: p.Payload, Arrival: p.Arrival,
			},
			Segment: c.cut.Segment, Discontinuity: c.cut.Discontinuity,
		}})
		c.fresh[name] = false
	}
}
