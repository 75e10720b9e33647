package pipeline

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// sinkPlacer is a Sink as its Cutter's Placer: frames that have no way on are
// freed.
type sinkPlacer Sink

// Cut implements Placer.
func (p *sinkPlacer) Cut(c media.Cut) {
	p.begun = true
	p.graph.Cut(c)
}

// Place implements Placer.
func (p *sinkPlacer) Place(placed media.Placed) {
	p.graph.Place(placed)
	(*Sink)(p).release(placed.Packet)
}

// Drop implements Placer.
func (p *sinkPlacer) Drop(packet *media.Packet) { (*Sink)(p).release(packet) }

// LongGOP implements Placer.
func (p *sinkPlacer) LongGOP() { p.graph.LongGOP() }

// sinkOutput is a Sink's output as its graph's presenter.
type sinkOutput struct {
	sink *Sink
	plan *transcode.Plan
}

// SetPlan implements presenter.
func (o *sinkOutput) SetPlan(plan *transcode.Plan) error {
	o.plan = plan
	return o.sink.cfg.Output.Plan(plan, false)
}

// SetDependent implements presenter.
func (o *sinkOutput) SetDependent() { o.sink.fail(o.sink.cfg.Output.Plan(o.plan, true)) }

// Cut implements presenter.
func (o *sinkOutput) Cut(c media.Cut) error {
	err := o.sink.cfg.Output.Cut(c)
	o.sink.fail(err)
	return err
}

// Write implements presenter.
func (o *sinkOutput) Write(rendition string, p media.Placed) error {
	err := o.sink.cfg.Output.Write(rendition, p)
	o.sink.fail(err)
	return err
}

// Lost implements presenter; a ladder in this process loses nothing but what it
// gives up, and GivenUp tells that.
func (o *sinkOutput) Lost(...string) {}

// Suspend implements presenter.
func (o *sinkOutput) Suspend() {}

// sinkOwner is a Sink as the owner of its graph. Of transcode.Output it has
// what a ladder in this process tells.
type sinkOwner Sink

// Packet implements transcode.Output. It comes from goroutines of the ladder,
// while the sink may be waiting for that.
func (o *sinkOwner) Packet(rendition string, p media.Placed) {
	if err := o.cfg.Output.Write(rendition, p); err != nil {
		o.close()
	}
}

// WorkerLost implements transcode.Output.
func (o *sinkOwner) WorkerLost(error) {}

// Failed implements transcode.Output.
func (o *sinkOwner) Failed(err error) { o.broken(err) }

func (o *sinkOwner) playing() context.Context { return o.ctx }

func (o *sinkOwner) planned(*transcode.Plan) {}

func (o *sinkOwner) working(encoders) {}

func (o *sinkOwner) degraded(transcode.Degradation) {}

func (o *sinkOwner) trouble(err error) { o.cfg.Logger.Debug("packet has no place", "err", err) }

func (o *sinkOwner) broken(err error) { (*Sink)(o).fail(err) }

// code has a plan carried out in this process.
func (s *Sink) code(_ context.Context, job transcode.Job) (encoders, error) {
	governor := transcode.NewGovernor(job.Plan, job.From)
	if governor != nil {
		job.Output = governed{job.Output, governor}
	}
	run, err := s.cfg.Engine.Ladder(job.Plan, job.From, job.Output)
	if err != nil {
		return nil, fmt.Errorf("make the ladder: %w", err)
	}
	return &inHouse{sink: s, run: run, governor: governor}, nil
}

// governed is a ladder's output that its governor sees.
type governed struct {
	transcode.Output
	governor *transcode.Governor
}

// Packet implements transcode.Output.
func (g governed) Packet(rendition string, p media.Placed) {
	g.governor.Made(rendition, p)
	g.Output.Packet(rendition, p)
}

// govern gives up, or takes back, what the ladder's load asks for.
func (s *Sink) govern() {
	l, ok := s.graph.session.(*inHouse)
	if !ok || l.governor == nil {
		return
	}
	d, changed := l.governor.Look(s.last, s.cfg.Behind)
	if !changed {
		return
	}
	l.run.Tune(d)
	s.graph.degrade(d)
	s.fail(s.cfg.Output.GivenUp(d))
}

// inHouse is a ladder in this process as a graph's encoders. The sink's mutex
// is held in all calls.
type inHouse struct {
	sink     *Sink
	run      transcode.LadderRun
	governor *transcode.Governor // nil: nothing is to be given up
}

// Cut implements encoders.
func (l *inHouse) Cut(c media.Cut) {
	if l.governor != nil {
		l.governor.Cut(c)
	}
	l.sink.fail(l.run.Cut(c))
}

// Write implements encoders.
func (l *inHouse) Write(p media.Placed) error {
	if l.governor == nil {
		return l.write(p)
	}
	begun := media.Now()
	err := l.write(p)
	l.governor.Wrote(p, media.Now()-begun)
	return err
}

func (l *inHouse) write(p media.Placed) error {
	f := l.sink.frames[p.Packet]
	if f == nil {
		err := l.run.Write(p)
		l.sink.fail(err)
		return err
	}
	delete(l.sink.frames, p.Packet)
	err := l.run.WriteFrame(p.Track, f, p.Arrival)
	l.sink.fail(err)
	return err
}

// Drain implements encoders.
func (l *inHouse) Drain(ctx context.Context) error { return l.run.Drain(ctx) }

// Close implements encoders.
func (l *inHouse) Close() { l.sink.fail(l.run.Close()) }
