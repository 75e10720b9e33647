package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// A client has to take what it asked for: after stallGrace, at least
// slowestRate bytes a second, or its connection is cut. There is no deadline
// for a whole answer: a long segment on a slow line is no attack.
const (
	stallGrace  = 60 * time.Second
	slowestRate = 8 << 10
)

// listener hands out conns.
type listener struct {
	*net.TCPListener
	sent *atomic.Uint64
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: c, raw: raw, total: l.sent}, nil
}

// conn counts what is sent and cuts clients that take nothing. Being a TCPConn
// with ReadFrom, it keeps net/http's way to sendfile open; counting in a
// wrapped http.ResponseWriter would close it.
type conn struct {
	*net.TCPConn
	raw   syscall.RawConn
	until atomic.Int64  // the write deadline, Unix nanoseconds
	sent  atomic.Uint64 // over this connection
	total *atomic.Uint64

	corked bool // for the goroutine that answers
}

func (c *conn) Write(b []byte) (int, error) {
	c.extend(int64(len(b)))
	n, err := c.TCPConn.Write(b)
	c.count(int64(n))
	if c.corked && !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		c.cork(0) // more than a header: a piece of a segment in production, which must not wait for the next
	}
	return n, err
}

// ReadFrom is what net/http calls to send a file.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	size := int64(1 << 20)
	if l, ok := r.(*io.LimitedReader); ok {
		size = l.N
	}
	c.extend(size)
	n, err := c.TCPConn.ReadFrom(r)
	c.count(n)
	return n, err
}

// cork holds back what does not fill a packet, so that the header of an answer
// travels with the beginning of its body; off sends what is left.
func (c *conn) cork(on int) {
	c.corked = on == 1
	_ = c.raw.Control(func(fd uintptr) { // fails on a closed connection only
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, on)
	})
}

// deadlineSlack is how much later than needed a deadline may be, so that it is
// not set anew for each write.
const deadlineSlack = 10 * time.Second

func (c *conn) extend(size int64) {
	until := time.Now().Add(stallGrace + time.Duration(size/slowestRate)*time.Second)
	if until.UnixNano() <= c.until.Load() {
		return
	}
	until = until.Add(deadlineSlack)
	c.until.Store(until.UnixNano())
	_ = c.SetWriteDeadline(until) // fails on a closed connection only: the write then says so
}

func (c *conn) count(n int64) {
	if n > 0 {
		c.sent.Add(uint64(n))
		c.total.Add(uint64(n))
	}
}

type connKey struct{}

// connContext lets a handler find the conn it answers on.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if mine, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, mine)
	}
	return ctx
}

func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}
