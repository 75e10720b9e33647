package sockets

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// Conn is a connection as a script's handle: read(callback), write(bytes,
// callback), shutdown(callback), close(), reset(), ref(keep), local(),
// remote(), noDelay(on), keepAlive(on, ms).
type Conn struct {
	loop *loop.Loop
	raw  net.Conn
	net  net.Conn // raw, or TLS over it
	head []byte   // what was read before the handle had the connection

	taken  bool        // TLS takes the connection over
	stolen chan []byte // gets what the read under way came to, once taken

	unref bool
	read  *loop.Pending // the read under way
	end   func() bool
	once  sync.Once
}

// NewConn gives a connection to the loop, which closes it at its end. head is
// what was read from it already. It may be called from any goroutine.
func NewConn(l *loop.Loop, c net.Conn, head []byte) *Conn {
	conn := &Conn{loop: l, raw: c, net: c, head: head}
	conn.end = context.AfterFunc(l.Context(), conn.close)
	return conn
}

const chunk = 64 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunk); return &b }}

// Chunk reads once, into memory of its own that is as large as what came.
func Chunk(r io.Reader) ([]byte, error) {
	b, _ := chunks.Get().(*[]byte)
	defer chunks.Put(b)
	n, err := r.Read(*b)
	if n > 0 {
		return append(make([]byte, 0, n), (*b)[:n]...), nil
	}
	return nil, err
}

func (c *Conn) close() {
	c.once.Do(func() {
		c.end()
		_ = c.raw.Close()
	})
}

// Handle is what the script holds. It is called on the loop.
func (c *Conn) Handle() goja.Value {
	o := native.New(c.loop)
	for name, f := range map[string]func(native.Args) (any, error){
		"read": c.startRead, "write": c.write, "shutdown": c.shutdown, "ref": c.ref,
		"noDelay": c.noDelay, "keepAlive": c.keepAlive,
	} {
		o.Func(name, f)
	}
	o.Func("close", func(native.Args) (any, error) {
		go c.close() // a close may linger
		return nil, nil
	})
	o.Func("reset", func(native.Args) (any, error) {
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		go c.close()
		return nil, nil
	})
	o.Func("local", func(native.Args) (any, error) { return Address(c.net.LocalAddr()), nil })
	o.Func("remote", func(native.Args) (any, error) { return Address(c.net.RemoteAddr()), nil })
	_ = o.DefineDataProperty("conn", c.loop.Runtime().ToValue(c), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return o.Object
}

// startRead gives the callback the next bytes, undefined at the end.
func (c *Conn) startRead(a native.Args) (any, error) {
	callback := a.Callback(0)
	pending := c.loop.Pending()
	pending.Ref(!c.unref)
	c.read = pending
	head := c.head
	c.head = nil
	go func() {
		b, err := head, error(nil)
		if len(b) == 0 {
			b, err = Chunk(c.net)
		}
		pending.Settle(func() {
			c.read = nil
			switch {
			case c.taken:
				c.stolen <- b
			case err == nil:
				callback.Return(b, nil)
			case errors.Is(err, io.EOF):
				callback.Return(nil, nil)
			default:
				callback.Return(nil, Failed(err, "read", "", 0))
			}
		})
	}()
	return nil, nil
}

// take is the connection for TLS: a read that is under way ends, and what it
// came to is read first, after head. It is called on the loop; the function
// that it gives waits, and is called elsewhere.
func (c *Conn) take(head []byte) func() net.Conn {
	waiting := c.read != nil
	if waiting {
		c.taken, c.stolen = true, make(chan []byte, 1)
		_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	}
	head = append(head, c.head...)
	c.head = nil
	return func() net.Conn {
		if waiting {
			select {
			case b := <-c.stolen:
				head = append(head, b...)
			case <-c.loop.Context().Done():
			}
			_ = c.raw.SetReadDeadline(time.Time{})
		}
		return &prefixed{Conn: c.raw, head: head}
	}
}

// prefixed is a connection of which some was read already.
type prefixed struct {
	net.Conn
	head []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}

func (c *Conn) write(a native.Args) (any, error) {
	b := a.Copy(0)
	a.Later(1, func(context.Context) (any, error) {
		_, err := c.net.Write(b)
		return nil, Failed(err, "write", "", 0)
	})
	return nil, nil
}

func (c *Conn) shutdown(a native.Args) (any, error) {
	a.Later(0, func(context.Context) (any, error) {
		half, ok := c.net.(interface{ CloseWrite() error })
		if !ok {
			return nil, nil
		}
		return nil, Failed(half.CloseWrite(), "shutdown", "", 0)
	})
	return nil, nil
}

func (c *Conn) ref(a native.Args) (any, error) {
	c.unref = !a.Bool(0)
	if c.read != nil {
		c.read.Ref(!c.unref)
	}
	return nil, nil
}

func (c *Conn) noDelay(a native.Args) (any, error) {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(a.Bool(0))
	}
	return nil, nil
}

func (c *Conn) keepAlive(a native.Args) (any, error) {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: a.Bool(0), Idle: time.Duration(a.Int(1)) * time.Millisecond})
	}
	return nil, nil
}

// Address is an address as Node gives it: address, family and port, or a
// socket's path.
func Address(addr net.Addr) func(*goja.Runtime) goja.Value {
	return func(rt *goja.Runtime) goja.Value {
		o := rt.NewObject()
		switch a := addr.(type) {
		case *net.TCPAddr:
			family, ip := "IPv6", a.IP.String()
			if v4 := a.IP.To4(); v4 != nil {
				family = "IPv4"
				if len(a.IP) == net.IPv6len { // on a socket for both families
					family, ip = "IPv6", "::ffff:"+ip
				}
			}
			if a.Zone != "" {
				ip += "%" + a.Zone
			}
			_ = o.Set("address", ip)
			_ = o.Set("family", family)
			_ = o.Set("port", a.Port)
		case *net.UnixAddr:
			return rt.ToValue(a.Name)
		}
		return o
	}
}
