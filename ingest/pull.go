package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Sink is what a pulled source is attached to: a Stream.
type Sink interface {
	Attach(PublisherInfo, []*media.Track) (*Publisher, error)
	// Unavailable tells why there is no publisher.
	Unavailable(reason error)
}

// Retry says how a source is come back to.
type Retry struct {
	// Backoff is the pause before the first retry, 1 s by default; it doubles
	// up to Max, 30 s by default, with a jitter of half of it.
	Backoff, Max time.Duration
}

// steady is how long a source must have delivered for the pause to start
// small again.
const steady = 10 * time.Second

// Pull keeps a source attached to the sink until ctx ends, which is nil, or
// the sink has ended, which is an error. session is one connection, from
// dialling to its end; it reports whether media came. Failures are logged, told
// to the sink, and retried.
func Pull(ctx context.Context, r Retry, log *slog.Logger, sink Sink, session func(context.Context) (delivered bool, err error)) error {
	if r.Backoff <= 0 {
		r.Backoff = time.Second
	}
	if r.Max <= 0 {
		r.Max = 30 * time.Second
	}
	pause := r.Backoff
	for {
		begun := time.Now()
		delivered, err := session(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop
		}
		if errors.Is(err, ErrEnded) {
			return fmt.Errorf("pull: %w", err)
		}
		if delivered && time.Since(begun) >= steady {
			pause = r.Backoff
		}
		wait := pause/2 + rand.N(pause)/2 + 1
		log.Warn("source unavailable", "reason", err, "retry", wait.Round(time.Millisecond))
		sink.Unavailable(err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		pause = min(2*pause, r.Max)
	}
}
