package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// maxPriming bounds what is kept to start a worker in the middle of a GOP.
const maxPriming = 16 << 20

// graph is the way from the Cutter to the presentation, for one plan at a
// time: copied renditions directly, coded ones by way of a coder. It is the
// Cutter's Placer and belongs to the goroutine that pushes packets.
type graph struct {
	name      string // the stream's path, for logs
	log       *slog.Logger
	code      func(context.Context, transcode.Job) (encoders, error)
	pres      presenter
	cutter    *Cutter
	policy    transcode.Policy
	drainTime time.Duration // bounds the wait for a coder's last packets; 0 is no bound
	owner     owner
	again     func() bool // may begin anew instead of giving up a copy; may be nil

	tracks  []*media.Track
	plan    *transcode.Plan
	copies  map[int][]string // names of the copied renditions, by source track
	coded   []string         // names of the coded renditions
	session encoders
	gop     []media.Placed // since the newest keyframe of the video
	gopSize int            // bytes
	off     []string       // renditions that the session gave up
	offCuts int            // cuts since it said so
	preset  string         // that its load put in place of the encoders' own

	seen    seen
	reached time.Duration           // media time of the newest packet that was placed
	newest  atomic.Pointer[Numbers] // of the newest segment; anybody may ask
}

// presenter takes what a graph makes.
type presenter interface {
	SetPlan(*transcode.Plan) error
	Cut(media.Cut) error
	Write(rendition string, p media.Placed) error
	Lost(renditions ...string)
	SetDependent()
	Suspend()
}

// encoders carry a plan out: a worker's session, or a ladder in this process.
type encoders interface {
	Cut(media.Cut)
	Write(media.Placed) error
	Drain(context.Context) error
	Close()
}

// presentation is a packager's, as a presenter.
type presentation struct{ *packager.Presentation }

// SetPlan implements presenter.
func (p presentation) SetPlan(plan *transcode.Plan) error { return p.SetRenditions(renditions(plan)) }

// owner is told what a graph comes to. All but Output's methods are called on
// the graph's goroutine.
type owner interface {
	transcode.Output

	// playing is the context that the graph works in.
	playing() context.Context
	// planned tells of a new plan, working of its coder (nil: none any more).
	planned(*transcode.Plan)
	working(encoders)
	// degraded tells what a live session gives up; it comes from a goroutine
	// of the session's.
	degraded(transcode.Degradation)
	// trouble tells of a packet or a cut that could not be taken.
	trouble(error)
	// broken tells that the plan cannot be carried out.
	broken(error)
}

// begin has segments and discontinuities numbered above the given ones.
func (g *graph) begin(above Numbers) {
	g.newest.Store(&above)
	g.cutter = NewCutter(above, g)
}

// byWorkers has the graph's plans carried out by worker processes, and shown
// in pres.
func (g *graph) byWorkers(s *transcode.Supervisor, pres *packager.Presentation) {
	g.pres = presentation{pres}
	g.code = func(ctx context.Context, job transcode.Job) (encoders, error) {
		session, err := s.Start(ctx, job)
		if err != nil {
			return nil, err
		}
		return session, nil
	}
}

// start makes ready for a source with these tracks.
func (g *graph) start(ctx context.Context, tracks []*media.Track, policy transcode.Policy) error {
	clear(g.gop)
	g.gop = g.gop[:0]
	return g.replan(ctx, tracks, policy)
}

// errNoWorker is wrapped where a plan is in force, but nothing is coded.
var errNoWorker = errors.New("no worker")

// replan makes another plan and puts it into effect: the renditions, the
// Cutter's rules, and a worker where one is needed. What comes next starts a
// new discontinuity.
func (g *graph) replan(ctx context.Context, tracks []*media.Track, policy transcode.Policy) error {
	plan, err := transcode.NewPlan(tracks, policy)
	if err != nil {
		return err
	}
	g.tracks, g.policy = tracks, policy
	g.closeSession(ctx)
	if err := g.pres.SetPlan(plan); err != nil {
		return fmt.Errorf("set renditions: %w", err)
	}
	g.apply(plan)
	g.cutter.Break()
	g.cutter.Configure(g.rules(plan.CopiesVideo()))
	for _, note := range plan.Notes {
		g.log.Warn(note)
	}
	g.log.Info("renditions", "plan", fmt.Sprint(plan.Renditions))
	if !plan.NeedsWorker() {
		return nil
	}
	return g.encode(ctx)
}

// encode starts the coders that the plan needs. What they make begins with the
// next discontinuity: the caller sees to it that one comes.
func (g *graph) encode(ctx context.Context) error {
	_, from := g.cutter.Next()
	session, err := g.code(ctx, transcode.Job{
		Name: g.name, Plan: g.plan, From: from, Output: g.owner, Degraded: g.owner.degraded,
	})
	if err != nil {
		g.pres.Lost(g.coded...)
		return fmt.Errorf("%w: %w", errNoWorker, err)
	}
	g.session = session
	g.owner.working(session)
	for _, placed := range g.gop {
		g.feed(placed)
	}
	return nil
}

// degrade takes note of what the session gives up, or takes back. Another
// preset comes into force at the next discontinuity, since it brings other
// parameter sets.
func (g *graph) degrade(d transcode.Degradation) {
	g.off, g.offCuts = d.Off, 0
	if d.Preset != g.preset {
		g.preset = d.Preset
		g.cutter.Break()
	}
}

// apply remembers which packet goes where.
func (g *graph) apply(plan *transcode.Plan) {
	g.plan, g.copies, g.coded, g.off, g.preset = plan, map[int][]string{}, nil, nil, ""
	for _, r := range plan.Renditions {
		if r.Copy {
			g.copies[r.Source] = append(g.copies[r.Source], r.Name)
		} else {
			g.coded = append(g.coded, r.Name)
		}
	}
	g.owner.planned(plan)
}

// closeSession ends the worker when it has put out what it was given.
func (g *graph) closeSession(ctx context.Context) {
	if g.session == nil {
		return
	}
	if err := g.drain(ctx); err != nil {
		g.log.Warn("the worker's last packets are lost", "err", err)
	}
	g.dropSession()
}

// drain waits for what the worker still has to put out: for drainTime even
// where ctx has ended because the publisher is gone, or for as long as ctx.
func (g *graph) drain(ctx context.Context) error {
	if g.drainTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), g.drainTime)
		defer cancel()
	}
	return g.session.Drain(ctx)
}

// dropSession ends the worker, whatever it still has.
func (g *graph) dropSession() {
	if g.session != nil {
		g.session.Close()
		g.session = nil
		g.owner.working(nil)
	}
}

// workerLost makes room for another worker's output.
func (g *graph) workerLost() {
	g.pres.Lost(g.coded...)
	g.cutter.Break()
}

// Cut implements Placer.
func (g *graph) Cut(c media.Cut) {
	g.newest.Store(&Numbers{c.Segment, c.Discontinuity})
	g.dropRungs()
	if err := g.pres.Cut(c); err != nil {
		if !errors.Is(err, packager.ErrEnded) && !errors.Is(err, packager.ErrClosed) {
			g.log.Warn("a segment is missing: the packager refuses its cut", "segment", c.Segment, "err", err)
		}
		g.owner.trouble(fmt.Errorf("cut segment %d: %w", c.Segment, err))
	}
	if g.session != nil {
		g.session.Cut(c)
	}
}

// Place implements Placer.
func (g *graph) Place(placed media.Placed) {
	g.remember(placed)
	g.reached = max(g.reached, media.Duration(placed.PTS+placed.Duration, placed.Track.ClockRate))
	for _, name := range g.copies[placed.Track.ID] {
		if err := g.pres.Write(name, placed); err != nil {
			g.owner.trouble(fmt.Errorf("write to %s: %w", name, err))
		}
	}
	g.feed(placed)
}

func (g *graph) feed(placed media.Placed) {
	if g.session == nil {
		return
	}
	if err := g.session.Write(placed); err != nil && !errors.Is(err, transcode.ErrClosed) {
		g.owner.trouble(fmt.Errorf("write to worker: %w", err))
	}
}

// remember keeps what a worker needs to start between two keyframes.
func (g *graph) remember(placed media.Placed) {
	if placed.Track.Codec == media.Raw {
		return // coders of frames start anywhere
	}
	key := placed.Track.Kind == media.Video && placed.Key
	if len(g.gop) == 0 && !key {
		return
	}
	if g.gopSize += len(placed.Payload); key || g.gopSize > maxPriming {
		clear(g.gop)
		g.gop, g.gopSize = g.gop[:0], len(placed.Payload)
	}
	if key || len(g.gop) > 0 {
		g.gop = append(g.gop, placed)
	}
}

// push lets the Cutter place a packet, unless viewers have it.
func (g *graph) push(p *media.Packet) {
	if g.seen.covers(p) {
		g.prime(p)
		return
	}
	g.cutter.Push(p)
}

// prime lets decoders see what is not put out.
func (g *graph) prime(p *media.Packet) {
	placed := media.Placed{Packet: p}
	g.remember(placed)
	g.feed(placed)
}

// Drop implements Placer.
func (g *graph) Drop(*media.Packet) {}

// LongGOP implements Placer: what was copied is encoded from the next cut on,
// or cut inside its GOPs where the operator wants it as it is.
func (g *graph) LongGOP() {
	if g.policy.Mode != transcode.Auto && g.policy.Mode != "" {
		g.pres.SetDependent()
		g.cutter.Configure(g.rules(false))
		return
	}
	if g.again != nil && g.again() {
		return
	}
	g.log.Info("keyframes are too far apart to copy the source; it is encoded from here on")
	ctx, before, policy := g.owner.playing(), g.policy, g.policy
	policy.GOPTooLong = true
	err := g.replan(ctx, g.tracks, policy)
	if errors.Is(err, transcode.ErrOverloaded) {
		g.log.Warn("the source is cut inside its GOPs after all", "err", err)
		err = g.replan(ctx, g.tracks, before)
		g.pres.SetDependent()
		g.cutter.Configure(g.rules(false))
	}
	if err != nil {
		g.owner.broken(err)
	}
}

// dropRungs lists the segments of rungs that were switched off as GAP without
// waiting for them. The cut at which they go off still has their last packets
// before it.
func (g *graph) dropRungs() {
	if g.offCuts++; g.offCuts > 1 && len(g.off) > 0 {
		g.pres.Lost(g.off...)
	}
}

// rules say how the Cutter must cut.
func (g *graph) rules(onKey bool) CutterConfig {
	t := lead(g.tracks)
	copied := map[int]bool{}
	for id := range g.copies {
		copied[id] = true
	}
	return CutterConfig{Lead: t.ID, LeadKind: t.Kind, OnKey: onKey, Copied: copied, Segment: g.policy.Segment}
}

func (g *graph) hasVideo() bool { return lead(g.tracks).Kind == media.Video }

// lead is the track that decides where segments start: the first video, or
// the first of all where there is none.
func lead(tracks []*media.Track) *media.Track {
	for _, t := range tracks {
		if t.Kind == media.Video {
			return t
		}
	}
	return tracks[0]
}

// renditions say to the packager what the plan makes.
func renditions(plan *transcode.Plan) []packager.Rendition {
	var out []packager.Rendition
	for _, r := range plan.Renditions {
		out = append(out, packager.Rendition{
			Name: r.Name, Kind: r.Kind, Copy: r.Copy, Language: r.Language,
			Bitrate: max(r.Bitrate, r.MaxBitrate), AverageBitrate: r.Bitrate,
			Group: r.Group, Title: r.Title, Default: r.Default,
		})
	}
	return out
}
