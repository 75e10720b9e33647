package sockets

import (
	"context"
	"net"
	"strconv"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/native"
)

// connect({host, port, path, localAddress, localPort, family}, callback(error,
// handle)) gives a function that gives up.
func connect(a native.Args) (any, error) {
	text := func(name string) string {
		if v := a.Get(0, name); !goja.IsUndefined(v) && !goja.IsNull(v) {
			return v.String()
		}
		return ""
	}
	path, host := text("path"), text("host")
	port, family := int(a.Get(0, "port").ToInteger()), a.Get(0, "family").ToInteger()
	var dialer net.Dialer
	if ip := text("localAddress"); ip != "" || text("localPort") != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip), Port: int(a.Get(0, "localPort").ToInteger())}
	}
	ctx, cancel := context.WithCancel(a.Loop.Context())
	l, callback, pending := a.Loop, a.Callback(1), a.Loop.Pending()
	go func() {
		var conn *Conn
		c, err := dial(ctx, &dialer, path, host, port, family)
		if err == nil {
			conn = NewConn(l, c, nil) //nolint:contextcheck // it lives as long as its loop, not as its dial
		}
		pending.Settle(func() {
			if err == nil && ctx.Err() != nil {
				conn.close()
				err = ctx.Err()
			}
			cancel()
			switch {
			case err == nil:
				callback.Return(conn.Handle(), nil)
			case path != "":
				callback.Return(nil, Failed(err, "connect", path, -1))
			default:
				callback.Return(nil, DialFailed(err, host, port))
			}
		})
	}()
	return func(rt *goja.Runtime) goja.Value {
		return rt.ToValue(func(goja.FunctionCall) goja.Value {
			cancel()
			return goja.Undefined()
		})
	}, nil
}

func dial(ctx context.Context, d *net.Dialer, path, host string, port int, family int64) (net.Conn, error) {
	if path != "" {
		return d.DialContext(ctx, "unix", path)
	}
	network := "tcp"
	switch family {
	case 4:
		network = "tcp4"
	case 6:
		network = "tcp6"
	}
	return d.DialContext(ctx, network, net.JoinHostPort(host, strconv.Itoa(port)))
}
