package pipeline

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// replan makes the plan for the tracks in force and puts it into effect: the
// renditions, the Cutter's rules, and a worker where one is needed. What comes
// next starts a new discontinuity.
func (p *Pipeline) replan(gopTooLong bool) error {
	policy := LivePolicy(p.set)
	policy.GOPTooLong = gopTooLong
	plan, err := transcode.NewPlan(p.tracks, policy)
	if err != nil {
		return err
	}
	p.closeSession()
	if err := p.pres.SetRenditions(renditions(plan)); err != nil {
		return fmt.Errorf("set renditions: %w", err)
	}
	p.apply(plan)
	p.cutter.Break()
	p.cutter.Configure(cutting(p.tracks, plan, p.set))
	for _, note := range plan.Notes {
		p.log.Warn(note)
	}
	p.log.Info("renditions", "plan", fmt.Sprint(plan.Renditions))
	if !plan.NeedsWorker() {
		return nil
	}
	_, from := p.cutter.Next()
	session, err := p.deps.Transcoder.Start(p.playing, transcode.Job{
		Name: p.path, Plan: plan, From: from, Output: (*output)(p), Degraded: p.degraded,
	})
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	p.setSession(session)
	for _, placed := range p.gop {
		p.feed(placed)
	}
	return nil
}

// apply remembers which packet goes where.
func (p *Pipeline) apply(plan *transcode.Plan) {
	p.plan, p.copies, p.codes, p.coded = plan, map[int][]string{}, map[int]bool{}, nil
	for _, r := range plan.Renditions {
		if r.Copy {
			p.copies[r.Source] = append(p.copies[r.Source], r.Name)
		} else {
			p.codes[r.Source] = true
			p.coded = append(p.coded, r.Name)
		}
	}
	p.mu.Lock()
	p.shown = plan
	p.mu.Unlock()
}

func (p *Pipeline) setSession(s *transcode.Session) {
	p.session = s
	p.mu.Lock()
	p.working = s
	p.mu.Unlock()
}

// closeSession ends the worker when it has put out what it was given.
func (p *Pipeline) closeSession() {
	if p.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.deps.DrainTime)
	defer cancel()
	if err := p.session.Drain(ctx); err != nil {
		p.log.Warn("the worker's last frames are lost", "err", err)
	}
	p.session.Close()
	p.setSession(nil)
}

// Cut implements Placer.
func (p *Pipeline) Cut(c media.Cut) {
	p.newest.Store(c.Segment)
	p.dropRungs()
	if err := p.pres.Cut(c); err != nil {
		p.log.Error("cut", "segment", c.Segment, "err", err)
	}
	if p.session != nil {
		p.session.Cut(c)
	}
}

// Place implements Placer.
func (p *Pipeline) Place(placed media.Placed) {
	p.remember(placed)
	for _, name := range p.copies[placed.Track.ID] {
		if err := p.pres.Write(name, placed); err != nil {
			p.log.Debug("packet has no place", "rendition", name, "err", err)
		}
	}
	p.feed(placed)
}

func (p *Pipeline) feed(placed media.Placed) {
	if p.session == nil || !p.codes[placed.Track.ID] {
		return
	}
	if err := p.session.Write(placed); err != nil {
		p.log.Debug("worker takes no packet", "err", err)
	}
}

// remember keeps what a worker needs to start between two keyframes.
func (p *Pipeline) remember(placed media.Placed) {
	if placed.Track.Kind == media.Video && placed.Key {
		clear(p.gop)
		p.gop, p.gopSize = p.gop[:0], 0
	}
	if p.gopSize += len(placed.Payload); p.gopSize > maxPriming {
		clear(p.gop)
		p.gop = p.gop[:0]
		return
	}
	p.gop = append(p.gop, placed)
}

// LongGOP implements Placer: what was copied is encoded from the next cut on,
// or cut inside its GOPs where the operator wants it as it is.
func (p *Pipeline) LongGOP() {
	if p.set.Ladder.Mode == config.Passthrough {
		p.pres.SetDependent()
		rules := cutting(p.tracks, p.plan, p.set)
		rules.OnKey = false
		p.cutter.Configure(rules)
		return
	}
	p.log.Info("keyframes are too far apart to copy the source; it is encoded from here on")
	if err := p.replan(true); err != nil {
		p.fail(err)
	}
}

// cutting says how the Cutter must cut for a plan.
func cutting(tracks []*media.Track, plan *transcode.Plan, set config.Stream) CutterConfig {
	lead := tracks[0]
	for _, t := range tracks {
		if t.Kind == media.Video {
			lead = t
			break
		}
	}
	return CutterConfig{Lead: lead.ID, LeadKind: lead.Kind, OnKey: plan.CopiesVideo(), Segment: set.HLS.Segment}
}

// renditions says to the packager what the plan makes.
func renditions(plan *transcode.Plan) []packager.Rendition {
	var out []packager.Rendition
	for _, r := range plan.Renditions {
		pr := packager.Rendition{
			Name: r.Name, Kind: r.Kind, Copy: r.Copy, Bitrate: r.MaxBitrate, AverageBitrate: r.Bitrate, Language: r.Language,
		}
		if pr.Bitrate == 0 {
			pr.Bitrate = r.Bitrate
		}
		out = append(out, pr)
	}
	for i := range out {
		if out[i].Kind == media.Audio {
			out[i].Default = true
			break
		}
	}
	return out
}

// output is the session's side of a Pipeline; its methods run on the session's
// goroutine.
type output Pipeline

// Packet implements transcode.Output.
func (o *output) Packet(rendition string, placed media.Placed) {
	if err := o.pres.Write(rendition, placed); err != nil {
		o.log.Debug("packet has no place", "rendition", rendition, "err", err)
	}
}

// WorkerLost implements transcode.Output.
func (o *output) WorkerLost(err error) {
	p := (*Pipeline)(o)
	p.log.Warn("worker died; another takes over", "err", err)
	p.deps.Bus.Send("worker:died", p.path, map[string]string{"reason": err.Error()})
	p.command(func() {
		p.pres.Lost(p.coded...)
		p.cutter.Break()
	})
}

// degraded is told by the session what it gives up to keep up.
func (p *Pipeline) degraded(d transcode.Degradation) {
	p.log.Warn("the encoders cannot keep up", "gave up", d.String())
	p.deps.Bus.Send("worker:degraded", p.path, map[string]any{"level": d.Level, "gaveUp": d.String()})
	p.command(func() { p.off, p.offCuts = d.Off, 0 })
}

// dropRungs lists the segments of rungs that were switched off as GAP without
// waiting for them. The cut at which they go off still has their last packets
// before it.
func (p *Pipeline) dropRungs() {
	if p.offCuts++; p.offCuts > 1 && len(p.off) > 0 {
		p.pres.Lost(p.off...)
	}
}

// Failed implements transcode.Output.
func (o *output) Failed(err error) {
	p := (*Pipeline)(o)
	p.command(func() {
		p.pres.Lost(p.coded...)
		p.closeSession()
		p.fail(err)
	})
}
