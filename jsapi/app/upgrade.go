package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

const (
	headTime = 10 * time.Second // for a request's header to arrive
	maxHead  = 64 << 10
	buffers  = 1 << 10 // of a WebSocket's reader and writer: there may be thousands
)

// upgrade brings a request for another protocol to the script, which takes it
// as a WebSocket, refuses it, or leaves it to the HTTP server of its routes.
func (a *app) upgrade(conn net.Conn) {
	var head bytes.Buffer
	_ = conn.SetReadDeadline(time.Now().Add(headTime))
	reader := bufio.NewReaderSize(io.TeeReader(io.LimitReader(conn, maxHead), &head), buffers)
	r, err := http.ReadRequest(reader)
	if err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	u := &upgrade{app: a, conn: conn, request: r, head: head.Bytes()}
	if !a.loop.Post(u.deliver) {
		_ = conn.Close()
	}
}

// upgrade is a request that is being decided about; it belongs to the loop.
type upgrade struct {
	app     *app
	conn    net.Conn
	request *http.Request
	head    []byte // what was read from conn
	over    bool
}

func (u *upgrade) deliver() {
	l := u.app.loop
	o := native.New(l)
	once := func(name string, f func(native.Args) error) {
		o.Func(name, func(args native.Args) (any, error) {
			if u.over {
				return nil, &loop.Error{Code: "ERR_WEBSOCKET_DECIDED", Message: "the request was answered already"}
			}
			u.over = true
			return nil, f(args)
		})
	}
	// accept(group, protocols, maxMessage, maxBuffered, callback): the callback
	// hears what socket says, see there; first ("open", handle, protocol).
	once("accept", func(args native.Args) error {
		group, ok := native.Held(args.At(0)).(*group)
		if !ok {
			group = newGroup(l)
		}
		s := newSocket(u.app, args)
		go s.live(u, group, args.Strings(1))
		return nil
	})
	// refuse(status, headers, body)
	once("refuse", func(args native.Args) error {
		go refuse(u.conn, int(args.Int(0)), args.Strings(1), args.Copy(2))
		return nil
	})
	// pass() leaves the request to the HTTP server.
	once("pass", func(native.Args) error {
		go u.app.routes.put(&replayed{Conn: u.conn, head: u.head})
		return nil
	})
	flat := make([]any, 0, 2*len(u.request.Header)+2)
	flat = append(flat, "Host", u.request.Host)
	for name, values := range u.request.Header {
		for _, v := range values {
			flat = append(flat, name, v)
		}
	}
	u.app.upgraded.Call(o, u.request.Method, u.request.RequestURI, flat)
}

// refuse answers a request that stays HTTP, and ends the connection.
func refuse(conn net.Conn, status int, header []string, body []byte) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(headTime))
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	h := make(http.Header)
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(body)
	_, _ = conn.Write(b.Bytes()) // the client may be gone
}

// replayed is a connection of which something was read already.
type replayed struct {
	net.Conn
	head []byte
}

func (r *replayed) Read(b []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(b, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.Conn.Read(b)
}

// response is what websocket.Accept wants of net/http, over a bare connection.
type response struct {
	conn   net.Conn
	header http.Header
	status int
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	w.status = status
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	if status != http.StatusSwitchingProtocols {
		w.header.Set("Connection", "close")
	}
	_ = w.header.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	_, _ = w.conn.Write(b.Bytes()) // what follows fails too
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.conn.Write(b)
}

// Hijack implements http.Hijacker.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReaderSize(w.conn, buffers), bufio.NewWriterSize(w.conn, buffers)), nil
}

// handshake makes a WebSocket of the request.
func (u *upgrade) handshake(protocols []string) (*websocket.Conn, error) {
	_ = u.conn.SetWriteDeadline(time.Now().Add(headTime))
	w := &response{conn: u.conn, header: make(http.Header)}
	c, err := websocket.Accept(w, u.request.WithContext(context.Background()), &websocket.AcceptOptions{
		Subprotocols:       protocols,
		InsecureSkipVerify: true, // the script decides by the Origin header
	})
	if err != nil {
		_ = u.conn.Close()
		return nil, err
	}
	_ = u.conn.SetWriteDeadline(time.Time{})
	return c, nil
}
