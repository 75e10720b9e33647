package host

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/jsapi/host/wire"
)

// dialPatience is how long a request waits for an app that starts.
const dialPatience = 3 * time.Second

// Dial makes a connection to the app's HTTP server, for requests of one kind.
// The error wraps ErrDown where there is no process.
func (h *Host) Dial(ctx context.Context, kind wire.Kind) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	for {
		i, err := h.await(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := i.dial(kind)
		if err == nil {
			return conn, nil
		}
		select {
		case <-i.gone:
			h.dropped(i)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrDown, err)
		case <-h.moved(i):
		}
	}
}

// moved is closed when another instance than i may be current.
func (h *Host) moved(i *instance) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != i {
		done := make(chan struct{})
		close(done)
		return done
	}
	return h.changed
}

func (i *instance) dial(kind wire.Kind) (net.Conn, error) {
	ours, theirs, err := child.SocketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	conn, err := net.FileConn(ours)
	_ = ours.Close() // conn has a descriptor of its own
	if err != nil {
		return nil, fmt.Errorf("use socket pair: %w", err)
	}
	if err := wire.SendConn(i.conns, kind, theirs.Fd()); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
