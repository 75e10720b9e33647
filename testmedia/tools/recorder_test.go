package tools

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// rtspRecorder is just enough of an RTSP server for one publisher: it counts
// the RTP packets of each track.
type rtspRecorder struct {
	url     string
	wg      sync.WaitGroup // serve
	udp     sync.WaitGroup // the sockets' readers
	sockets []net.PacketConn

	mu  sync.Mutex
	got recorded
}

type recorded struct {
	tracks    int // in the SDP
	transport string
	packets   map[int]int // by track
	marked    map[int]int // packets with a marker: pictures
}

func newRecorder(t *testing.T) *rtspRecorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rtspRecorder{url: fmt.Sprintf("rtsp://%v/clip", l.Addr()), got: recorded{packets: map[int]int{}, marked: map[int]int{}}}
	r.wg.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() {
			c.Close()
			for _, s := range r.sockets {
				s.Close()
			}
			r.udp.Wait()
		}()
		if err := r.serve(c); err != nil {
			t.Logf("RTSP: %v", err)
		}
	})
	t.Cleanup(func() { l.Close(); r.wg.Wait() })
	return r
}

func (r *rtspRecorder) result(t *testing.T) recorded {
	t.Helper()
	r.wg.Wait()
	return r.got
}

func (r *rtspRecorder) pictures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.marked[0]
}

func (r *rtspRecorder) count(track int, packet []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(packet) < 12 || packet[0]>>6 != 2 {
		return
	}
	r.got.packets[track]++
	if packet[1]&0x80 != 0 {
		r.got.marked[track]++
	}
}

func (r *rtspRecorder) serve(c net.Conn) error {
	in := bufio.NewReader(c)
	setups := 0
	for {
		first, err := in.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if first[0] == '$' {
			var head [4]byte
			if _, err := io.ReadFull(in, head[:]); err != nil {
				return err
			}
			packet := make([]byte, binary.BigEndian.Uint16(head[2:]))
			if _, err := io.ReadFull(in, packet); err != nil {
				return err
			}
			if head[1]%2 == 0 {
				r.count(int(head[1]/2), packet)
			}
			continue
		}
		text := textproto.NewReader(in)
		line, err := text.ReadLine()
		if err != nil {
			return err
		}
		header, err := text.ReadMIMEHeader()
		if err != nil {
			return err
		}
		body := make([]byte, 0)
		if n, err := strconv.Atoi(header.Get("Content-Length")); err == nil {
			body = make([]byte, n)
			if _, err := io.ReadFull(in, body); err != nil {
				return err
			}
		}
		answer := "RTSP/1.0 200 OK\r\nCSeq: " + header.Get("CSeq") + "\r\nSession: 1\r\n"
		method, _, _ := strings.Cut(line, " ")
		switch method {
		case "OPTIONS":
			answer += "Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN\r\n"
		case "ANNOUNCE":
			r.got.tracks = strings.Count("\n"+string(body), "\nm=")
		case "SETUP":
			r.got.transport = header.Get("Transport")
			transport, err := r.setUp(setups)
			if err != nil {
				return err
			}
			answer += "Transport: " + transport + "\r\n"
			setups++
		}
		if _, err := io.WriteString(c, answer+"\r\n"); err != nil {
			return err
		}
		if method == "TEARDOWN" {
			return nil
		}
	}
}

// setUp answers a Transport header; over UDP it counts until the publisher
// leaves.
func (r *rtspRecorder) setUp(track int) (string, error) {
	if strings.Contains(r.got.transport, "TCP") {
		return fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d", 2*track, 2*track+1), nil
	}
	rtp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	rtcp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := func(c net.PacketConn) int { return c.LocalAddr().(*net.UDPAddr).Port }
	client := r.got.transport[strings.Index(r.got.transport, "client_port="):]
	client, _, _ = strings.Cut(client, ";")
	r.sockets = append(r.sockets, rtp, rtcp)
	r.udp.Go(func() {
		b := make([]byte, 2048)
		for {
			n, _, err := rtp.ReadFrom(b)
			if err != nil {
				return
			}
			r.count(track, b[:n])
		}
	})
	return fmt.Sprintf("RTP/AVP;unicast;%s;server_port=%d-%d", client, port(rtp), port(rtcp)), nil
}
