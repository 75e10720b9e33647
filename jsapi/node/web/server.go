package web

import (
	"context"
	"crypto/tls"
	"log/slog"
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
	conns   map[*connection]struct{}
	closing *loop.Pending // keeps the loop alive from close to its end
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
		loop: l, request: a.Callback(2), ended: a.Callback(3), conns: make(map[*connection]struct{}),
		listener: sockets.NewListener(l, ln),
	}
	settings, _ := goja.AssertFunction(a.At(1))
	o := s.listener.Handle(l, s.close)
	o.Func("closeIdle", func(native.Args) (any, error) {
		s.each(func(c *connection) {
			if !c.busy {
				_ = c.Close()
			}
		})
		return nil, nil
	})
	o.Func("closeAll", func(native.Args) (any, error) {
		s.each(func(c *connection) { _ = c.Close() })
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
			conn, _ := c.(*connection)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.conns[conn] = struct{}{}
			return context.WithValue(ctx, connectionKey{}, conn)
		},
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ErrorLog:                     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // what goes wrong reaches the script as events
		DisableGeneralOptionsHandler: true,
	}
	s.timeout = ms("requestTimeout")
	if s.http.IdleTimeout == 0 {
		s.http.IdleTimeout = -1
	}
	s.http.Protocols = new(http.Protocols)
	s.http.Protocols.SetHTTP1(true)
	ln := door{Listener: s.listener, server: s, most: int(o.Get("maxConnections").ToInteger())}
	ln.tls, _ = native.Held(o.Get("tls")).(*tls.Config)
	s.stop = context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() { _ = s.http.Serve(ln) }() // it ends with the listener
}

// state follows the connections.
func (s *server) state(conn net.Conn, state http.ConnState) {
	c, _ := conn.(*connection)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateActive, http.StateIdle:
		c.busy = state == http.StateActive
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
		if state == http.StateClosed {
			s.loop.Post(func() { c.over(s.loop) })
		}
		s.finish()
	}
}

func (s *server) each(f func(*connection)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
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
	for c := range s.conns {
		if !c.busy {
			_ = c.Close()
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
