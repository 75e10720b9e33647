package srt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datarhei/gosrt"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeGate is the smallest Manager.
type fakeGate struct {
	may  func(ingest.Request) error // nil: everybody
	late func(ingest.Request) error // what Publish says; nil: yes
	opts ingest.StreamOptions

	mu      sync.Mutex
	streams map[string]*ingest.Stream
}

func (g *fakeGate) MayPublish(r ingest.Request) error {
	if g.may == nil {
		return nil
	}
	return g.may(r)
}

func (g *fakeGate) Publish(_ context.Context, r ingest.Request, tracks []*media.Track) (*ingest.Publisher, error) {
	if g.late != nil {
		if err := g.late(r); err != nil {
			return nil, err
		}
	}
	g.mu.Lock()
	s := g.streams[r.Path]
	if s == nil {
		s = ingest.NewStream(r.Path, g.opts)
		if g.streams == nil {
			g.streams = map[string]*ingest.Stream{}
		}
		g.streams[r.Path] = s
	}
	g.mu.Unlock()
	return s.Attach(ingest.PublisherInfo{Protocol: r.Protocol, Remote: r.Remote, SharedClock: r.SharedClock}, tracks)
}

func (g *fakeGate) stream(path string) *ingest.Stream {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.streams[path]
}

// journal is a log that tests read.
type journal struct {
	t     testing.TB
	mu    sync.Mutex
	lines []string
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(b))
	j.t.Logf("%s", b[:len(b)-1])
	return len(b), nil
}

// sees waits until a line matches.
func (j *journal) sees(pattern string) {
	j.t.Helper()
	re := regexp.MustCompile(pattern)
	tools.Eventually(j.t, 20*time.Second, "the log says "+pattern, func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		for _, line := range j.lines {
			if re.MatchString(line) {
				return true
			}
		}
		return false
	})
}

func startServer(t *testing.T, gate *fakeGate, cfg Config) (*journal, string) {
	t.Helper()
	j := &journal{t: t}
	cfg.Listen, cfg.Logger = "127.0.0.1:0", slog.New(slog.NewTextHandler(j, nil))
	s, err := New(cfg, gate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		gate.mu.Lock()
		defer gate.mu.Unlock()
		for _, stream := range gate.streams {
			stream.Close(nil)
		}
	})
	return j, s.Addr().String()
}

func waitState(t *testing.T, gate *fakeGate, path string, want ingest.State) *ingest.Stream {
	t.Helper()
	tools.Eventually(t, 20*time.Second, fmt.Sprintf("%s is %s", path, want), func() bool {
		s := gate.stream(path)
		return s != nil && s.State() == want
	})
	return gate.stream(path)
}

// ffmpeg publishes, is told to go by the gate, and comes back.
func TestFFmpeg(t *testing.T) {
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: time.Minute}}
	j, address := startServer(t, gate, Config{})
	clip, _ := tools.Clip(t, "h264-b", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	publish := func() *tools.Process {
		return tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: "srt://" + address + "?streamid=publish:live/cam:s3cret", Loop: true})
	}
	first := publish()
	s := waitState(t, gate, "live/cam", ingest.Live)
	if tracks := s.Tracks(); len(tracks) != 2 || tracks[0].Codec != media.H264 || tracks[0].Width != 640 || tracks[1].Codec != media.AAC {
		t.Fatalf("tracks %v", tracks)
	}
	sub := s.Subscribe(media.SubscribeOptions{Name: "test", Backlog: true})
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	last, uneven := map[int]*media.Packet{}, 0
	for n := 0; n < 120; n++ {
		p, err := sub.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if before := last[p.Track.ID]; before != nil && p.Track.Kind == media.Audio && p.DTS-before.DTS != 1024 {
			uneven++
		}
		last[p.Track.ID] = p
	}
	if uneven > 1 { // one may be where the clip begins again
		t.Errorf("%d audio frames are not a frame behind the one before", uneven)
	}
	s.Publisher().Kick(errors.New("enough"))
	j.sees(`publisher left.*live/cam.*reason=enough`)
	if !first.Ends(20 * time.Second) {
		t.Error("ffmpeg was not told")
	}
	second := publish()
	waitState(t, gate, "live/cam", ingest.Live)
	second.Kill()
	waitState(t, gate, "live/cam", ingest.Lost)
}

// What the gate says in the handshake refuses ffmpeg, and stands in the log in
// words.
func TestRefused(t *testing.T) {
	gate := &fakeGate{may: func(r ingest.Request) error {
		switch {
		case r.Path == "busy":
			return ingest.ErrBusy
		case r.Query.Get("key") != "s3cret" || r.Protocol != "srt" || r.Remote == nil:
			return fmt.Errorf("%w: wrong key for %s", ingest.ErrUnauthorized, r.Path)
		}
		return nil
	}}
	j, address := startServer(t, gate, Config{})
	for _, c := range []struct{ id, passphrase, line string }{
		{"publish:cam:guess", "", "wrong key for cam"},
		{"publish:busy", "", "already has a publisher"},
		{"publish:../x", "", `bad stream path`},
		{"", "", "no streamid"},
		{"cam", "", "unknown streamid"},
		{"read:cam", "", "reading over SRT"},
		{"#!::r=cam,m=request", "", "reading over SRT"},
		{"publish:cam:s3cret", "a long passphrase", "encrypted"},
	} {
		if got := dial(t, address, c.id, c.passphrase); !strings.Contains(got, "REJECT reported") {
			t.Errorf("%q: %s", c.id, got)
		}
		j.sees("publisher refused.*" + c.line)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, "guess") || strings.Contains(line, "s3cret") {
			t.Errorf("the log tells a key: %s", line)
		}
	}
}

// dial tells how a handshake was refused.
func dial(t *testing.T, address, id, passphrase string) string {
	t.Helper()
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	target := "srt://" + address + "?streamid=" + url.QueryEscape(id)
	if passphrase != "" {
		target += "&passphrase=" + url.QueryEscape(passphrase)
	}
	p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: target})
	if p.Wait() == nil {
		return "it was let in"
	}
	return p.Output()
}

func TestStreamID(t *testing.T) {
	for _, c := range []struct {
		id   string
		want wish
		code srt.RejectionReason
	}{
		{"publish:live/cam", wish{path: "live/cam"}, 0},
		{"publish:/live/cam/:a:b", wish{path: "live/cam", key: "a:b"}, 0},
		{"#!::m=publish,r=live/cam,u=me,s=s3cret", wish{path: "live/cam", user: "me", key: "s3cret"}, 0},
		{"#!::r=cam", wish{}, srt.REJX_BAD_MODE},
		{"#!::r=cam,m=bidirectional", wish{}, srt.REJX_BAD_REQUEST},
		{"request:cam", wish{}, srt.REJX_BAD_MODE},
		{"publish:", wish{}, srt.REJX_BAD_REQUEST},
		{"cam", wish{}, srt.REJX_BAD_REQUEST},
		{"", wish{}, srt.REJX_BAD_REQUEST},
	} {
		got, err := parseStreamID(c.id)
		switch {
		case c.code == 0 && (err != nil || got != c.want):
			t.Errorf("%q: %+v, %v", c.id, got, err)
		case c.code != 0 && (err == nil || reasonOf(err) != c.code):
			t.Errorf("%q: %v", c.id, err)
		}
	}
	for err, code := range map[error]srt.RejectionReason{
		ingest.ErrUnauthorized: 1401, ingest.ErrForbidden: 1403, ingest.ErrBusy: 1407, ingest.ErrOverloaded: 1402,
		ingest.ErrUnavailable: 1503, errEncrypted: 1011, errors.New("else"): 1500,
	} {
		if got := reasonOf(fmt.Errorf("%w: because", err)); got != code {
			t.Errorf("%v: %d, want %d", err, got, code)
		}
	}
}

// What is refused when the tracks are known, and what delivers none, is
// disconnected.
func TestRefusedLater(t *testing.T) {
	gate := &fakeGate{late: func(ingest.Request) error { return fmt.Errorf("%w: the app says no", ingest.ErrForbidden) }}
	j, address := startServer(t, gate, Config{})
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: "srt://" + address + "?streamid=publish:cam", Loop: true})
	j.sees(`publisher refused.*cam.*the app says no`)
	if !p.Ends(20 * time.Second) {
		t.Error("ffmpeg was not told")
	}
	j, address = startServer(t, gate, Config{ReadTimeout: time.Second})
	silent := tools.Start(t, tools.Command{Path: tools.Find(t, "ffmpeg"), Args: []string{
		"-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "sine", "-c:a", "pcm_u8", "-f", "u8", "srt://" + address + "?streamid=publish:noise",
	}})
	j.sees(`publisher refused.*noise.*nothing that can be used has come for 1s`)
	if !silent.Ends(20 * time.Second) {
		t.Error("ffmpeg was not told")
	}
}

// Datagrams of strangers harm nobody.
func TestGarbage(t *testing.T) {
	gate := &fakeGate{}
	_, address := startServer(t, gate, Config{})
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it is to be the same each time
	for n := range 2000 {
		b := make([]byte, random.IntN(1400))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if n%2 == 0 && len(b) >= 16 { // control packets to the listener: handshakes and what is like them
			copy(b, []byte{0x80, byte(n % 8), 0, 0})
			clear(b[12:16])
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 4 * time.Second })
	tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: "srt://" + address + "?streamid=publish:cam", Loop: true})
	waitState(t, gate, "cam", ingest.Live)
}

// A port has one server.
func TestPortTaken(t *testing.T) {
	_, address := startServer(t, &fakeGate{}, Config{})
	if s, err := New(Config{Listen: address}, &fakeGate{}); err == nil {
		s.Close()
		t.Error("two servers share a port")
	}
}
