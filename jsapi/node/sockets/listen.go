package sockets

import (
	"context"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// Listener is a listening socket that ends with its loop.
type Listener struct {
	net.Listener
	Pending *loop.Pending // keeps the loop alive until Close
	end     func() bool
	once    sync.Once
}

// NewListener gives a listener to the loop. It is called on the loop.
func NewListener(l *loop.Loop, ln net.Listener) *Listener {
	listener := &Listener{Listener: ln, Pending: l.Pending()}
	listener.end = context.AfterFunc(l.Context(), func() { _ = listener.Close() })
	return listener
}

// Close stops listening and lets the loop go.
func (l *Listener) Close() (err error) {
	l.once.Do(func() {
		l.end()
		err = l.Listener.Close()
		l.Pending.Settle(func() {})
	})
	return err
}

// Open listens where a script asks to: a path, or a host and a port. The host
// is an address, so that nothing waits for a name.
func (o Options) Open(path, host string, port int) (net.Listener, error) {
	network, address := "unix", path
	if path == "" {
		network, address = "tcp", net.JoinHostPort(host, strconv.Itoa(port))
	}
	if o.Listen != nil {
		if err := o.Listen(network, address); err != nil {
			return nil, &loop.Error{Code: "ERR_ACCESS_DENIED", Message: err.Error(), Fields: map[string]any{"syscall": "listen"}}
		}
	}
	var config net.ListenConfig
	if path != "" {
		removeDead(path)
		ln, err := config.Listen(context.Background(), network, path)
		return ln, Failed(err, "listen", path, -1)
	}
	ln, err := config.Listen(context.Background(), network, address)
	if err != nil {
		if host == "" {
			host = "::"
		}
		return nil, Failed(err, "listen", host, port)
	}
	return ln, nil
}

// removeDead removes nothing that answers and nothing but sockets: Node leaves
// the path of a process that died in the way, which helps nobody.
func removeDead(path string) {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return
	}
	var d net.Dialer
	if conn, err := d.DialContext(context.Background(), "unix", path); err == nil {
		_ = conn.Close()
		return
	}
	_ = os.Remove(path)
}

// listen(path, host, port, connection(handle)): an object with address(),
// close() and ref(keep).
func listen(a native.Args, opts Options) (any, error) {
	ln, err := opts.Open(a.String(0), a.String(1), int(a.Int(2)))
	if err != nil {
		return nil, err
	}
	listener := NewListener(a.Loop, ln)
	go accept(a.Loop, listener, a.Callback(3))
	return listener.Handle(a.Loop, nil), nil
}

// Handle is what the script holds; closed is called where it closes it.
func (l *Listener) Handle(on *loop.Loop, closed func()) native.Object {
	o := native.New(on)
	o.Func("address", func(native.Args) (any, error) { return Address(l.Addr()), nil })
	o.Func("close", func(native.Args) (any, error) {
		_ = l.Close()
		if closed != nil {
			closed()
		}
		return nil, nil
	})
	o.Func("ref", func(a native.Args) (any, error) {
		l.Pending.Ref(a.Bool(0))
		return nil, nil
	})
	return o
}

// accept hands each connection over and waits until the loop has it: one that
// is busy leaves the others to the system's queue.
func accept(l *loop.Loop, ln net.Listener, callback native.Callback) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		taken := make(chan struct{})
		c := NewConn(l, conn, nil)
		l.Post(func() {
			close(taken)
			callback.Call(c.Handle())
		})
		select {
		case <-taken:
		case <-l.Context().Done():
			return
		}
	}
}
