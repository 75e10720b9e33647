package web

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// server is one http.Server of a script that listens.
type server struct {
	loop     *loop.Loop
	http     *http.Server
	listener *sockets.Listener
	request  native.Callback // (exchange, connection, method, url, version, headers, body, upgrade)
	ended    native.Callback // every connection is over after close
	timeout  time.Duration   // for the whole of a request
	stop     func() bool     // forgets to close the connections with the loop

	mu      sync.Mutex
	conns   map[net.Conn]*connection
	closing *loop.Pending // keeps the loop alive from close to its end
}

// connection is what requests on one connection share: the script's socket.
type connection struct {
	net    net.Conn
	state  http.ConnState
	busy   bool
	socket goja.Value // made with the first request; for the loop's goroutine
}

type connectionKey struct{}

// serve(listener or {path, host, port}, {headersTimeout, requestTimeout,
// keepAliveTimeout, maxHeaderSize, maxConnections, tls}, request, ended): an
// object with address(), close(), closeIdle(), closeAll(), count() and
// ref(keep). The second argument is a function: what it gives is asked for
// when the first connection may come, so that a script may set it just after
// listen().
func serve(a native.Args, ln net.Listener) (any, error) {
	l := a.Loop
	s := &server{
		loop: l, request: a.Callback(2), ended: a.Callback(3), conns: make(map[net.Conn]*connection),
		listener: sockets.NewListener(l, ln),
	}
	settings, _ := goja.AssertFunction(a.At(1))
	o := s.listener.Handle(l, s.close)
	o.Func("closeIdle", func(native.Args) (any, error) {
		s.each(func(c *connection) {
			if !c.busy {
				_ = c.net.Close()
			}
		})
		return nil, nil
	})
	o.Func("closeAll", func(native.Args) (any, error) {
		s.each(func(c *connection) { _ = c.net.Close() })
		return nil, nil
	})
	o.Func("count", func(native.Args) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns), nil
	})
	l.SetImmediate(func() {
		v, err := settings(goja.Undefined())
		if err != nil {
			l.Stop(err)
			return
		}
		s.start(v.ToObject(l.Runtime()))
	})
	return o, nil
}

// start begins to take connections.
func (s *server) start(o *goja.Object) {
	ms := func(name string) time.Duration { return time.Duration(o.Get(name).ToInteger()) * time.Millisecond }
	ctx := s.loop.Context()
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: ms("headersTimeout"),
		IdleTimeout:       ms("keepAliveTimeout"),
		MaxHeaderBytes:    max(int(o.Get("maxHeaderSize").ToInteger())-4096, 1), // net/http adds 4096
		ConnState:         s.state,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			s.mu.Lock()
			defer s.mu.Unlock()
			conn := &connection{net: plain(c)}
			s.conns[conn.net] = conn
			return context.WithValue(ctx, connectionKey{}, conn)
		},
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ErrorLog:                     log.New(io.Discard, "", 0), // what goes wrong reaches the script as events
		DisableGeneralOptionsHandler: true,
	}
	s.timeout = ms("requestTimeout")
	if s.http.IdleTimeout == 0 {
		s.http.IdleTimeout = -1
	}
	s.http.Protocols = new(http.Protocols)
	s.http.Protocols.SetHTTP1(true)
	var ln net.Listener = s.listener
	if most := int(o.Get("maxConnections").ToInteger()); most > 0 {
		ln = limited{ln, s, most}
	}
	if config, ok := o.Get("tls").Export().(*tls.Config); ok {
		ln = tls.NewListener(ln, config)
	}
	s.stop = context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() { _ = s.http.Serve(ln) }() // it ends with the listener
}

// plain is the connection below TLS.
func plain(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

// limited drops connections beyond a number, as maxConnections does.
type limited struct {
	net.Listener
	server *server
	most   int
}

func (l limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.server.mu.Lock()
		n := len(l.server.conns)
		l.server.mu.Unlock()
		if n < l.most {
			return c, nil
		}
		_ = c.Close()
	}
}

// state follows the connections.
func (s *server) state(conn net.Conn, state http.ConnState) {
	conn = plain(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateActive, http.StateIdle:
		if c := s.conns[conn]; c != nil {
			c.busy = state == http.StateActive
		}
	case http.StateClosed, http.StateHijacked:
		if c := s.conns[conn]; c != nil {
			delete(s.conns, conn)
			if state == http.StateClosed {
				s.loop.Post(func() { c.over(s.loop) })
			}
		}
		s.finish()
	}
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

func (s *server) each(f func(*connection)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		f(c)
	}
}

// close takes no more connections, ends those that wait for a request, and
// lets the others finish theirs.
func (s *server) close() {
	if s.http != nil {
		s.http.SetKeepAlivesEnabled(false)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = s.loop.Pending()
	for _, c := range s.conns {
		if !c.busy {
			_ = c.net.Close()
		}
	}
	s.finish()
}

// finish tells the script when the last connection is over after close. The
// mutex is held.
func (s *server) finish() {
	if s.closing == nil || len(s.conns) > 0 {
		return
	}
	if s.stop != nil {
		s.stop()
	}
	s.closing.Settle(func() { s.ended.Call() })
	s.closing = nil
}
