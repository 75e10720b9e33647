package pipeline

import (
	"context"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/transcode"
)

// live is a Pipeline as the owner of its graph.
type live Pipeline

// Packet implements transcode.Output.
func (l *live) Packet(rendition string, placed media.Placed) {
	if err := l.graph.pres.Write(rendition, placed); err != nil {
		l.trouble(err)
	}
}

// WorkerLost implements transcode.Output.
func (l *live) WorkerLost(err error) {
	p := (*Pipeline)(l)
	p.deps.Bus.Send("worker:died", p.path, map[string]string{"reason": err.Error()})
	p.heed(p.graph.workerLost)
}

// Failed implements transcode.Output: what can be copied still is.
func (l *live) Failed(err error) {
	p := (*Pipeline)(l)
	p.heed(func() {
		p.graph.pres.Lost(p.graph.coded...)
		p.graph.dropSession()
		l.broken(err)
	})
}

func (l *live) playing() context.Context { return l.session }

func (l *live) planned(plan *transcode.Plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = plan
}

func (l *live) working(c encoders) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.worker, _ = c.(*transcode.Session); l.worker == nil {
		l.workers++
	}
}

// heed is command for what a session says: it does not outlive the session.
func (p *Pipeline) heed(f func()) {
	p.mu.Lock()
	session := p.workers
	p.mu.Unlock()
	p.command(func() {
		if session == p.workers { // only run changes it
			f()
		}
	})
}

func (l *live) degraded(d transcode.Degradation) {
	p := (*Pipeline)(l)
	p.log.Warn("the encoders' load changed what is made", "level", d.Level, "given up", d.String())
	p.deps.Bus.Send("worker:degraded", p.path, map[string]any{"level": d.Level, "givenUp": d.String()})
	p.heed(func() { p.graph.degrade(d) })
}

func (l *live) trouble(err error) { l.log.Debug("packet has no place", "err", err) }

func (l *live) broken(err error) { (*Pipeline)(l).enter(status.Failed, err) }
