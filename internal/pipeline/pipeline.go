package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/recording"
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
	base    config.Stream // what the configuration says
	set     config.Stream // what holds
	last    Numbers       // what a predecessor used last
	deps    *Deps
	log     *slog.Logger
	stream  *ingest.Stream
	script  *scripted // nil: the built-in way
	created time.Time
	retired chan struct{} // closed when a successor has the path

	// judge refuses a plan as the manager does at the door; nil refuses none.
	judge func(*transcode.Plan) error

	alive context.Context // ends with the stream
	die   context.CancelFunc

	// Owned by run.
	graph   graph
	session context.Context // of play: one publisher's
	pub     *ingest.Publisher
	epoch   uint32           // of the newest packet
	shift   *recording.Shift // the media of time shift; nil without
	rec     *recording.Recorder
	pause   time.Duration // before a worker that did not start is tried again

	marks atomic.Uint64 // markers that were given an ID

	mu       sync.Mutex
	pres     *packager.Presentation
	shape    config.HLS // of pres: a script may want another one than set does
	state    status.State
	since    time.Time
	lastErr  error
	warning  error              // what is wrong though the stream is live
	shown    *transcode.Plan    // the plan in force, for Status
	admitted *transcode.Plan    // as the newest publisher was let in, for has
	worker   *transcode.Session // the session at work, for Status
	workers  int                // how many sessions are over
	commands []func()
	wake     context.CancelFunc // interrupts run's wait for a packet
}

// newPipeline makes a pipeline that lives in ctx and numbers above what a
// predecessor used last.
func newPipeline(ctx context.Context, path string, set config.Stream, last Numbers, deps *Deps) (*Pipeline, error) {
	log := deps.Logger.With("stream", path)
	var p *Pipeline
	p = &Pipeline{
		path: path, set: set, deps: deps, log: log,
		stream: ingest.NewStream(path, ingest.StreamOptions{
			Takeover: set.Takeover, Hold: holdOf(set), Gather: deps.Gather, Logger: deps.Logger,
			OnMark: func(m media.Marker) { p.sourceMark(m) },
		}),
		last: last, created: time.Now(),
		retired: make(chan struct{}),
		state:   status.Waiting, since: time.Now(),
	}
	p.graph.name, p.graph.log, p.graph.owner = path, log, (*live)(p)
	p.graph.drainTime = deps.DrainTime
	if err := p.present(set.HLS); err != nil {
		return nil, err
	}
	p.alive, p.die = context.WithCancel(ctx)
	if set.Pipeline != "" {
		p.script = newScripted(p)
	}
	return p, nil
}

// present makes the presentation, or another one in its place while viewers
// have nothing of it. It numbers above what a predecessor used last, and right
// behind what is in its time shift.
func (p *Pipeline) present(hls config.HLS) error {
	prot, err := protection(hls.Encryption, p.path)
	if err != nil {
		return err
	}
	rec := p.recorder()
	p.records(rec)
	c := packager.Config{
		Segment: hls.Segment, Part: hls.Part, Window: hls.Window, LowLatency: hls.LowLatency, Container: container(inTS(hls)),
		AudioOnly: hls.AudioOnly,
		Store:     store.Memory{}, Markers: true, Recorder: recorders(rec, p.shift), Logger: p.log, Protection: prot,
		Subtitles: subtitles(hls.Subtitles), OnSegment: p.listed(), Pictures: p.pictures(),
		OnTrouble: func(rendition string, err error) {
			p.log.Warn("segment", "rendition", rendition, "err", err)
		},
	}
	above := numbersAt(p.created).above(p.last)
	if p.shift != nil {
		c.Store, c.DVR, c.Past = p.shift, hls.DVR, p.shift.Past()
		c.PastDateRanges = p.shift.PastDateRanges()
		if segment, discontinuity, ok := p.shift.Last(); ok {
			above = Numbers{Segment: segment, Discontinuity: discontinuity}
		}
	}
	pres, err := packager.New(c)
	if err != nil {
		p.records(nil)
		return fmt.Errorf("make presentation: %w", err)
	}
	p.mu.Lock()
	old := p.pres
	p.pres, p.shape = pres, hls
	p.mu.Unlock()
	if old != nil {
		old.Close()
	}
	p.graph.begin(above)
	p.graph.byWorkers(p.deps.Transcoder, pres)
	return nil
}

// presented is the presentation, and how long its segments are meant to be.
func (p *Pipeline) presented() (*packager.Presentation, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pres, p.shape.Segment
}

// inForce is the stream's configuration with the shape that it really has.
func (p *Pipeline) inForce() config.Stream {
	set := p.set
	p.mu.Lock()
	defer p.mu.Unlock()
	set.HLS = p.shape
	return set
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
	defer p.die()
	if err := p.reshape(p.set.HLS); err != nil {
		p.enter(status.Failed, err)
	}
	defer func() {
		pres, _ := p.presented()
		pres.Close()
		p.closeShift(ctx)
	}()
	for ctx.Err() == nil {
		if p.script.wanted() {
			p.script.perform(ctx)
			continue
		}
		changed := p.stream.Changed()
		state, reason := p.stream.State(), p.stream.Reason()
		switch state {
		case ingest.Live:
			if err := p.play(ctx); err != nil && ctx.Err() == nil {
				p.enter(status.Failed, err)
				p.waitRetry(ctx, changed, err)
			}
			continue
		case ingest.Lost:
			p.enter(status.Lost, reason)
		case ingest.Ended:
			p.end(reason) //nolint:contextcheck // it is bounded by itself
			p.linger(ctx)
			return
		}
		p.waitChange(ctx, changed)
	}
	p.stream.Close(ctx.Err())
	p.end(context.Cause(ctx)) //nolint:contextcheck // as above
}

func (p *Pipeline) waitChange(ctx context.Context, changed <-chan struct{}) {
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// over reports whether the stream has ended, so that a publisher needs a new
// one.
func (p *Pipeline) over() bool { return p.stream.State() == ingest.Ended }

// retire makes an ended pipeline go at once, because a successor has its path.
func (p *Pipeline) retire() { close(p.retired) }

// linger keeps the ended presentation for those who are still watching it.
func (p *Pipeline) linger(ctx context.Context) {
	timer := time.NewTimer(p.inForce().HLS.Window)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.retired:
	case <-ctx.Done():
	}
}

func (p *Pipeline) end(reason error) {
	p.die()
	pres, _ := p.presented()
	if err := pres.End(); err != nil {
		p.log.Warn("end of presentation", "err", err)
	}
	p.records(nil)
	p.enter(status.Ended, reason)
}

// play carries one publishing session from its first packet to its last.
func (p *Pipeline) play(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel()

	g := &p.graph
	publisher, tracks := p.stream.Publisher(), p.stream.Tracks()
	if p.pub != publisher {
		g.cutter.Follow(p.senderClock())
	}
	p.session, p.pub, p.epoch = ctx, publisher, 0
	if !p.acceptable(publisher, tracks) {
		return nil
	}
	err := g.start(ctx, tracks, LivePolicy(p.inForce()))
	defer g.dropSession()
	if err != nil && (!errors.Is(err, errNoWorker) || len(g.copies) == 0) {
		return err
	}
	sub := p.stream.Subscribe(media.SubscribeOptions{Name: "pipeline", Beginning: true, Batch: true})
	defer sub.Close()
	p.awaitReport(ctx, publisher, lead(tracks))
	if err != nil {
		p.enter(status.Failed, err)
		p.retryLater(ctx)
	} else {
		p.enter(status.Live, nil)
		p.pause = 0
	}

	present, leave := context.WithCancel(ctx) // as long as the publisher is there
	defer leave()
	helpers.Go(func() { p.watch(ctx, publisher, len(tracks), leave) })
	for p.pump(present, sub) {
		p.obey()
		if present.Err() != nil {
			p.rest(present, sub)
			break
		}
	}
	p.lost(ctx)
	return nil
}

// pump passes packets on until there is a command to obey or ctx ends. It
// reports false when no packet of this session is left.
func (p *Pipeline) pump(ctx context.Context, sub media.Subscription) bool {
	wait, wake := context.WithCancel(ctx)
	defer wake()
	p.listen(wake)
	for wait.Err() == nil {
		packet, err := sub.Next(wait)
		switch {
		case err != nil:
			return !errors.Is(err, io.EOF)
		case p.foreign(packet):
			return false
		}
		p.graph.push(packet)
	}
	return true
}

// rest passes on what is queued when the publisher has left; gone has ended,
// so that nothing is waited for.
func (p *Pipeline) rest(gone context.Context, sub media.Subscription) {
	for {
		packet, err := sub.Next(gone)
		if err != nil || p.foreign(packet) {
			return
		}
		p.graph.push(packet)
	}
}

// foreign reports whether a packet belongs to the next session: another
// publisher sent it, or it is the picture of a stream that had none. The
// backlog will have it again.
func (p *Pipeline) foreign(packet *media.Packet) bool {
	if packet.Track.Kind == media.Video && !p.graph.hasVideo() {
		return true
	}
	if packet.Epoch == p.epoch {
		return false
	}
	p.epoch = packet.Epoch
	now := p.stream.Publisher()
	return now != nil && now != p.pub
}

// watch calls leave when the publisher is gone or has a successor, or a script
// that was given up is to have another try, and makes another plan when there are other tracks.
func (p *Pipeline) watch(ctx context.Context, publisher *ingest.Publisher, tracks int, leave func()) {
	for ctx.Err() == nil {
		changed := p.stream.Changed()
		if p.stream.State() != ingest.Live || p.stream.Publisher() != publisher {
			leave()
			return
		}
		if now := p.stream.Tracks(); len(now) != tracks {
			tracks = len(now)
			p.command(func() { p.retrack(ctx, now) })
		}
		if p.script.comesBack(ctx, changed) {
			leave()
			return
		}
	}
}

// retrack goes on with a track more. A picture that joins sound is a session
// of its own: see foreign.
func (p *Pipeline) retrack(ctx context.Context, tracks []*media.Track) {
	if lead(tracks).Kind == media.Video && !p.graph.hasVideo() {
		return
	}
	if err := p.graph.replan(ctx, tracks, p.graph.policy); err != nil {
		(*live)(p).broken(err)
	}
}

// lost gets everything out that is still on its way and lets the playlists
// stand still.
func (p *Pipeline) lost(ctx context.Context) {
	p.graph.cutter.Flush()
	p.graph.closeSession(ctx)
	p.graph.pres.Suspend()
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
