package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/millrace/millrace/jsapi/app"
	"github.com/millrace/millrace/jsapi/stream"
	"github.com/millrace/millrace/transcode/wire"
	"github.com/millrace/millrace/transcode/worker"
)

type workerCmd struct{}

// exitError leaves with a code of its own: a worker's code tells its parent
// how it ended.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Run is a worker process; its parent talks to it over descriptors.
func (workerCmd) Run(ctx context.Context) error {
	if code := worker.Run(ctx, roles); code != 0 {
		return exitError(code)
	}
	return nil
}

// roles are those of the rooms that run scripts.
var roles = map[wire.Role]worker.Role{
	wire.RoleScript: func(ctx context.Context, config *wire.Config, conn net.Conn) int {
		return stream.Serve(ctx, config, conn, stream.World{Engine: worker.NewEngine(nil), Exit: os.Exit})
	},
	wire.RoleApp: app.Serve,
}
