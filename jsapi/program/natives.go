package program

import (
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/node/compress"
	"github.com/millrace/millrace/jsapi/node/files"
	"github.com/millrace/millrace/jsapi/node/hashes"
	"github.com/millrace/millrace/jsapi/node/machine"
	"github.com/millrace/millrace/jsapi/node/sockets"
	"github.com/millrace/millrace/jsapi/node/web"
)

// provideNode gives a loop the natives of all of Node's modules.
func provideNode(l *loop.Loop, host node.Host) {
	node.Provide(l, host)
	files.Provide(l, files.Options{Dir: func() string { return host.Cwd }})
	opts := sockets.Options{Listen: host.Listen}
	sockets.Provide(l, opts)
	web.Provide(l, opts)
	hashes.Provide(l)
	compress.Provide(l)
	machine.Provide(l)
}
