package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// agent keeps the connections of a script's http.Agent.
type agent struct{ transport *http.Transport }

// newAgent({keepAlive, maxSockets, maxFreeSockets, timeout, maxHeaderSize,
// socketPath, and what sockets.TLSConfig knows}): an object with destroy().
func newAgent(a native.Args) (any, error) {
	get := func(name string) goja.Value { return a.Get(0, name) }
	number := func(name string) int { // Infinity and what was not given are 0: no limit
		v := get(name)
		if f := v.ToFloat(); f > 0 && f < 1e9 {
			return int(f)
		}
		return 0
	}
	config, err := sockets.TLSConfig(get)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	t := &http.Transport{
		TLSClientConfig:        config,
		DisableCompression:     true,
		DisableKeepAlives:      !get("keepAlive").ToBoolean(),
		MaxConnsPerHost:        number("maxSockets"),
		MaxIdleConnsPerHost:    number("maxFreeSockets"),
		IdleConnTimeout:        time.Duration(max(number("timeout"), 5000)) * time.Millisecond,
		MaxResponseHeaderBytes: int64(number("maxHeaderSize")),
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if t.MaxIdleConnsPerHost == 0 {
		t.MaxIdleConnsPerHost = 256
	}
	path := ""
	if v := get("socketPath"); !goja.IsUndefined(v) && !goja.IsNull(v) {
		path = v.String()
	}
	family := get("family").ToInteger()
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		switch {
		case path != "":
			network, address = "unix", path
		case family == 4:
			network = "tcp4"
		case family == 6:
			network = "tcp6"
		}
		return dialer.DialContext(ctx, network, address)
	}
	context.AfterFunc(a.Loop.Context(), t.CloseIdleConnections)
	o := native.New(a.Loop)
	_ = o.Set("agent", &agent{t})
	o.Func("destroy", func(native.Args) (any, error) {
		t.CloseIdleConnections()
		return nil, nil
	})
	return o, nil
}
