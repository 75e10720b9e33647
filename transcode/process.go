package transcode

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/transcode/wire"
)

// launch is what it takes to start a worker process.
type launch struct {
	command []string // program and arguments
	role    wire.Role
	name    string // for logs
	nice    int
	ready   time.Duration // how long it may take to say hello
	logger  *slog.Logger
}

// process is one worker process that said hello. One goroutine may read from
// it and another write to it; the rest may be called from any.
type process struct {
	*child.Process
	in  *wire.Reader
	out *wire.Writer
}

// start starts a worker process and waits until it says hello, is dead, the
// time for it is over, or ctx is. Where it fails nothing is left of it. ctx
// does not bound the life of the process.
func (l launch) start(ctx context.Context) (*process, error) {
	spawned, err := child.Launch{
		Command: l.command, Nice: l.nice, Logger: l.logger, Status: ofExit,
		Configure: func(lifeline io.Writer) error {
			level := int(child.Level(ctx, l.logger))
			return wire.NewWriter(lifeline).Write(&wire.Config{Role: l.role, Name: l.name, LogLevel: level})
		},
	}.Spawn(ctx)
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	p := &process{
		Process: spawned,
		in:      wire.NewReader(spawned.Conn, wire.FromWorker), out: wire.NewWriter(spawned.Conn),
	}
	if err := p.Greet(ctx, l.ready, p.hello); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	return p, nil
}

// hello reads a worker's first message.
func (p *process) hello() error {
	m, err := p.in.Read()
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *wire.Hello:
		return nil
	case *wire.Error:
		return &child.Sentence{Outcome: ofClass(m.Class), Reason: m.Error()}
	default:
		return fmt.Errorf("its first message is of type %d", m.Type())
	}
}

// condemned makes a Death of what a worker said about its own.
func (p *process) condemned(said *wire.Error) *Death {
	return p.Condemned(ofClass(said.Class), said.Error())
}
