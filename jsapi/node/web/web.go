// Package web is the natives behind node:http, node:https, fetch and
// WebSocket.
//
// Go's net/http parses and frames; the streams that scripts hold are Node's,
// in jsapi/builtin. Between the two nothing is buffered beyond one chunk each
// way: a request's body is read when the stream asks for it, and what is
// written is acknowledged when the connection took it.
package web

import (
	"fmt"
	"net"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// The names of the natives.
const (
	Module    = "internal:http"
	WebSocket = "internal:websocket"
)

// Provide gives a loop the natives of node:http and its relatives.
func Provide(l *loop.Loop, opts sockets.Options) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		o.Func("serve", func(a native.Args) (any, error) {
			ln, ok := native.Held(a.At(0)).(net.Listener)
			if !ok {
				var err error
				if ln, err = opts.Open(a.Get(0, "path").String(), a.Get(0, "host").String(), int(a.Get(0, "port").ToInteger())); err != nil {
					return nil, err
				}
			}
			return serve(a, ln)
		})
		// tls(options): what serve takes, made once and checked at once.
		o.Func("tls", func(a native.Args) (any, error) {
			config, err := sockets.TLSConfig(func(name string) goja.Value { return a.Get(0, name) })
			if err != nil {
				return nil, err
			}
			return a.Loop.Runtime().ToValue(config), nil
		})
		o.Func("agent", newAgent)
		o.Func("request", request)
		return o.Object
	})
	l.Provide(WebSocket, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		o.Func("connect", dialWebSocket)
		return o.Object
	})
}

// Serve answers the connections of a listener with a request listener of
// node:http: a function (request, response), an express application's
// included. It is called on the loop, where the modules of jsapi/builtin are
// provided, and gives the http.Server object of the script's side; the
// listener is closed with the loop.
func Serve(l *loop.Loop, ln net.Listener, handler goja.Value) (*goja.Object, error) {
	module, err := l.Require("node:http")
	if err != nil {
		return nil, fmt.Errorf("serve HTTP by a script: %w", err)
	}
	rt := l.Runtime()
	create, ok := goja.AssertFunction(module.ToObject(rt).Get("createServer"))
	if !ok {
		return nil, fmt.Errorf("serve HTTP by a script: node:http has no createServer")
	}
	v, err := create(goja.Undefined(), handler)
	if err != nil {
		return nil, err
	}
	server := v.ToObject(rt)
	listen, ok := goja.AssertFunction(server.Get("listen"))
	if !ok {
		return nil, fmt.Errorf("serve HTTP by a script: its server has no listen")
	}
	_, err = listen(server, rt.ToValue(given{ln}))
	return server, err
}

// given is a listener that Go code brings, as listen() of node:http knows it.
type given struct{ net.Listener }

// Given tells the script's side what it is.
func (given) Given() bool { return true }
