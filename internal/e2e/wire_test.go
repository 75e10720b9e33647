package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wire is an RTSP client that does what it is told, right or wrong.
type wire struct {
	net.Conn
	t       *testing.T
	in      *bufio.Reader
	base    string // the stream's URL
	session string
	cseq    int
}

// dial opens a connection whose kernel buffer for what comes in is small, so
// that the other side feels it soon when nobody reads.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// rtsp connects to a stream.
func (s *server) rtspWire(t *testing.T, path string) *wire {
	t.Helper()
	c := dial(t, s.rtsp)
	return &wire{Conn: c, t: t, in: bufio.NewReader(c), base: s.rtspURL(path)}
}

// ask sends a request and returns status line and body of the answer. target
// is added to the stream's URL.
func (w *wire) ask(method, target, body string, headers ...string) (status, answer string) {
	w.t.Helper()
	w.cseq++
	lines := append([]string{method + " " + w.base + target + " RTSP/1.0", fmt.Sprintf("CSeq: %d", w.cseq)}, headers...)
	if w.session != "" {
		lines = append(lines, "Session: "+w.session)
	}
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if err := w.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(w, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		return err.Error(), ""
	}
	status, answer, err := w.answer()
	if err != nil {
		return err.Error(), ""
	}
	return status, answer
}

func (w *wire) answer() (status, body string, err error) {
	in := textproto.NewReader(w.in)
	if status, err = in.ReadLine(); err != nil {
		return "", "", err
	}
	header, err := in.ReadMIMEHeader()
	if err != nil {
		return "", "", err
	}
	if s := header.Get("Session"); s != "" {
		w.session, _, _ = strings.Cut(s, ";")
	}
	n, _ := strconv.Atoi(header.Get("Content-Length"))
	b := make([]byte, n)
	_, err = io.ReadFull(w.in, b)
	return strings.TrimPrefix(status, "RTSP/1.0 "), string(b), err
}

// must is ask for what has to be answered with 200.
func (w *wire) must(method, target, body string, headers ...string) string {
	w.t.Helper()
	status, answer := w.ask(method, target, body, headers...)
	if !strings.HasPrefix(status, "200") {
		w.t.Fatalf("%s: %s", method, status)
	}
	return answer
}

// cameraSDP announces H.264.
const cameraSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" +
	"a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z2QAHqzZQKAv+XDhAAADAAPpAADqYA8WLZY=,aOvjyyLA; profile-level-id=64001E\r\na=control:streamid=0\r\n"

// record becomes the publisher, who may send now.
func (w *wire) record() {
	w.t.Helper()
	w.must("ANNOUNCE", "", cameraSDP, "Content-Type: application/sdp")
	w.must("SETUP", "/streamid=0", "", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record")
	w.must("RECORD", "", "")
}

// play becomes a reader of all tracks, interleaved.
func (w *wire) play() {
	w.t.Helper()
	sdp := w.must("DESCRIBE", "", "", "Accept: application/sdp")
	n := 0
	media := false
	for line := range strings.Lines(sdp) {
		media = media || strings.HasPrefix(line, "m=")
		control, ok := strings.CutPrefix(strings.TrimSpace(line), "a=control:")
		if !ok || !media {
			continue
		}
		if strings.HasPrefix(control, "rtsp://") {
			control = strings.TrimPrefix(control, w.base)
		} else {
			control = "/" + control
		}
		w.must("SETUP", control, "", fmt.Sprintf("Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d", 2*n, 2*n+1))
		n++
	}
	w.must("PLAY", "", "")
}

// closedWithin wants the server to end the connection, whatever it sends
// before that.
func closedWithin(t *testing.T, c net.Conn, d time.Duration, what string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("%s is still connected after %v", what, d)
	}
}
