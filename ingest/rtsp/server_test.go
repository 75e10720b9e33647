package rtsp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// clip makes packets of a track that need no encoder: pictures that are valid
// NAL units, though nothing a decoder would show.
type clip struct {
	track *media.Track
	n     int64
}

func newClip(t testing.TB) *clip {
	t.Helper()
	list, _, err := parseSDP(t, []byte(cameraSDP))
	if err != nil {
		t.Fatal(err)
	}
	return &clip{track: list[0].track}
}

func (c *clip) next(size int) *media.Packet {
	key := c.n%25 == 0
	payload := make([]byte, 4+size)
	payload[2], payload[3] = byte(size>>8), byte(size)
	payload[4], payload[5] = 0x41, 0x9a
	if key {
		payload[4], payload[5] = 0x65, 0x88
	}
	for i := 6; i < len(payload); i++ {
		payload[i] = byte(i) | 1
	}
	p := &media.Packet{Track: c.track, PTS: c.n * 3600, DTS: c.n * 3600, Key: key, Payload: payload}
	c.n++
	return p
}

// push publishes a clip's packets as fast as told to.
func push(t testing.TB, url string, c *clip) *Pusher {
	t.Helper()
	p, err := Push(context.Background(), PushConfig{URL: url}, []*media.Track{c.track})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPushAndRead(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
			_, url := startServer(t, Config{}, gate)
			c := newClip(t)
			p, err := Push(context.Background(), PushConfig{URL: url + "/a/b", Transport: transport}, []*media.Track{c.track})
			if err != nil {
				t.Fatal(err)
			}
			sizes := []int{100, 1400, 1449, 1450, 1451, 2896, 2897, 5000, 40000, 2}
			s := gate.stream("a/b")
			sub := s.Subscribe(media.SubscribeOptions{})
			defer sub.Close()
			var sent []*media.Packet
			for i := range 60 {
				pkt := c.next(sizes[i%len(sizes)])
				sent = append(sent, pkt)
				if err := p.Write(pkt); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Millisecond)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			for i, want := range sent {
				got, err := sub.Next(ctx)
				if err != nil {
					t.Fatalf("packet %d: %v", i, err)
				}
				if !bytes.Equal(got.Payload, want.Payload) || got.Key != want.Key || got.PTS-want.PTS != 90000 {
					t.Fatalf("packet %d: %d bytes, key %v, PTS %d; want %d, %v, %d", i, len(got.Payload), got.Key, got.PTS, len(want.Payload), want.Key, want.PTS+90000)
				}
			}
		})
	}
}

func TestPassword(t *testing.T) {
	const user, password = "cam", "pa:ss/w@rd"
	gate := &fakeGate{check: func(r ingest.Request) error {
		switch {
		case r.Query.Get("key") == "k1":
			return nil
		case r.Verify == nil:
			return ingest.ErrUnauthorized
		case r.User == user && r.Verify(r.User, "wrong") || !r.Verify(r.User, password):
			return ingest.ErrUnauthorized
		}
		return nil
	}}
	_, url := startServer(t, Config{}, gate)
	at := func(cred, path string) string { return strings.Replace(url, "://", "://"+cred, 1) + path }
	c := newClip(t)
	publish := func(url string) error {
		p, err := Push(context.Background(), PushConfig{URL: url}, []*media.Track{c.track})
		if err == nil {
			err = p.Close()
		}
		return err
	}
	for _, good := range []string{at("cam:pa%3Ass%2Fw%40rd@", "/x1"), at("", "/x2?key=k1")} {
		if err := publish(good); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, bad := range []string{at("", "/x"), at("cam:no@", "/x"), at("x:pa%3Ass%2Fw%40rd1@", "/x"), at("", "/x?key=k2")} {
		err := publish(bad)
		if err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("%v", err)
		}
		if err != nil && strings.Contains(err.Error(), "no@") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}

	// by hand: what is offered, that the connection stays, and Basic
	conn := dial(t, url)
	res := conn.ask("DESCRIBE "+url+"/x RTSP/1.0", "CSeq: 1")
	if !strings.HasPrefix(res, "RTSP/1.0 401") || !strings.Contains(res, "Digest realm=\"millrace\"") || !strings.Contains(res, "Basic realm") {
		t.Errorf("%s", res)
	}
	res = conn.ask("DESCRIBE "+url+"/x RTSP/1.0", "CSeq: 2", "Authorization: Basic Y2FtOnBhOnNzL3dAcmQ=")
	if !strings.HasPrefix(res, "RTSP/1.0 404") {
		t.Errorf("with the right password: %s", res)
	}
	for i := range maxFailures {
		res = conn.ask("DESCRIBE "+url+"/y RTSP/1.0", fmt.Sprintf("CSeq: %d", 3+i), "Authorization: Basic Y2FtOm5v")
		if !strings.HasPrefix(res, "RTSP/1.0 401") {
			t.Errorf("wrong password: %s", res)
		}
	}
	if _, err := conn.r.ReadByte(); err == nil {
		t.Error("the connection may guess on")
	}
}

// wire is an RTSP connection by hand.
type wire struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, url string) *wire {
	t.Helper()
	w := connect(t, url)
	t.Cleanup(func() { w.c.Close() })
	return w
}

// connect is dial for those that close the connection themselves.
func connect(t testing.TB, url string) *wire {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(context.Background(), "tcp", strings.TrimPrefix(url, "rtsp://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{t, c, bufio.NewReader(c)}
}

func (w *wire) ask(lines ...string) string {
	w.t.Helper()
	return w.askBody("", lines...)
}

func (w *wire) askBody(body string, lines ...string) string {
	w.t.Helper()
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if _, err := io.WriteString(w.c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		w.t.Fatal(err)
	}
	var res strings.Builder
	n := 0
	for {
		line, err := w.r.ReadString('\n')
		if err != nil {
			w.t.Fatalf("after %q: %v", res.String(), err)
		}
		res.WriteString(line)
		_, _ = fmt.Sscanf(line, "Content-Length: %d", &n)
		if line == "\r\n" {
			break
		}
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(w.r, b); err != nil {
		w.t.Fatal(err)
	}
	return res.String() + string(b)
}

func (w *wire) announce(url, sdp string) string {
	w.t.Helper()
	return w.askBody(sdp, "ANNOUNCE "+url+" RTSP/1.0", "CSeq: 1", "Content-Type: application/sdp")
}

func TestRefusals(t *testing.T) {
	gate := &fakeGate{}
	_, url := startServer(t, Config{Transports: []string{UDP}}, gate)
	for _, c := range []struct{ path, sdp, status, says string }{
		{"/a/../b", cameraSDP, "400", "bad stream path"},
		{"/a%20b", cameraSDP, "400", "bad stream path"},
		{"", cameraSDP, "400", "empty"},
		{"/cam", "v=0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:x\r\n", "415", "M-JPEG"},
		{"/cam", "v=0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 97\r\na=control:x\r\n", "415", "audio (media 1 is invalid: clock rate not found)"},
		{"/cam", "v=0\r\ns=x\r\nt=0 0\r\n", "400", "no media streams"},
		{"/cam", "nonsense", "400", "SDP cannot be read"},
	} {
		res := dial(t, url).announce(url+c.path, c.sdp)
		if !strings.HasPrefix(res, "RTSP/1.0 "+c.status) || !strings.Contains(strings.SplitN(res, "\r\n", 2)[0], c.says) {
			t.Errorf("%s: %s", c.path, res)
		}
	}
	res := dial(t, url).ask("DESCRIBE "+url+"/none RTSP/1.0", "CSeq: 1")
	if !strings.HasPrefix(res, "RTSP/1.0 404") || !strings.Contains(res, "no such stream") || !strings.Contains(res, "Server: millrace") {
		t.Errorf("%s", res)
	}
	c := newClip(t)
	if _, err := Push(context.Background(), PushConfig{URL: url + "/cam"}, []*media.Track{c.track}); err == nil || !strings.Contains(err.Error(), "461") {
		t.Errorf("TCP is off: %v", err)
	}
}

func TestBusyAndTakeover(t *testing.T) {
	for _, takeover := range []bool{false, true} {
		t.Run(fmt.Sprint(takeover), func(t *testing.T) {
			gate := &fakeGate{opts: ingest.StreamOptions{Takeover: takeover, Hold: -1}}
			_, url := startServer(t, Config{}, gate)
			c := newClip(t)
			first := push(t, url+"/cam", c)
			defer first.Close()
			if err := first.Write(c.next(100)); err != nil {
				t.Fatal(err)
			}
			waitState(t, gate, "cam", ingest.Live)
			second, err := Push(context.Background(), PushConfig{URL: url + "/cam"}, []*media.Track{c.track})
			if !takeover {
				if err == nil || !strings.Contains(err.Error(), "453") || !strings.Contains(err.Error(), "already has a publisher (rtsp from 127.0.0.1") {
					t.Errorf("second publisher: %v", err)
				}
				if err := first.Write(c.next(100)); err != nil {
					t.Errorf("the first was disturbed: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			waitGone(t, first)
			if err := second.Write(newClip(t).next(100)); err != nil {
				t.Fatal(err)
			}
			waitState(t, gate, "cam", ingest.Live)
		})
	}
}

// waitGone waits until the server has closed a publisher's connection.
func waitGone(t *testing.T, p *Pusher) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.c.Wait() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the connection is still open")
	}
}

func TestKickIsPrompt(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
			_, url := startServer(t, Config{}, gate)
			c := newClip(t)
			p, err := Push(context.Background(), PushConfig{URL: url + "/cam", Transport: transport}, []*media.Track{c.track})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_ = p.Write(c.next(100))
			s := waitState(t, gate, "cam", ingest.Live)
			begun := time.Now()
			s.Publisher().Kick(errors.New("by the operator"))
			waitGone(t, p)
			if d := time.Since(begun); d > time.Second {
				t.Errorf("it took %v", d)
			}
			waitState(t, gate, "cam", ingest.Lost)
		})
	}
}

// A publisher that keeps its connection but delivers nothing has to go, and
// so has one that announces and never records.
func TestSilentPublisher(t *testing.T) {
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
	_, url := startServer(t, Config{ReadTimeout: 300 * time.Millisecond}, gate)
	for _, transport := range []string{TCP, UDP} {
		c := newClip(t)
		p, err := Push(context.Background(), PushConfig{URL: url + "/" + transport, Transport: transport}, []*media.Track{c.track})
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Write(c.next(100))
		stop := make(chan struct{})
		go func() { // sender reports are no media
			defer close(stop)
			for p.c.WritePacketRTCP(p.desc.session.Medias[0], p.desc.senders[0].report(1, time.Now(), 0)) == nil {
				time.Sleep(50 * time.Millisecond)
			}
		}()
		waitGone(t, p)
		<-stop
		p.Close()
		if s := waitState(t, gate, transport, ingest.Lost); !errors.Is(s.Reason(), errSilent) {
			t.Errorf("%s: %v", transport, s.Reason())
		}
	}
	w := dial(t, url)
	if res := w.announce(url+"/never", cameraSDP); !strings.HasPrefix(res, "RTSP/1.0 200") {
		t.Fatal(res)
	}
	if _, err := w.r.ReadByte(); err == nil {
		t.Error("something came")
	}
	waitState(t, gate, "never", ingest.Lost)
}

// One that delivers stays for longer than any of the timeouts, and so does its
// reader, whatever the transport.
func TestSteadyPublisher(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			gate := &fakeGate{}
			_, url := startServer(t, Config{ReadTimeout: 2 * time.Second}, gate) // gortsplib counts whole seconds
			c := newClip(t)
			p, err := Push(t.Context(), PushConfig{URL: url + "/cam", Transport: transport}, []*media.Track{c.track})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_ = p.Write(c.next(100))
			s := waitState(t, gate, "cam", ingest.Live)
			sink := ingest.NewStream("copy", ingest.StreamOptions{Hold: -1})
			defer sink.Close(nil)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- Pull(ctx, PullConfig{URL: url + "/cam", Transport: transport}, sink) }()
			for range 200 {
				if err := p.Write(c.next(3000)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			waitCount(t, func() bool { return s.Stats().Packets == 201 && sink.Stats().Packets > 150 })
			if st := sink.Stats(); st.State != ingest.Live || st.Repairs.Breaks != 0 || st.Lost != 0 {
				t.Errorf("%+v", st)
			}
			cancel()
			<-done
		})
	}
}

// Random bytes, half requests and silence: connections are closed, and a
// publisher beside them does not notice.
func TestGarbage(t *testing.T) {
	gate := &fakeGate{}
	_, url := startServer(t, Config{ReadTimeout: time.Second}, gate)
	c := newClip(t)
	p := push(t, url+"/cam", c)
	defer p.Close()
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	request := "ANNOUNCE " + url + "/x RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\n"
	var conns []*wire
	for _, b := range [][]byte{
		noise,
		noise[:100],
		append([]byte("$"), noise...),
		append([]byte("OPTIONS * RTSP/1.0\r\n"), noise...),
		[]byte(request),
		[]byte(request + "Content-Length: 99999999999999\r\n\r\n"),
		[]byte(request + "Content-Length: -1\r\n\r\n"),
		[]byte(request + "Content-Length: 1000\r\n\r\nv=0"),
		[]byte("RTSP/1.0 200 OK\r\n\r\n"),
		[]byte(strings.Repeat("A", 1<<20)),
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		{},
	} {
		w := dial(t, url)
		go func() { _, _ = w.c.Write(b) }()
		conns = append(conns, w)
	}
	stop, written := make(chan struct{}), make(chan uint64)
	go func() {
		n := uint64(0)
		defer func() { written <- n }()
		for sleep(t.Context(), 20*time.Millisecond) == nil {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.Write(c.next(1000)); err != nil {
				t.Errorf("picture %d: %v", n, err)
				return
			}
			n++
		}
	}()
	for i, w := range conns {
		if _, err := io.Copy(io.Discard, w.r); isTimeout(err) {
			t.Errorf("connection %d is still open", i)
		}
	}
	s := waitState(t, gate, "cam", ingest.Live)
	close(stop)
	n := <-written
	waitCount(t, func() bool { return s.Stats().Packets == n })
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// A thousand publishers come and go, each read by one reader; afterwards the
// server is as it was.
func TestChurn(t *testing.T) {
	cycles := 1000
	if testing.Short() {
		cycles = 50
	}
	gate := &fakeGate{}
	_, url := startServer(t, Config{Logger: slog.New(slog.DiscardHandler)}, gate) // the test's log is kept in memory
	c := newClip(t)
	cycle := func() {
		c.n = 0
		p := push(t, url+"/cam", c)
		_ = p.Write(c.next(2000))
		waitState(t, gate, "cam", ingest.Live)
		w := connect(t, url)
		w.ask("DESCRIBE "+url+"/cam RTSP/1.0", "CSeq: 1")
		w.ask("SETUP "+url+"/cam/trackID=0 RTSP/1.0", "CSeq: 2", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
		w.c.Close()
		p.Close()
		waitState(t, gate, "cam", ingest.Ended)
	}
	for range 20 {
		cycle()
	}
	goroutines, heap := measure()
	for range cycles {
		cycle()
	}
	deadline := time.Now().Add(10 * time.Second)
	var g int
	var h uint64
	for time.Now().Before(deadline) {
		if g, h = measure(); g <= goroutines+2 && h < heap+256<<10 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d goroutines and %d bytes before, %d and %d after", goroutines, heap, g, h)
}

func measure() (goroutines int, heap uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// A reader that takes nothing costs only itself: the publisher and the other
// reader go on.
func TestSlowReader(t *testing.T) {
	gate := &fakeGate{}
	_, url := startServer(t, Config{ReaderQueue: 200_000, WriteTimeout: 2 * time.Second}, gate)
	c := newClip(t)
	p := push(t, url+"/cam", c)
	defer p.Close()
	_ = p.Write(c.next(2000))
	s := waitState(t, gate, "cam", ingest.Live)
	play := func() *wire {
		w := dial(t, url)
		res := w.ask("SETUP "+url+"/cam/trackID=0 RTSP/1.0", "CSeq: 2", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
		_, session, _ := strings.Cut(res, "Session: ")
		session, _, _ = strings.Cut(session, "\r\n")
		if res = w.ask("PLAY "+url+"/cam RTSP/1.0", "CSeq: 3", "Session: "+session); !strings.HasPrefix(res, "RTSP/1.0 200") {
			t.Fatal(res)
		}
		return w
	}
	slow, fast := play(), play()
	got := make(chan int)
	go func() {
		n := 0
		defer func() { got <- n }()
		header := make([]byte, 4)
		for {
			if _, err := io.ReadFull(fast.r, header); err != nil {
				return
			}
			b := make([]byte, int(header[2])<<8|int(header[3]))
			if _, err := io.ReadFull(fast.r, b); err != nil {
				return
			}
			if header[1] == 0 && b[1]&0x80 != 0 { // marker
				n++
			}
		}
	}()
	for range 400 {
		if err := p.Write(c.next(20_000)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	waitCount(t, func() bool { return s.Stats().Packets == 401 })
	waitCount(t, func() bool { return s.Stats().Subscribers == 1 }) // the slow one was sent away
	if st := s.Stats(); st.Dropped == 0 {
		t.Errorf("nothing was dropped: %+v", st)
	}
	time.Sleep(100 * time.Millisecond)
	fast.c.Close()
	if n := <-got; n < 395 {
		t.Errorf("the fast reader got %d of 401 pictures", n)
	}
	_ = slow
}

func waitCount(t *testing.T, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatal("it never came to that")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
