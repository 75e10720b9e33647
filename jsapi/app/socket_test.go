package app_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/jsapi/host/wire"
)

// dial opens a WebSocket of the app, as web does.
func (r *running) dial(path string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	if o == nil {
		o = &websocket.DialOptions{}
	}
	o.HTTPClient = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return r.Dial(ctx, wire.Upgrade)
		},
	}}
	return websocket.Dial(r.t.Context(), "ws://app"+path, o)
}

const sockets = `
import { http, on } from 'millrace';
http.ws('/echo/:name', { protocols: ['chat'], maxMessage: 1000 }, (socket, req) => {
  socket.send('hello ' + req.params.name + ' ' + req.query.q + ' ' + socket.protocol);
  socket.on('message', (m, binary) => {
    if (m === 'bye') socket.close(4000, 'as you wish');
    else socket.send(m);
  });
  socket.on('close', (code, reason) => console.log('closed', code, reason));
});
const all = http.ws('/all', (socket) => { socket.send('in'); });
http.get('/tell', (req, res) => res.send(String(all.broadcast(req.query.m))));
http.get('/size', (req, res) => res.send(String(all.size)));
http.ws('/throws', () => { throw new Error('no socket for you') });
http.ws('/ours', { origins: ['https://ours.example'] }, (socket) => socket.send('in'));
http.ws('/flood', { maxBuffered: 100000 }, (socket) => {
  const piece = Buffer.alloc(10000);
  const more = () => { while (socket.send(piece)); };
  socket.on('drain', more);
  for (let i = 0; i < 1000; i++) socket.send(piece);
  socket.on('close', (code, reason) => console.log('flood', code, reason));
});
`

func read(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestWebSocket(t *testing.T) {
	r := start(t, sockets)
	c, _, err := r.dial("/app/echo/x?q=1", &websocket.DialOptions{Subprotocols: []string{"other", "chat"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := read(t, c); got != "hello x 1 chat" {
		t.Errorf("greeted %q", got)
	}
	for _, f := range []struct {
		kind websocket.MessageType
		body string
	}{{websocket.MessageText, "täxt"}, {websocket.MessageBinary, "\x00\xff"}} {
		if err := c.Write(t.Context(), f.kind, []byte(f.body)); err != nil {
			t.Fatal(err)
		}
		kind, b, err := c.Read(t.Context())
		if err != nil || kind != f.kind || string(b) != f.body {
			t.Errorf("echoed %v %q, %v", kind, b, err)
		}
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("bye")); err != nil {
		t.Fatal(err)
	}
	var closed websocket.CloseError
	if _, _, err := c.Read(t.Context()); !errors.As(err, &closed) || closed.Code != 4000 || closed.Reason != "as you wish" {
		t.Errorf("closed by %v", err)
	}
	r.logs("closed 4000")

	c, _, err = r.dial("/app/echo/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_ = read(t, c)
	if err := c.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat("x", 1001))); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c); !strings.Contains(got, "1009") && !strings.Contains(got, "TooBig") && !strings.Contains(got, "MessageTooBig") {
		t.Errorf("a message that is too large: %s", got)
	}
}

func TestWebSocketRefused(t *testing.T) {
	r := start(t, sockets)
	for _, c := range []struct {
		path, origin string
		status       int
	}{{"/app/none", "", 404}, {"/app/ours", "https://theirs.example", 403}} {
		_, resp, err := r.dial(c.path, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {c.origin}}})
		if err == nil || resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	c, _, err := r.dial("/app/ours", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://ours.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c, _, err = r.dial("/app/throws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := read(t, c); !strings.Contains(got, "StatusInternalError") {
		t.Errorf("after an exception: %s", got)
	}
	r.logs("no socket for you")
}

func TestWebSocketOfASlowClientIsCut(t *testing.T) {
	r := start(t, sockets)
	c, _, err := r.dial("/app/flood", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	r.logs("flood 1006 the client reads too slowly")
}

func TestBroadcast(t *testing.T) {
	const clients = 50
	r := start(t, sockets)
	var all []*websocket.Conn
	for range clients {
		c, _, err := r.dial("/app/all", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if got := read(t, c); got != "in" {
			t.Fatal(got)
		}
		all = append(all, c)
	}
	r.until("/app/tell?m=news", "50")
	for _, c := range all {
		if got := read(t, c); got != "news" {
			t.Fatal(got)
		}
	}
	_ = all[0].CloseNow()
	r.until("/app/size", "49")
	// A successor takes over, and whoever is connected hears of it.
	write(t, r.path, sockets+"\n")
	var closed websocket.CloseError
	if _, _, err := all[1].Read(t.Context()); !errors.As(err, &closed) || closed.Code != websocket.StatusServiceRestart {
		t.Errorf("ended by %v", err)
	}
}

// BenchmarkBroadcast sends one message to thousands of clients and waits until each
// has it.
func BenchmarkBroadcast(b *testing.B) {
	const clients = 5000
	r := start(b, sockets)
	got := make(chan struct{}, clients)
	for range clients {
		c, _, err := r.dial("/app/all", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.CloseNow()
		go func() {
			for {
				if _, _, err := c.Read(context.Background()); err != nil {
					return
				}
				got <- struct{}{}
			}
		}()
	}
	for range clients {
		<-got
	}
	for b.Loop() {
		if _, n := r.get("/app/tell?m=news"); n != "5000" {
			b.Fatal(n)
		}
		for range clients {
			<-got
		}
	}
}
