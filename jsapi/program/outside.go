package program

import (
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/node/files"
	"github.com/millrace/millrace/jsapi/node/hashes"
	"github.com/millrace/millrace/jsapi/node/machine"
	"github.com/millrace/millrace/jsapi/node/sockets"
	"github.com/millrace/millrace/jsapi/node/web"
)

// outside provides the natives of what lies outside of the runtime: files,
// sockets, HTTP,
// the machine, and what is computed natively.
func outside(l *loop.Loop, host node.Host) {
	var dir func() string
	if host.Cwd != "" {
		dir = func() string { return host.Cwd }
	}
	files.Provide(l, files.Options{Dir: dir})
	opts := sockets.Options{Listen: host.Listen}
	sockets.Provide(l, opts)
	web.Provide(l, opts)
	hashes.Provide(l)
	machine.Provide(l)
}
