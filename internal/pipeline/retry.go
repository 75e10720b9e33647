package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

const (
	// longestPause is between two attempts to start a worker.
	longestPause = time.Minute
	// startTime bounds an attempt while copied renditions wait for it.
	startTime = 3 * time.Second
)

// nextPause is how long to wait before the next attempt to start a worker.
func (p *Pipeline) nextPause() time.Duration {
	p.pause = min(max(2*p.pause, p.deps.RetryTime), longestPause)
	return p.pause
}

// waitRetry waits until what failed is worth another attempt: where the worker
// did not start, after a while; else when there is something new.
func (p *Pipeline) waitRetry(ctx context.Context, changed <-chan struct{}, failure error) {
	if !errors.Is(failure, errNoWorker) {
		p.waitChange(ctx, changed)
		return
	}
	timer := time.NewTimer(p.nextPause())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}

// retryLater has play try again to start the worker while copied renditions go
// on. ctx is play's.
func (p *Pipeline) retryLater(ctx context.Context) {
	timer := time.AfterFunc(p.nextPause(), func() { p.command(func() { p.retry(ctx) }) })
	context.AfterFunc(ctx, func() { timer.Stop() })
}

func (p *Pipeline) retry(ctx context.Context) {
	g := &p.graph
	if ctx.Err() != nil || g.session != nil || !g.plan.NeedsWorker() {
		return // another session, or another plan has its worker
	}
	ctxStart, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := g.encode(ctxStart); err != nil {
		p.enter(status.Failed, err)
		p.retryLater(ctx)
		return
	}
	g.cutter.Break()
	p.enter(status.Live, nil)
	p.pause = 0
}

// acceptable does for a publisher whose media had to tell what it sends what
// the manager does at the door for the others. One that is refused is told why
// and has to go.
func (p *Pipeline) acceptable(publisher *ingest.Publisher, tracks []*media.Track) bool {
	p.mu.Lock()
	known := p.admitted != nil
	p.mu.Unlock()
	if known || p.judge == nil || publisher == nil {
		return true
	}
	plan, err := transcode.NewPlan(tracks, LivePolicy(p.inForce()))
	if err != nil {
		return true // start says so
	}
	if err := p.judge(plan); err != nil {
		p.refuse(publisher, err)
		return false
	}
	p.admit(plan)
	return true
}

// refuse tells a publisher that is in already why it has to go.
func (p *Pipeline) refuse(publisher *ingest.Publisher, err error) {
	p.log.Warn("publisher refused", "err", err)
	remote := ""
	if a := publisher.Info().Remote; a != nil {
		remote = a.String()
	}
	p.deps.Bus.Send("publisher:refused", p.path, map[string]string{"reason": err.Error(), "remote": remote})
	publisher.Kick(err)
}
