package transcode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// ScriptJob is one run of a stream's pipeline script.
type ScriptJob struct {
	Name   string // the stream's path
	Script string // absolute path
	Tracks []*media.Track
	Policy Policy // plans the renditions where the script does not say which
	HLS    wire.HLS
	Fixed  bool // HLS cannot be changed any more
	Env    map[string]string

	// After is the media time that viewers have already. Standby has nothing
	// put out before a Handover.
	After   time.Duration
	Standby bool

	Output ScriptOutput
}

// ScriptOutput receives what comes of a Script. Its methods are called one at
// a time, from a goroutine of the script's; they may not call Close or Finish.
// An error means that the worker broke the rules, for which it is killed.
type ScriptOutput interface {
	// Files names what the script was made of.
	Files(paths []string)
	// Renditions says what is made from the next Cut on.
	Renditions(*wire.Renditions) error
	// Cut starts a segment. The worker counts segments and discontinuities
	// from 1.
	Cut(media.Cut) error
	// Packet delivers a packet of a rendition, in DTS order.
	Packet(rendition string, p media.Placed) error
	// GivenUp tells what the ladder gives up from the next Cut on.
	GivenUp(Degradation)
	// Suspended says that nothing more comes of what the publisher sent
	// before it left.
	Suspended()
	// Handed says that all that came before a Handover was put out.
	Handed()
	// Message delivers what the script says to the app.
	Message(*wire.Script)
	// Died says that the worker is gone though nobody asked it to leave. err
	// is a *Death or wraps one. Nothing comes after it.
	Died(err error)
}

// Script is a pipeline script at work in one worker process. It is watched as
// a Session's workers are, and not started again: that is for those who know
// what it was given. Its methods may be called from any goroutine.
type Script struct {
	job  ScriptJob
	opts Options
	log  *slog.Logger
	p    *process

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing runs any more

	writing sync.Mutex // of the socket; held over I/O, it keeps messages whole
	feed    feeder
	mail    *mailbox
	account *account

	mu      sync.Mutex
	beat    time.Duration // when the script last gave way
	at      string        // where the script was then, as far as is known
	cost    float64       // of its ladder, as it said
	ended   bool          // it is to end: it may say nothing and leave
	drained chan struct{}
	stats   ScriptStats
}

// ScriptStats is a look at a Script.
type ScriptStats struct {
	PID                             int
	RSS                             int64
	CPU                             time.Duration
	PacketsIn, PacketsOut, BytesOut uint64
	QueueBytes                      int64
	Dropped                         uint64
}

// StartScript starts a worker process for a pipeline script. It returns when
// that has said hello; whether the script compiles and runs its Output tells.
// ctx bounds the start. The caller must Close the Script, also after Died.
func (s *Supervisor) StartScript(ctx context.Context, job ScriptJob) (*Script, error) {
	opts, log := s.opts, s.opts.Logger.With("stream", job.Name)
	policy, err := json.Marshal(job.Policy)
	if err != nil {
		return nil, fmt.Errorf("script %s: %w", job.Name, err)
	}
	p, err := launch{
		command: opts.Command, role: wire.RoleScript, name: job.Name,
		nice: job.Policy.Encoder.Nice, ready: opts.Ready, logger: log,
	}.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("script %s: %w", job.Name, err)
	}
	sc := &Script{
		job: job, opts: opts, log: log, p: p, done: make(chan struct{}), drained: make(chan struct{}),
		feed: feeder{out: p.out, announced: make(map[int]*announced)}, mail: newMailbox(), beat: media.Now(),
		account: &account{s: s},
	}
	sc.ctx, sc.cancel = context.WithCancel(context.Background())
	m := &wire.ScriptJob{
		Name: job.Name, Script: job.Script, Live: job.Policy.Live, Policy: string(policy),
		HLS: job.HLS, Fixed: job.Fixed, After: int64(job.After), Standby: job.Standby,
		Origin: media.Wall(0).UnixNano(), Env: job.Env,
	}
	for _, t := range job.Tracks {
		m.Tracks = append(m.Tracks, *t)
	}
	log.Info("script runs", "pid", p.PID, "script", job.Script)
	go sc.run()
	if err := p.out.Write(m); err != nil {
		log.Debug("script took no job", "pid", p.PID, "err", err) // its death tells why
	}
	return sc, nil
}

// Write hands over a source packet. It blocks while the worker takes nothing.
func (s *Script) Write(p *media.Packet) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	s.stats.PacketsIn++
	s.mu.Unlock()
	return s.feed.write(&item{placed: media.Placed{Packet: p}})
}

// Present tells whether the publisher is there. It does not wait.
func (s *Script) Present(here bool) { s.mail.put(&wire.Presence{Here: here}) }

// SenderClock tells the publisher's clock as wire.SenderClock has it, before the
// packets that it holds for are written.
func (s *Script) SenderClock(zero int64, anew bool) error {
	return s.say(&wire.SenderClock{Zero: zero, Anew: anew})
}

// Handover names the time at which this script takes over, or leaves. It is
// called before the source's packet of that time is written.
func (s *Script) Handover(pts int64, rate int, leave bool) error {
	return s.say(&wire.Handover{PTS: pts, ClockRate: rate, Leave: leave})
}

// Send passes a message of the app on. It does not wait: where the script is
// slower than the app, the oldest messages are dropped.
func (s *Script) Send(m *wire.Script) { s.mail.put(m) }

func (s *Script) say(m wire.Message) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.p.out.Write(m)
}

// Finish tells the script that its source has ended, and waits until all that
// comes of it was put out, or for ctx.
func (s *Script) Finish(ctx context.Context) error {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	if err := s.say(&wire.Drain{}); err != nil {
		return fmt.Errorf("end script: %w", err)
	}
	select {
	case <-s.drained:
		return nil
	case <-s.done:
		return errors.New("end script: its worker is gone")
	case <-ctx.Done():
		return fmt.Errorf("end script: %w", context.Cause(ctx))
	}
}

// Close ends the worker; what has not come out by then is lost. It returns
// when no method of Output runs or will run. It may be called twice.
func (s *Script) Close() {
	s.cancel()
	<-s.done
}

// Stats returns the present figures.
func (s *Script) Stats() ScriptStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.PID = s.p.PID
	return st
}

// run is the script's goroutine.
func (s *Script) run() {
	defer close(s.done)
	defer s.account.close()
	var both sync.WaitGroup
	both.Go(s.read)
	both.Go(func() { s.mail.carry(s.say) })
	s.watch()
	s.mail.close()
	if s.ctx.Err() != nil {
		_ = s.p.Conn.Close()
	} else {
		_ = s.p.Conn.SetReadDeadline(time.Now().Add(child.LastWords))
	}
	both.Wait()
	s.p.Stop(s.opts.Grace)
	death := s.p.Death()
	s.mu.Lock()
	quiet := s.ended && death.Outcome == Finished
	s.mu.Unlock()
	if s.ctx.Err() != nil || quiet {
		return
	}
	args := []any{"err", death}
	if death.Printed != "" {
		args = append(args, "printed", death.Printed)
	}
	s.log.Error("script died", args...)
	s.job.Output.Died(death)
}

// read takes what the worker sends until there is no more.
func (s *Script) read() {
	reader := scriptReader{Script: s, guard: newScriptGuard(), log: relay{logger: s.log, pid: s.p.PID}}
	for {
		m, err := s.p.in.Read()
		if err == nil {
			if said, ok := m.(*wire.Error); ok {
				_ = s.p.condemned(said)
				return
			}
			err = reader.take(m)
		}
		if err != nil {
			if s.ctx.Err() == nil {
				_ = s.p.Broken(err)
			}
			return
		}
	}
}

// watch returns when the worker is gone, which it sees to where it must, or
// the script is closed.
func (s *Script) watch() {
	ticker := time.NewTicker(s.opts.tick())
	defer ticker.Stop()
	var m meter
	for {
		select {
		case <-s.p.Exited():
			return
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		u, ok := s.p.Usage()
		now := media.Now()
		s.mu.Lock()
		if ok {
			s.stats.RSS, s.stats.CPU = u.RSS, u.CPU
		}
		if cores := m.read(now, u.CPU); ok && s.job.Policy.Live {
			s.account.found(max(s.cost, cores)) // a script has coders beside its ladder, and work of its own
		}
		quiet, at := now-s.beat, s.at
		s.mu.Unlock()
		switch {
		case ok && s.p.Overweight(u, s.opts.MaxRSS):
		case quiet > s.opts.Silence:
			reason := fmt.Sprintf("the script has not given way for %s", quiet.Round(time.Second))
			if at != "" {
				reason += ", it was last seen at " + at
			}
			s.p.Kill(child.Silent, reason)
		}
	}
}
