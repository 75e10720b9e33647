package worker

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// clip makes a clip with the ffmpeg that belongs to the libraries under test.
func clip(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("ffmpeg", append(append([]string{"-hide_banner", "-loglevel", "error", "-y"}, args...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	return path
}

// demux reads all packets of a file.
func demux(t testing.TB, path string) ([]*media.Track, []*media.Packet) {
	t.Helper()
	d, err := libav.OpenInput(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []*media.Packet
	for {
		p, err := d.Read(t.Context())
		if errors.Is(err, io.EOF) {
			return d.Tracks(), all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// parent is the other end of a worker that runs in this process.
type parent struct {
	t      testing.TB
	w      *wire.Writer
	conn   net.Conn
	exit   chan int
	tracks wire.Tracks // of the worker
	sent   map[int]int // revision of each source track that was announced

	mu      sync.Mutex
	outputs map[string][]media.Placed
	latency map[string][]time.Duration
	stats   *wire.Stats
	logs    []*wire.Log
	fatal   *wire.Error
	drained chan struct{}
	read    chan struct{}
	news    chan struct{} // something came
	images  []*wire.Image
	probed  *wire.Probed
	opened  *wire.Opened
	left    bool // Bye came
}

func socketPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		if conns[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return conns[0], conns[1]
}

func startWorker(t testing.TB, role wire.Role) *parent {
	t.Helper()
	ours, theirs := socketPair(t)
	p := &parent{
		t: t, w: wire.NewWriter(ours), conn: ours, exit: make(chan int, 1),
		sent: make(map[int]int), outputs: make(map[string][]media.Placed),
		latency: make(map[string][]time.Duration), drained: make(chan struct{}, 8), read: make(chan struct{}), news: make(chan struct{}, 1),
	}
	go func() {
		defer func() { _ = theirs.Close() }()
		p.exit <- Serve(context.Background(), &wire.Config{Role: role, Name: t.Name()}, theirs)
	}()
	go p.gather(wire.NewReader(ours, wire.FromWorker))
	t.Cleanup(func() {
		_ = ours.Close()
		<-p.read
	})
	return p
}

func (p *parent) gather(r *wire.Reader) {
	defer close(p.read)
	for {
		m, err := r.Read()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				p.t.Errorf("worker: %v", err)
			}
			return
		}
		p.mu.Lock()
		switch m := m.(type) {
		case *wire.Track:
			err = p.tracks.Announce(m)
		case *wire.Packet:
			var name string
			if name, err = p.tracks.Resolve(m); err == nil {
				p.outputs[name] = append(p.outputs[name], m.Placed)
				p.latency[name] = append(p.latency[name], media.Now()-m.Arrival)
			}
		case *wire.Stats:
			p.stats = m
		case *wire.Log:
			p.logs = append(p.logs, m)
		case *wire.Error:
			p.fatal = m
		case *wire.Image:
			p.images = append(p.images, m)
		case *wire.Probed:
			p.probed = m
		case *wire.Opened:
			p.opened = m
		case *wire.Bye:
			p.left = true
		case *wire.Drained:
			p.drained <- struct{}{}
		}
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
		if err != nil {
			p.t.Errorf("worker: %v", err)
		}
	}
}

func (p *parent) send(m wire.Message) {
	p.t.Helper()
	if err := p.w.Write(m); err != nil {
		p.t.Fatalf("send: %v (worker said %v)", err, p.fatal)
	}
}

// packet sends a source packet, after its track where that is new.
func (p *parent) packet(pk *media.Packet, segment, discontinuity uint64) {
	p.t.Helper()
	if revision, ok := p.sent[pk.Track.ID]; !ok || revision != pk.Track.Revision {
		p.send(&wire.Track{Stream: pk.Track.ID, Track: *pk.Track})
		p.sent[pk.Track.ID] = pk.Track.Revision
	}
	p.send(&wire.Packet{
		Stream: pk.Track.ID, Revision: pk.Track.Revision,
		Placed: media.Placed{Packet: pk, Segment: segment, Discontinuity: discontinuity},
	})
}

func (p *parent) drain() {
	p.t.Helper()
	p.send(&wire.Drain{})
	select {
	case <-p.drained:
	case code := <-p.exit:
		p.t.Fatalf("worker left with %d: %v", code, p.fatal)
	case <-time.After(2 * time.Minute):
		p.t.Fatal("not drained")
	}
}

// wait waits until something holds of what the worker has sent.
func (p *parent) wait(holds func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		p.mu.Lock()
		ok := holds()
		p.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("it does not come (worker said %v)", p.fatal)
		}
		select {
		case <-p.news:
		case <-time.After(time.Second):
		}
	}
}

// bye ends the conversation and checks the exit code.
func (p *parent) bye() {
	p.t.Helper()
	p.send(&wire.Bye{})
	select {
	case code := <-p.exit:
		if code != wire.ExitDone {
			p.t.Fatalf("worker left with %d: %v", code, p.fatal)
		}
	case <-time.After(30 * time.Second):
		p.t.Fatal("the worker does not leave")
	}
	<-p.read
	_ = p.conn.Close()
}

// cutter cuts like the pipeline's: at the first video packet and then at the
// first one at least every ticks later, whatever its kind.
type cutter struct {
	every, next   int64
	segment       uint64
	discontinuity uint64
	begun         bool
	cuts          []wire.Cut
}

func (c *cutter) place(p *parent, pk *media.Packet) {
	p.t.Helper()
	leads := pk.Track.Kind == media.Video
	if leads && (!c.begun || pk.PTS >= c.next) {
		if !c.begun {
			c.segment = 1000
			c.discontinuity = 1000
		} else {
			c.segment++
		}
		c.begun, c.next = true, pk.PTS+c.every
		c.cut(p, pk)
	}
	p.packet(pk, c.segment, c.discontinuity)
}

func (c *cutter) cut(p *parent, pk *media.Packet) {
	p.t.Helper()
	if _, ok := p.sent[pk.Track.ID]; !ok {
		p.send(&wire.Track{Stream: pk.Track.ID, Track: *pk.Track})
		p.sent[pk.Track.ID] = pk.Track.Revision
	}
	m := wire.Cut{Segment: c.segment, Discontinuity: c.discontinuity, PTS: pk.PTS, ClockRate: pk.Track.ClockRate}
	c.cuts = append(c.cuts, m)
	p.send(&m)
}

// ladder is the graph of some heights, 16:9, and AAC.
func ladder(live bool, tracks []*media.Track, rungs ...wire.Picture) wire.Graph {
	var g wire.Graph
	link := func(ids ...string) {
		for i := 1; i < len(ids); i++ {
			g.Links = append(g.Links, wire.Link{From: ids[i-1], To: ids[i]})
		}
	}
	for _, t := range tracks {
		src, dec := "s"+t.Kind.String(), "d"+t.Kind.String()
		if t.Kind == media.Video && len(rungs) == 0 {
			continue
		}
		g.Nodes = append(g.Nodes, wire.Node{ID: src, Kind: wire.NodeSource, Track: t.ID},
			wire.Node{ID: dec, Kind: wire.NodeDecode, Decode: &wire.Decode{LowLatency: live}})
		link(src, dec)
		if t.Kind == media.Audio {
			g.Nodes = append(g.Nodes,
				wire.Node{ID: "sound", Kind: wire.NodeSound, Sound: &wire.Sound{SampleRate: 48000, Channels: 2}},
				wire.Node{ID: "aac", Kind: wire.NodeEncode, Encode: &wire.Encode{Codec: media.AAC, Bitrate: 128000}},
				wire.Node{ID: "audio", Kind: wire.NodeOutput, Rendition: "audio"})
			link(dec, "sound", "aac", "audio")
			continue
		}
		for i := range rungs {
			r := &rungs[i]
			name := rungName(*r)
			rate := t.FrameRate
			if r.FPS.Known() {
				rate = r.FPS
			}
			bits := r.Height * r.Height * 5
			g.Nodes = append(g.Nodes,
				wire.Node{ID: "p" + name, Kind: wire.NodePicture, Picture: r},
				wire.Node{ID: "e" + name, Kind: wire.NodeEncode, Encode: &wire.Encode{
					Codec: media.H264, Bitrate: bits, MaxBitrate: bits * 3 / 2, BufSize: bits * 2,
					Preset: "veryfast", LowLatency: live, FrameRate: rate,
				}},
				wire.Node{ID: name, Kind: wire.NodeOutput, Rendition: name})
			link(dec, "p"+name, "e"+name, name)
		}
	}
	return g
}

func rungName(p wire.Picture) string {
	if p.FPS.Known() {
		return "slow"
	}
	return map[int]string{720: "720p", 480: "480p", 360: "360p", 180: "180p", 96: "96p", 640: "640p"}[p.Height]
}
