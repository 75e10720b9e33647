package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/transcode"
)

// Pipeline is one stream's graph and its life. The goroutine in run owns it:
// it reads the stream's packets, lets the Cutter place them, and hands each to
// the presentation and to the worker's session.
//
//	state    event                              next
//	waiting  the ingest stream is live          live
//	live     publisher lost                     lost     playlists stand still
//	live     the plan cannot be made, or the    failed   copied renditions go on
//	         worker is given up
//	lost     publisher back                     live     with a discontinuity
//	failed   publisher lost                     lost
//	any      hold over, stream closed           ended    ENDLIST
//	ended    one window later                   (gone)
type Pipeline struct {
	path    string
	set     config.Stream
	deps    *Deps
	log     *slog.Logger
	stream  *ingest.Stream
	pres    *packager.Presentation
	created time.Time
	retired chan struct{} // closed when a successor has the path
	gone    chan struct{} // closed when run has returned

	// Owned by run.
	graph   graph
	session context.Context // of play: one publisher's

	mu       sync.Mutex
	state    status.State
	since    time.Time
	lastErr  error
	shown    *transcode.Plan    // the plan in force, for Status
	worker   *transcode.Session // the session at work, for Status
	commands []func()
	wake     context.CancelFunc // interrupts run's wait for a packet
}

// newPipeline makes a pipeline that numbers above what a predecessor used last.
func newPipeline(path string, set config.Stream, last Numbers, deps *Deps) (*Pipeline, error) {
	log := deps.Logger.With("stream", path)
	p := &Pipeline{
		path: path, set: set, deps: deps, log: log,
		stream: ingest.NewStream(path, ingest.StreamOptions{
			Takeover: set.Takeover, Hold: holdOf(set), Gather: deps.Gather, Logger: deps.Logger,
		}),
		created: time.Now(),
		retired: make(chan struct{}),
		gone:    make(chan struct{}),
		state:   status.Waiting, since: time.Now(),
	}
	var err error
	p.pres, err = packager.New(packager.Config{
		Segment: set.HLS.Segment, Part: set.HLS.Part, Window: set.HLS.Window,
		Store: store.Memory{}, Logger: log,
		OnTrouble: func(rendition string, err error) {
			log.Warn("segment", "rendition", rendition, "err", err)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make presentation: %w", err)
	}
	p.graph.name, p.graph.log, p.graph.owner = path, log, (*live)(p)
	p.graph.transcoder, p.graph.pres, p.graph.drainTime = deps.Transcoder, p.pres, deps.DrainTime
	p.graph.begin(numbersAt(p.created).above(last))
	return p, nil
}

// holdOf is how long the stream waits for its publisher: a source is the
// server's own to bring back, so it is waited for until the stream is removed.
func holdOf(set config.Stream) time.Duration {
	if set.Source != "" {
		return -1
	}
	return set.Hold
}

// run is the pipeline's goroutine. It returns when nothing of the stream is
// left.
func (p *Pipeline) run(ctx context.Context) {
	defer close(p.gone)
	defer p.pres.Close()
	for ctx.Err() == nil {
		changed := p.stream.Changed()
		state, reason := p.stream.State(), p.stream.Reason()
		switch state {
		case ingest.Live:
			if err := p.play(ctx); err != nil {
				p.enter(status.Failed, err)
				p.waitChange(ctx, changed)
			}
			continue
		case ingest.Lost:
			p.enter(status.Lost, reason)
		case ingest.Ended:
			p.end(reason)
			p.linger(ctx)
			return
		}
		p.waitChange(ctx, changed)
	}
	p.stream.Close(ctx.Err())
	p.end(context.Cause(ctx))
}

func (p *Pipeline) waitChange(ctx context.Context, changed <-chan struct{}) {
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// over reports whether the stream has ended, so that a publisher needs a new
// one.
func (p *Pipeline) over() bool {
	state := p.stream.State()
	return state == ingest.Ended
}

// retire makes an ended pipeline go at once, because a successor has its path.
func (p *Pipeline) retire() { close(p.retired) }

// linger keeps the ended presentation for those who are still watching it.
func (p *Pipeline) linger(ctx context.Context) {
	timer := time.NewTimer(p.set.HLS.Window)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.retired:
	case <-ctx.Done():
	}
}

func (p *Pipeline) end(reason error) {
	if err := p.pres.End(); err != nil {
		p.log.Warn("end of presentation", "err", err)
	}
	p.enter(status.Ended, reason)
}

// play carries one publishing session from its first packet to its last.
func (p *Pipeline) play(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel()

	g := &p.graph
	p.session = ctx
	publisher, tracks := p.stream.Publisher(), p.stream.Tracks()
	if err := g.start(ctx, tracks, LivePolicy(p.set)); err != nil {
		return err
	}
	defer g.dropSession()
	sub := p.stream.Subscribe(media.SubscribeOptions{Name: "pipeline", Backlog: true, Batch: true})
	defer sub.Close()

	over := false
	helpers.Go(func() { p.watch(ctx, publisher, len(tracks), func() { over = true }) })
	p.enter(status.Live, nil)
	for {
		wait, wake := context.WithCancel(ctx)
		p.listen(wake)
		for {
			packet, err := sub.Next(wait)
			if err == nil {
				g.cutter.Push(packet)
				continue
			}
			if errors.Is(err, io.EOF) {
				over = true
			}
			break
		}
		wake()
		p.obey()
		if over || ctx.Err() != nil {
			p.lost(ctx)
			return nil
		}
	}
}

// watch ends play when the publisher is gone, has a successor, or sends another
// number of tracks.
func (p *Pipeline) watch(ctx context.Context, publisher *ingest.Publisher, tracks int, over func()) {
	for {
		changed := p.stream.Changed()
		state := p.stream.State()
		if state != ingest.Live || p.stream.Publisher() != publisher || len(p.stream.Tracks()) != tracks {
			p.command(over)
			return
		}
		p.waitChange(ctx, changed)
		if ctx.Err() != nil {
			return
		}
	}
}

// lost gets everything out that is still on its way and lets the playlists
// stand still.
func (p *Pipeline) lost(ctx context.Context) {
	p.graph.cutter.Flush()
	p.graph.closeSession(ctx)
	p.pres.Suspend()
}

// command has run execute f between two packets.
func (p *Pipeline) command(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, f)
	if p.wake != nil {
		p.wake()
	}
}

// listen lets commands interrupt the wait for packets by wake.
func (p *Pipeline) listen(wake context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = wake
	if len(p.commands) > 0 {
		wake()
	}
}

func (p *Pipeline) obey() {
	p.mu.Lock()
	commands := p.commands
	p.commands = nil
	p.mu.Unlock()
	for _, f := range commands {
		f()
	}
}

// enter makes a state known.
func (p *Pipeline) enter(state status.State, reason error) {
	p.mu.Lock()
	changed := p.state != state
	if changed {
		p.state, p.since = state, time.Now()
	}
	if reason != nil {
		p.lastErr = reason
	} else if state == status.Live {
		p.lastErr = nil
	}
	p.mu.Unlock()
	if !changed {
		return
	}
	text := ""
	if reason != nil {
		text = reason.Error()
	}
	p.log.Info("stream is "+string(state), "reason", text)
	p.deps.Bus.Send("stream:"+string(state), p.path, map[string]string{"reason": text})
}
