package transcode

import (
	"context"

	"github.com/millrace/millrace/transcode/wire"
)

// ask sends m and returns the first answer that is no log line.
func (p *process) ask(ctx context.Context, m wire.Message) (wire.Message, error) {
	if err := p.out.Write(m); err != nil {
		return nil, p.gone(ctx, err)
	}
	return p.next(ctx, &relay{logger: p.Logger, pid: p.PID})
}

// next reads the next message that is no log line. Where there is none it
// returns the worker's Death, or ctx's error.
func (p *process) next(ctx context.Context, log *relay) (wire.Message, error) {
	for {
		m, err := p.in.Read()
		if err != nil {
			return nil, p.gone(ctx, err)
		}
		switch m := m.(type) {
		case *wire.Log:
			log.write(ctx, m)
		case *wire.Error:
			return nil, p.condemned(m)
		default:
			return m, nil
		}
	}
}

// gone is Broken, in the words of a caller who may have left.
func (p *process) gone(ctx context.Context, err error) error {
	death := p.Broken(err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return death
}
