package transcode

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// TestMain lets the test binary be its own worker: started as "TEST worker
// MODE" it behaves well or badly, as MODE says.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		syscall.Exit(fakeWorker(os.Args[2])) // os.Exit sleeps a second under -race
	}
	if len(os.Args) > 2 && os.Args[1] == "parent" {
		syscall.Exit(fakeParent(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// fakeParent starts a session, prints the worker's process ID and waits to be
// killed.
func fakeParent(mode string) int {
	plan, err := NewPlan([]*media.Track{h264(640, 360)}, Policy{Live: true, GOPTooLong: true})
	if err != nil {
		return 1
	}
	s, err := NewSupervisor(Options{Command: worker(mode)})
	if err != nil {
		return 1
	}
	session, err := s.Start(context.Background(), Job{Name: "test", Plan: plan, Output: newSink()})
	if err != nil {
		return 1
	}
	fmt.Println(session.Stats().PID)
	time.Sleep(time.Hour)
	return 0
}

// worker is the command of a fake worker.
func worker(mode string) []string { return []string{os.Args[0], "worker", mode} }

type fake struct {
	mode, arg string
	conn      net.Conn
	in        *wire.Reader

	mu  sync.Mutex
	out *wire.Writer

	outputs map[string]media.Kind
	tracks  map[int]*media.Track
	streams map[string]int
	from    uint64
	cut     *wire.Cut
	fresh   map[string]bool // renditions whose next packet starts a segment
	seen    int             // packets
	off     map[string]bool
}

func fakeWorker(mode string) int {
	mode, arg, _ := strings.Cut(mode, "=")
	if len(os.Environ()) != 0 {
		fmt.Fprintln(os.Stderr, "a worker with an environment", os.Environ())
		return wire.ExitUsage
	}
	if mode == "exit" {
		code, _ := strconv.Atoi(arg)
		return code
	}
	lifeline := wire.NewReader(os.NewFile(wire.LifelineFD, "lifeline"), wire.FromLifeline)
	if _, err := lifeline.Read(); err != nil {
		fmt.Fprintln(os.Stderr, "lifeline:", err)
		return wire.ExitUsage
	}
	go func() {
		_, _ = lifeline.Read()
		if mode != "deaf" {
			syscall.Exit(wire.ExitOrphan)
		}
	}()
	file := os.NewFile(wire.SocketFD, "socket")
	conn, err := net.FileConn(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "socket:", err)
		return wire.ExitUsage
	}
	_ = file.Close()
	f := &fake{
		mode: mode, arg: arg, conn: conn, in: wire.NewReader(conn, wire.FromParent), out: wire.NewWriter(conn),
		outputs: make(map[string]media.Kind), tracks: make(map[int]*media.Track), streams: make(map[string]int),
		fresh: make(map[string]bool), off: make(map[string]bool),
	}
	return f.run()
}

// blurt writes bytes that are no frames.
func (f *fake) blurt(b []byte) { _, _ = f.conn.Write(b) }

func (f *fake) send(m wire.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.out.Write(m); err != nil {
		syscall.Exit(wire.ExitInternal)
	}
}

func (f *fake) run() int {
	switch f.mode {
	case "never":
		time.Sleep(time.Hour)
	case "nonsense":
		f.blurt([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		time.Sleep(time.Hour)
	case "version":
		f.blurt([]byte("MRWP\x00\x63\x00\x00"))
		time.Sleep(time.Hour)
	case "rude":
		f.send(&wire.Drained{})
		time.Sleep(time.Hour)
	case "unable":
		f.send(&wire.Error{Class: wire.ClassUnsupported, Message: "no x264 here"})
		return wire.ExitUnsupported
	case "stuck":
		f.send(&wire.Error{Class: wire.ClassMemory, Message: "no memory"})
		time.Sleep(time.Hour)
	case "hangup":
		_ = f.conn.Close()
		time.Sleep(time.Hour)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	}
	f.send(&wire.Hello{PID: os.Getpid(), FFmpeg: "fake"})
	switch f.mode {
	case "hang", "deaf":
		time.Sleep(time.Hour)
	case "garbage":
		b := make([]byte, 4096)
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		f.blurt(b)
		time.Sleep(time.Hour)
	case "loglines":
		for {
			f.send(&wire.Log{Message: strings.Repeat("line ", 100)})
		}
	case "noise":
		for range 100_000 {
			fmt.Fprintln(os.Stderr, "noise noise noise noise noise noise")
		}
		panic("enough")
	case "fat":
		fat := make([]byte, 150<<20)
		for i := range fat {
			fat[i] = byte(i)
		}
		time.Sleep(time.Hour)
	case "late":
		go func() {
			time.Sleep(50 * time.Millisecond)
			_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		}()
	}
	for {
		m, err := f.in.Read()
		if err != nil {
			return wire.ExitDone
		}
		if code, leave := f.take(m); leave {
			return code
		}
	}
}

func (f *fake) take(m wire.Message) (code int, leave bool) {
	if f.mode == "script" {
		return f.script(m)
	}
	switch m := m.(type) {
	case *wire.Job:
		f.from = m.From
		for _, n := range m.Graph.Nodes {
			switch {
			case n.Picture != nil:
				f.outputs[strings.TrimPrefix(n.ID, "picture-")] = media.Video
			case n.Sound != nil:
				f.outputs[strings.TrimPrefix(n.ID, "sound-")] = media.Audio
			}
		}
	case *wire.Tune:
		clear(f.off)
		for _, name := range m.Off {
			f.off[name] = true
		}
		if len(m.Off) > 0 || m.Preset != "" || m.FrameDivisor > 0 {
			f.send(&wire.Log{Level: 0, Message: fmt.Sprintf("tuned %s %v %d", m.Preset, m.Off, m.FrameDivisor)})
		}
	case *wire.Cut:
		f.cut = m
		for name := range f.outputs {
			f.fresh[name] = true
		}
	case *wire.Track:
		f.tracks[m.Stream] = &m.Track
	case *wire.Packet:
		return f.packet(m)
	case *wire.Drain:
		f.send(&wire.Stats{PacketsIn: uint64(f.seen), DecodeBusy: int64(time.Millisecond)})
		if f.mode != "undrained" {
			f.send(&wire.Drained{})
		}
	case *wire.Bye:
		return wire.ExitDone, true
	case *wire.Probe:
		return f.probe(m)
	case *wire.Open:
		return f.demux(m)
	case *wire.Thumbnail:
		return f.thumbnail(m)
	}
	return 0, false
}

// packet codes by echoing.
func (f *fake) packet(p *wire.Packet) (code int, leave bool) {
	f.seen++
	if strings.HasPrefix(string(p.Payload), "poison") {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		time.Sleep(time.Hour)
	}
	switch f.mode {
	case "after":
		n, _ := strconv.Atoi(f.arg)
		if f.seen == n {
			panic("after all")
		}
	case "refuse":
		if f.seen == 5 {
			f.send(&wire.Error{Class: wire.ClassInput, Node: "decode-0", Message: "no picture in it"})
			return wire.ExitInput, true
		}
	case "mute":
		return 0, false
	case "slow":
		time.Sleep(20 * time.Millisecond)
	}
	t := f.tracks[p.Stream]
	if f.cut == nil || f.cut.Discontinuity < f.from || t == nil {
		return 0, false
	}
	for name, kind := range f.outputs {
		if kind == t.Kind && !f.off[name] {
			f.echo(name, t, p)
		}
	}
	return 0, false
}

func (f *fake) echo(name string, t *media.Track, p *wire.Packet) {
	stream, ok := f.streams[name]
	if !ok {
		stream = len(f.streams) + 1
		f.streams[name] = stream
		coded := media.Track{ID: stream, Kind: t.Kind, Codec: media.H264, ClockRate: t.ClockRate, Config: []byte("config"), Width: 640, Height: 360}
		if t.Kind == media.Audio {
			coded.Codec, coded.SampleRate, coded.Channels = media.AAC, t.ClockRate, 2
		}
		rendition := name
		if f.mode == "stranger" {
			rendition = "4320p"
		}
		f.send(&wire.Track{Stream: stream, Rendition: rendition, Track: coded})
	}
	out := &wire.Packet{Stream: stream, Placed: media.Placed{
		Packet: &media.Packet{
			PTS: p.PTS, DTS: p.DTS, Duration: p.Duration, Key: f.fresh[name] || t.Kind == media.Audio,
			Payload: []byte(name + " " + strconv.Itoa(os.Getpid())), Arrival: p.Arrival,
		},
		Segment: f.cut.Segment, Discontinuity: f.cut.Discontinuity,
	}}
	f.fresh[name] = false
	switch f.mode {
	case "prophet":
		out.PTS += 1 << 40
	case "backwards":
		out.DTS = max(0, 1_000_000-p.DTS)
	case "uncut":
		out.Segment += 1000
	case "flood":
		out.Payload = make([]byte, 1<<20)
		for {
			f.send(out)
		}
	case "unannounced":
		out.Stream += 100
	}
	f.send(out)
}

func (f *fake) probe(m *wire.Probe) (int, bool) {
	switch m.URL {
	case "broken.mp4":
		f.send(&wire.Error{Class: wire.ClassInput, Message: "no such file: broken.mp4"})
		return wire.ExitInput, true
	case "hang":
		time.Sleep(time.Hour)
	case "odd":
		f.send(&wire.Image{JPEG: []byte("no probe")})
		time.Sleep(time.Hour)
	}
	f.send(&wire.Log{Message: "probing"})
	f.send(&wire.Probed{Info: wire.Info{Container: "fake", Duration: 2, Streams: []wire.StreamInfo{{Kind: "video", Codec: media.H264, Usable: true}}}})
	return 0, false
}

func (f *fake) demux(m *wire.Open) (int, bool) {
	if m.URL == "broken.mp4" {
		f.send(&wire.Error{Class: wire.ClassInput, Message: "no such file: broken.mp4"})
		return wire.ExitInput, true
	}
	f.send(&wire.Opened{Info: wire.Info{Container: "fake"}})
	if m.URL == "subtitles" {
		f.send(&wire.Bye{})
		return 0, false
	}
	f.send(&wire.Track{Stream: 1, Track: *aac()})
	f.send(&wire.Track{Stream: 0, Track: *h264(640, 360)})
	if m.URL == "empty" {
		f.send(&wire.Bye{})
		return 0, false
	}
	for i := range 100 {
		p := &wire.Packet{Placed: media.Placed{Packet: &media.Packet{PTS: int64(i) * 3000, DTS: int64(i) * 3000, Key: i%10 == 0, Payload: []byte{byte(i)}}}}
		f.send(p)
		if m.URL == "truncated" && i == 50 {
			f.send(&wire.Error{Class: wire.ClassInput, Message: "the file ends in the middle"})
			return wire.ExitInput, true
		}
		if m.URL == "crash" && i == 50 {
			panic("demuxer")
		}
	}
	f.send(&wire.Bye{})
	return 0, false
}

func (f *fake) thumbnail(m *wire.Thumbnail) (int, bool) {
	switch string(m.Payload) {
	case "crash":
		panic("decoder")
	case "broken":
		f.send(&wire.Image{ID: m.ID, Error: "no picture in it"})
		return 0, false
	case "no jpeg":
		f.send(&wire.Image{ID: m.ID, JPEG: []byte("GIF89a")})
		return 0, false
	case "other":
		f.send(&wire.Image{ID: m.ID + 1, JPEG: []byte{0xff, 0xd8, 0, 0}})
		return 0, false
	case "slow":
		time.Sleep(300 * time.Millisecond)
	}
	f.send(&wire.Image{ID: m.ID, JPEG: append([]byte{0xff, 0xd8}, fmt.Sprintf("%d %d", os.Getpid(), m.Width)...)})
	return 0, false
}
