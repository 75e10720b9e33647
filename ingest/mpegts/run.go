package mpegts

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
)

var errSilent = errors.New("nothing that can be used has come")

// Run feeds the Receiver with what read returns, which is valid until it is
// called again, until read fails. It makes that happen by interrupt when ctx
// ends, when the publisher must go, and when nothing that a track could use has
// come for so long as silence; the time that Attach takes does not count. It
// returns why it ended; the publisher is not closed. What is interrupted before
// it was attached never is.
func (r *Receiver) Run(ctx context.Context, silence time.Duration, interrupt func(), read func() ([]byte, error)) error {
	var interrupted atomic.Bool
	stop, watched := make(chan struct{}), make(chan error, 1)
	go func() {
		err := r.watch(ctx, stop, silence)
		if err != nil {
			interrupted.Store(true)
			interrupt()
		}
		watched <- err
	}()
	err := r.readAll(read, &interrupted)
	close(stop)
	if why := <-watched; why != nil {
		return why
	}
	return err
}

func (r *Receiver) readAll(read func() ([]byte, error), interrupted *atomic.Bool) error {
	for {
		b, err := read()
		if len(b) > 0 {
			if err := r.Feed(b, media.Now()); err != nil {
				return err
			}
		}
		if err == nil {
			continue
		}
		if r.pub != nil || !interrupted.Load() {
			if err := r.End(); err != nil {
				return err
			}
		}
		return err
	}
}

// watch returns why reading has to end; nil: it has ended.
func (r *Receiver) watch(ctx context.Context, stop <-chan struct{}, silence time.Duration) error {
	timer := time.NewTimer(silence)
	defer timer.Stop()
	attached, gone := r.attached, (<-chan struct{})(nil)
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-attached:
			attached, gone = nil, r.pub.Done()
		case <-gone:
			return r.pub.Err()
		case <-timer.C:
			if r.attaching.Load() {
				timer.Reset(silence)
				continue
			}
			silent := media.Now() - time.Duration(r.heard.Load())
			if silent >= silence {
				return fmt.Errorf("%w for %v", errSilent, silence)
			}
			timer.Reset(silence - silent)
		}
	}
}
