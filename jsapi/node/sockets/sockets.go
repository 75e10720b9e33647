// Package sockets is the natives behind node:net, node:tls and node:dns.
//
// A connection is a handle whose reads and writes are each one piece of work
// on a goroutine of its own, begun by the stream on top: what is not asked for
// is not read, and no goroutine stays where nothing is under way. Handles
// close with their loop.
package sockets

import (
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// The names of the natives.
const (
	Module = "internal:net"
	Names  = "internal:dns"
)

// Options is what scripts may do.
type Options struct {
	// Listen says whether the script may listen there; nil is yes. network is
	// tcp or unix.
	Listen func(network, address string) error
}

// Provide gives a loop the natives of node:net, node:tls and node:dns.
func Provide(l *loop.Loop, opts Options) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		o.Func("connect", connect)
		o.Func("listen", func(a native.Args) (any, error) { return listen(a, opts) })
		o.Func("secure", secure)
		return o.Object
	})
	l.Provide(Names, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		o.Func("lookup", lookup)
		o.Func("resolve", resolve)
		o.Func("reverse", reverse)
		return o.Object
	})
}
