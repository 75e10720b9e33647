package web

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// connection is what the requests on one connection share.
type connection struct {
	net.Conn
	encrypted bool
	busy      bool       // with a request; under the server's mutex
	socket    goja.Value // the script's, made with the first request; for the loop's goroutine

	gone chan struct{} // closed with the connection
	once sync.Once

	status []byte // the status line to write, where it is not net/http's; for the handler's goroutine
}

// door takes connections.
type door struct {
	net.Listener
	server *server
	most   int         // connections beyond are dropped, as maxConnections does; 0 is no limit
	tls    *tls.Config // nil for none
}

// Accept is net.Listener's.
func (d door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.server.mu.Lock()
		n := len(d.server.conns)
		d.server.mu.Unlock()
		if d.most > 0 && n >= d.most {
			_ = c.Close()
			continue
		}
		if d.tls != nil {
			return &connection{Conn: tls.Server(c, d.tls), encrypted: true, gone: make(chan struct{})}, nil
		}
		return &connection{Conn: c, gone: make(chan struct{})}, nil
	}
}

// say sets the words of the next response's status line, which net/http takes
// from a table of its own.
func (c *connection) say(r *http.Request, code int, reason string) {
	if code < 200 || reason == http.StatusText(code) {
		return
	}
	c.status = append(c.status[:0], "HTTP/1."+strconv.Itoa(r.ProtoMinor)+" "+strconv.Itoa(code)+" "+reason...)
}

// Write is net.Conn's. A response's header begins with a Write of its own.
func (c *connection) Write(b []byte) (int, error) {
	const code = len("HTTP/1.1 200")
	if len(c.status) == 0 || len(b) < code || !bytes.Equal(b[:code], c.status[:code]) {
		return c.Conn.Write(b)
	}
	end := bytes.IndexByte(b, '\r')
	if end < 0 {
		return c.Conn.Write(b)
	}
	_, err := c.Conn.Write(append(c.status, b[end:]...))
	c.status = nil
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close is net.Conn's. It ends the exchange that is under way too: net/http
// looks at a connection only while it reads or writes.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// CloseWrite is what net/http ends a connection with after it has refused a
// request, so that the client gets to read why.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// over tells the script's socket, where there is one, that its connection
// ended.
func (c *connection) over(l *loop.Loop) {
	if c.socket == nil {
		return
	}
	if f, ok := goja.AssertFunction(c.socket.ToObject(l.Runtime()).Get("_over")); ok {
		l.Invoke(f, c.socket)
	}
}

// describe is the connection before the script's side made a socket of it:
// remote and local address, whether it is encrypted, close().
func (c *connection) describe(l *loop.Loop) goja.Value {
	o := native.New(l)
	_ = o.Set("remote", native.Value(l.Runtime(), sockets.Address(c.RemoteAddr())))
	_ = o.Set("local", native.Value(l.Runtime(), sockets.Address(c.LocalAddr())))
	_ = o.Set("encrypted", c.encrypted)
	o.Func("close", func(native.Args) (any, error) {
		go func() { _ = c.Close() }()
		return nil, nil
	})
	// The script's side calls it once, with what it made of this.
	o.Func("become", func(a native.Args) (any, error) {
		c.socket = a.At(0)
		return nil, nil
	})
	return o.Object
}
