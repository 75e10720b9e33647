package transcode

import (
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// serve carries one worker from its hello to its end: one goroutine feeds it,
// one reads from it, and this one watches.
func (s *Session) serve(p *process, first []item) *Death {
	s.mu.Lock()
	from, tune := s.from, s.steps[s.tally.level].tune()
	s.mu.Unlock()
	s.log.Info("worker runs", "pid", p.PID, "from", from, "primed", len(first))

	stop := make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		f := feeder{out: p.out, announced: make(map[int]*announced)}
		if err := f.run(s.opening(from, tune), first, s.queue, stop); err != nil {
			s.log.Debug("feed worker", "pid", p.PID, "err", err) // its death tells why
		}
	})
	both.Go(func() { s.read(p) })

	s.watch(p)
	close(stop)
	if s.ctx.Err() != nil {
		_ = p.Conn.Close() // what comes now, nobody wants
	} else {
		// What it sent before it died is still in the socket.
		_ = p.Conn.SetReadDeadline(time.Now().Add(child.LastWords))
	}
	both.Wait()
	s.queue.detach()
	p.Stop(s.opts.Grace)

	death := p.Death()
	s.mu.Lock()
	s.worker = nil
	s.tally.cpu += p.CPU()
	s.tally.workerGone()
	s.mu.Unlock()
	s.drained(death)
	return death
}

// opening is what a worker is told before anything else.
func (s *Session) opening(from uint64, tune *wire.Tune) []wire.Message {
	return []wire.Message{
		&wire.Job{Name: s.job.Name, Graph: s.graph, Live: s.live, From: from}, tune,
	}
}

// read is the goroutine that takes what a worker sends and hands it out. It
// returns at the end of the socket, after a fatal word, and after nonsense,
// for which the worker is killed.
func (s *Session) read(p *process) {
	var tracks wire.Tracks
	log := relay{logger: s.log, pid: p.PID}
	for {
		m, err := p.in.Read()
		if err != nil {
			if s.ctx.Err() == nil {
				_ = p.Broken(err)
			}
			return
		}
		switch m := m.(type) {
		case *wire.Packet:
			err = s.deliver(&tracks, m)
		case *wire.Error:
			_ = p.condemned(m)
			return
		default:
			if err = s.guard.message(media.Now()); err == nil {
				err = s.take(&tracks, &log, m)
			}
		}
		if err != nil {
			_ = p.Broken(err)
			return
		}
	}
}

func (s *Session) deliver(tracks *wire.Tracks, m *wire.Packet) error {
	rendition, err := tracks.Resolve(m)
	if err != nil {
		return err
	}
	if err := s.guard.packet(rendition, m.Placed, s.progress.newest()); err != nil {
		return err
	}
	s.progress.read(rendition, m.Placed, media.Now())
	s.mu.Lock()
	s.tally.packetsOut++
	s.tally.bytesOut += uint64(len(m.Payload))
	s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.job.Output.Packet(rendition, m.Placed)
	}
	return nil
}

// take deals with a message that is neither packet nor fatal.
func (s *Session) take(tracks *wire.Tracks, log *relay, m wire.Message) error {
	switch m := m.(type) {
	case *wire.Track:
		if err := s.guard.trackOf(m); err != nil {
			return err
		}
		return tracks.Announce(m)
	case *wire.Log:
		log.write(s.ctx, m)
	case *wire.Stats:
		newest := s.progress.newest()
		s.mu.Lock()
		s.tally.take(m, newest)
		s.mu.Unlock()
	case *wire.Drained:
		s.drained(nil)
	default:
		return fmt.Errorf("it sent a message of type %d", m.Type())
	}
	return nil
}

// watch returns when the worker is gone, which it sees to where it must, or
// the session is closed.
func (s *Session) watch(p *process) {
	ticker := time.NewTicker(s.opts.tick())
	defer ticker.Stop()
	governor := s.governor()
	for {
		select {
		case <-p.Exited():
			return
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		now := media.Now()
		u, ok := p.Usage()
		if ok {
			s.mu.Lock()
			s.tally.rss, s.tally.nowCPU = u.RSS, u.CPU
			s.mu.Unlock()
		}
		if ok && p.Overweight(u, s.opts.MaxRSS) {
			continue // Exited tells
		}
		if quiet := s.silent(now, u.CPU); quiet > 0 {
			p.Kill(Silent, fmt.Sprintf("nothing has come out of it for %s", quiet.Round(time.Second)))
		} else if s.live {
			s.govern(governor, now)
		}
	}
}

// silent is for how long nothing has come out that should have, if that is
// long enough to kill the worker. A file's worker that is at work is slow, not
// silent.
func (s *Session) silent(now, cpu time.Duration) time.Duration {
	quiet, fed := s.progress.silence(now)
	if quiet < s.opts.Silence {
		return 0
	}
	_, age, _ := s.queue.state(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	drain := time.Duration(0)
	if s.draining != nil {
		drain = now - s.drainAt
	}
	if max(fed, age, drain) < s.opts.Silence {
		return 0
	}
	if !s.live && s.tally.works(now, cpu, s.opts.Silence) {
		return 0
	}
	return quiet
}

func (s *Session) governor() *governor {
	g := newGovernor(s.job.Plan, len(s.steps))
	now := media.Now()
	_, _, dropped := s.queue.state(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	g.level, g.changed, g.last = s.tally.level, now, now
	s.tally.seenDropped = dropped
	return g
}

// govern gives up, or takes back, what the lag asks for.
func (s *Session) govern(g *governor, now time.Duration) {
	_, _, dropped := s.queue.state(now)
	s.mu.Lock()
	more := dropped > s.tally.seenDropped
	s.tally.seenDropped = dropped
	off := s.steps[s.tally.level].Off
	s.mu.Unlock()
	if !g.observe(now, s.progress.lag(off), more) {
		return
	}
	step := s.steps[g.level]
	s.mu.Lock()
	s.tally.level = g.level
	s.mu.Unlock()
	s.log.Warn("encoders and source", "level", step.Level, "given up", step.String())
	s.queue.put(item{message: step.tune(), at: now})
	if s.job.Degraded != nil {
		s.job.Degraded(step)
	}
}
