package stream

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/transcode/wire"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

var (
	avcConfig, _ = hex.DecodeString("0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b9201000468cb83cb20")
	video        = media.Track{
		Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig, Width: 320, Height: 180,
		FrameRate: media.Rational{Num: 25, Den: 1}, BitDepth: 8, Chroma: "4:2:0",
	}
)

// parent is the server's side of one script.
type parent struct {
	t    *testing.T
	file string
	conn net.Conn
	out  *wire.Writer
	in   *wire.Reader
	code chan int
	next time.Duration // of the picture
}

// perform runs a script in this process; there is no engine.
func perform(t *testing.T, text string, change ...func(*wire.ScriptJob)) *parent {
	t.Helper()
	if len(builtin.Modules()) == 0 {
		t.Fatal(builtin.ErrNotBuilt)
	}
	file := filepath.Join(t.TempDir(), "front.js")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs := pair(t)
	p := &parent{t: t, file: file, conn: ours, out: wire.NewWriter(ours), in: wire.NewReader(ours, wire.FromWorker), code: make(chan int, 1)}
	go func() {
		p.code <- Serve(context.Background(), &wire.Config{Role: wire.RoleScript, Name: "cam"}, theirs, World{})
		_ = theirs.Close()
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		select {
		case <-p.code:
		case <-time.After(20 * time.Second):
			t.Error("the worker does not end")
		}
	})
	if _, ok := p.read().(*wire.Hello); !ok {
		t.Fatal("no hello")
	}
	low := true
	job := &wire.ScriptJob{
		Name: "cam", Script: file, Tracks: []media.Track{video}, Live: true, Policy: `{"Mode":"auto","Live":true}`,
		HLS: wire.HLS{Segment: int64(2 * time.Second), LowLatency: &low}, Origin: time.Now().UnixNano(),
		Env: map[string]string{"KEY": "value"},
	}
	for _, f := range change {
		f(job)
	}
	p.send(job)
	p.send(&wire.Track{Track: video})
	return p
}

func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return ends[0], ends[1]
}

func (p *parent) send(m wire.Message) {
	p.t.Helper()
	if err := p.out.Write(m); err != nil && !errors.Is(err, syscall.EPIPE) {
		p.t.Fatal(err)
	}
}

func (p *parent) read() wire.Message {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	m, err := p.in.Read()
	if err != nil {
		p.t.Fatalf("the worker says nothing more: %v", err)
	}
	return m
}

// await reads until a message of a type comes; an Error that is not awaited
// fails the test.
func await[M wire.Message](p *parent, is func(M) bool) M {
	p.t.Helper()
	for {
		m := p.read()
		if wanted, ok := m.(M); ok && (is == nil || is(wanted)) {
			return wanted
		}
		if said, ok := m.(*wire.Error); ok {
			p.t.Fatalf("the script failed: %v", said)
		}
	}
}

// failed waits for the script's error, and holds it to the place (":4:7") and a
// part of its words.
func (p *parent) failed(place, words string) {
	p.t.Helper()
	said := await[*wire.Error](p, nil)
	if said.Class != wire.ClassScript || !strings.Contains(said.Error(), words) {
		p.t.Errorf("error %q (%s), want one with %q", said, said.Class, words)
	}
	if place != "" && !strings.Contains(said.Error(), p.file+place) {
		p.t.Errorf("error %q, want one at %s", said, place)
	}
	if _, err := p.in.Read(); err == nil || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		p.t.Errorf("after the error: %v", err)
	}
	code := <-p.code
	p.code <- code
	if code != wire.ExitScript {
		p.t.Errorf("exit code %d", code)
	}
}

// picture sends pictures up to a media time, 25 a second, a keyframe each
// second.
func (p *parent) pictures(to time.Duration) {
	p.t.Helper()
	for ; p.next < to; p.next += 40 * time.Millisecond {
		pts := media.Ticks(p.next, video.ClockRate)
		p.send(&wire.Packet{Placed: media.Placed{Packet: &media.Packet{
			PTS: pts, DTS: pts, Duration: 3600, Key: p.next%time.Second == 0, Payload: []byte("picture"), Arrival: p.next,
		}}})
	}
}
