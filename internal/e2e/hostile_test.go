package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// TestHostileClients does to a server what strangers do, while two good
// streams, one of them over UDP, go through without losing a frame.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams:
  - {path: "good/*", hold: 1s, hls: {window: 120s}}
  - {path: "*", hold: 0s}`)
	good := []publication{
		{path: "good/tcp", clip: "h264-b", length: 16 * time.Second, want: []string{copied, aacCopy}},
		{path: "good/udp", clip: "h264-pcma", length: 16 * time.Second, transport: "udp", want: []string{copied, aacCoded}},
	}
	publishers := make([]*tools.Process, len(good))
	recipes := make([]testmedia.Recipe, len(good))
	for i, p := range good {
		publishers[i], recipes[i] = p.start(t, s)
	}
	s.live("good/tcp", 1)
	before, err := tools.UsageOf(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	halves := map[string]net.Conn{}
	for what, half := range map[string]string{
		"half an ANNOUNCE":         "ANNOUNCE rtsp://x/half RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 500\r\n\r\nv=0\r\n",
		"half a line":              "DESCRIBE rtsp://x/go",
		"a client that is silent":  "",
		"half a request by HTTP":   "GET /hls/good/tcp/index.m3u8 HTTP/1.1\r\nHost: x\r\nX-",
		"a silent client by HTTP":  "",
		"half an interleaved unit": "$\x00\xff\xffabc",
	} {
		address := s.rtsp
		if strings.HasSuffix(what, "HTTP") {
			address = s.http
		}
		c := dial(t, address)
		if _, err := c.Write([]byte(half)); err != nil {
			t.Error(err)
		}
		halves[what] = c
	}
	silent := s.rtspWire(t, "silent")
	silent.record()

	noise, stop := context.WithCancel(t.Context())
	var sources sync.WaitGroup
	for i, target := range []string{s.rtsp, s.http} {
		sources.Go(func() { noiseTCP(noise, target, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	for i, target := range s.udp() {
		sources.Go(func() { noiseUDP(noise, target, rand.New(rand.NewPCG(2, uint64(i)))) })
	}
	refusals(t, s)
	for what, c := range halves {
		closedWithin(t, c, 15*time.Second, what)
	}
	closedWithin(t, silent, 15*time.Second, "a publisher that delivers nothing")
	s.eventually(5*time.Second, "its stream is over", s.inState("silent", status.Ended))
	for i, p := range good {
		p.wait(t, publishers[i], recipes[i].Duration)
	}
	stop()
	sources.Wait()
	for i, p := range good {
		t.Run(p.path, func(t *testing.T) { p.check(t, s, publishers[i], recipes[i]) })
	}
	s.eventually(20*time.Second, "no connection is left", func() error {
		after, err := tools.UsageOf(s.PID())
		if err == nil && sockets(after) > sockets(before) {
			err = fmt.Errorf("%d sockets, there were %d", sockets(after), sockets(before))
		}
		return err
	})
	if out := s.Output(); strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
		t.Errorf("the server says %s", out)
	}
}

// refusals sends requests that are whole and wrong.
func refusals(t *testing.T, s *server) {
	const head = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
	sdp := "Content-Type: application/sdp"
	for _, c := range []struct {
		name, path, body, header string
		want                     []string // in the status line
	}{
		{"no media", "a", head, sdp, []string{"400", "no media"}},
		{"only data", "b", head + "m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata/90000\r\n", sdp, []string{"415", "vnd.onvif.metadata"}},
		{"unknown codecs", "c", head + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 CINEPAK/90000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 QCELP/8000\r\n", sdp, []string{"415", "CINEPAK", "QCELP"}},
		{"no port, no codec", "d", head + "m=video\r\n", sdp, []string{"4"}},
		{"garbage", "e", strings.Repeat("\x00\xff=\r\n", 100), sdp, []string{"4"}},
		{"text", "f", "hello", "Content-Type: text/plain", []string{"4"}},
		{"nothing", "g", "", sdp, []string{"4"}},
		{"a path above", "../h", cameraSDP, sdp, []string{"4"}},
		{"a path of strange letters", "%00%2e%2e/h", cameraSDP, sdp, []string{"4"}},
		{"a path without end", strings.Repeat("deep/", 9) + "er", cameraSDP, sdp, []string{"4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.rtspWire(t, c.path)
			status, _ := w.ask("ANNOUNCE", "", c.body, c.header)
			for _, want := range c.want {
				if !strings.HasPrefix(status, "4") || !strings.Contains(status, want) {
					t.Errorf("answered %q, want %v", status, c.want)
				}
			}
			if _, err := s.stream(path.Clean("/" + c.path)[1:]); err == nil {
				t.Error("there is a stream of it")
			}
		})
	}
	t.Run("wrong order", func(t *testing.T) {
		for _, method := range []string{"RECORD", "PLAY", "PAUSE", "TEARDOWN", "SETUP", "NONSENSE"} {
			status, _ := s.rtspWire(t, "good/tcp").ask(method, "", "")
			if !strings.HasPrefix(status, "4") && !strings.HasPrefix(status, "5") {
				t.Errorf("%s was answered with %q", method, status)
			}
		}
	})
	t.Run("endless body", func(t *testing.T) {
		w := s.rtspWire(t, "endless")
		_, err := fmt.Fprintf(w, "ANNOUNCE %s RTSP/1.0\r\nCSeq: 1\r\n%s\r\nContent-Length: 4000000000\r\n\r\n", w.base, sdp)
		for err == nil { // until the server has had enough
			err = w.SetDeadline(time.Now().Add(5 * time.Second))
			if err == nil {
				_, err = w.Write(make([]byte, 64<<10))
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server neither reads nor ends it")
		}
	})
}

// udp returns the addresses of the server's UDP sockets.
func (s *server) udp() []string {
	s.t.Helper()
	u, err := tools.UsageOf(s.PID())
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, table := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		content, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6
		}
		for line := range strings.Lines(string(content)) {
			f := strings.Fields(line) // proc(5): number, local address, …, inode is the tenth
			if len(f) < 10 || !slices.Contains(u.Files, "socket:["+f[9]+"]") {
				continue
			}
			var port int
			if _, err := fmt.Sscanf(f[1][strings.LastIndexByte(f[1], ':')+1:], "%X", &port); err == nil {
				list = append(list, fmt.Sprintf("127.0.0.1:%d", port))
			}
		}
	}
	if len(list) < 2 {
		s.t.Errorf("the server has UDP sockets at %v", list)
	}
	return list
}

func sockets(u tools.Usage) int {
	n := 0
	for _, f := range u.Files {
		if strings.HasPrefix(f, "socket:") {
			n++
		}
	}
	return n
}

// seeds are beginnings of what servers understand.
var seeds = []string{
	"OPTIONS rtsp://x/good/tcp RTSP/1.0\r\nCSeq: 1\r\n\r\n",
	"DESCRIBE rtsp://x/good/tcp RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n",
	"ANNOUNCE rtsp://x/noise RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 263\r\n\r\n" + cameraSDP,
	"SETUP rtsp://x/good/tcp/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;client_port=1-2\r\n\r\n",
	"GET /hls/good/tcp/index.m3u8 HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /hls/good/tcp/360p/../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nRange: bytes=-1,0-,5-2\r\n\r\n",
	"POST /api/v1/streams/good/tcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	"$\x00\x00\x10abcdefghijklmnop$\x07\xff\xff",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

// garbled is random bytes, or a seed that was cut, changed or repeated.
func garbled(r *rand.Rand) []byte {
	if r.IntN(4) == 0 {
		b := make([]byte, 1+r.IntN(2000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	b := []byte(seeds[r.IntN(len(seeds))])
	switch r.IntN(3) {
	case 0:
		b = b[:r.IntN(len(b))+1]
	case 1:
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
	case 2:
		b = bytes.Repeat(b, 1+r.IntN(20))
	}
	return b
}

// noiseTCP opens one connection after the other, writes what is garbled, and
// leaves at once, after an answer, or not by itself.
func noiseTCP(ctx context.Context, address string, r *rand.Rand) {
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	d := net.Dialer{Timeout: time.Second}
	for tick := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			continue // the streams will tell
		}
		_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = c.Write(garbled(r))
		switch r.IntN(3) {
		case 0:
			_, _ = c.Read(make([]byte, 100))
			fallthrough
		case 1:
			c.Close()
		default:
			if open = append(open, c); len(open) > 50 {
				open[0].Close()
				open = open[1:]
			}
		}
	}
}

// noiseUDP sends datagrams that look like RTP and RTCP, and others.
func noiseUDP(ctx context.Context, address string, r *rand.Rand) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", address)
	if err != nil {
		return
	}
	defer c.Close()
	for tick := time.NewTicker(2 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		b := garbled(r)
		if r.IntN(2) == 0 {
			b = append([]byte{0x80, []byte{96, 97, 8, 200, 201, 203}[r.IntN(6)], byte(r.Uint32()), byte(r.Uint32())}, b...)
		}
		_, _ = c.Write(b) // nobody may be there any more
	}
}
