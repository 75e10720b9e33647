package media

import (
	"context"
	"io"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// muxing writes a container of the tracks that reach it.
type muxing struct {
	s       *stage
	lanes   lanes
	options transcode.MuxerOptions
	open    func(ctx context.Context) (io.WriteCloser, error)

	to  io.WriteCloser
	mux transcode.PacketMuxer
}

func (x *muxing) take(ctx context.Context, o object) error { return x.lanes.gather(ctx, x, o) }

func (x *muxing) inputEnded(ctx context.Context, input int) error {
	return x.lanes.inputEnded(ctx, x, input)
}

func (x *muxing) begin(ctx context.Context, all []*lane) error {
	to, err := x.open(ctx)
	if err != nil {
		return x.s.failure(codeWrite, false, err)
	}
	x.to = to
	tracks := make([]*media.Track, len(all))
	for i, n := range all {
		tracks[i] = n.to
	}
	if x.mux, err = x.s.m.opts.Engine.Muxer(to, tracks, x.options); err != nil {
		return x.s.failure(codeMux, false, err)
	}
	return nil
}

func (x *muxing) write(_ context.Context, n *lane, o object) error {
	if err := x.mux.Write(n.packet(o.packet)); err != nil {
		return x.s.failure(codeMux, false, err)
	}
	return nil
}

func (x *muxing) finish(ctx context.Context) error {
	if err := x.lanes.flow(ctx, x, true); err != nil {
		return err
	}
	if x.mux == nil {
		return nil
	}
	mux := x.mux
	x.mux = nil
	if err := mux.Close(); err != nil {
		return x.s.failure(codeMux, false, err)
	}
	to := x.to
	x.to = nil
	if err := to.Close(); err != nil {
		return x.s.failure(codeWrite, false, err)
	}
	return nil
}

func (x *muxing) close() {
	x.lanes.close()
	if x.mux != nil {
		_ = x.mux.Close()
	}
	if x.to != nil {
		_ = x.to.Close()
	}
}

// intoOutlet is a stage's outlet as the file that a muxer writes to.
type intoOutlet struct {
	ctx context.Context
	s   *stage
}

// Write hands on a copy of b.
func (w intoOutlet) Write(b []byte) (int, error) {
	if err := w.s.emit(w.ctx, object{bytes: append([]byte(nil), b...)}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close does nothing: the stage ends its outlet itself.
func (intoOutlet) Close() error { return nil }
