package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
)

// Options are a Supervisor's. Zero fields get the values named.
type Options struct {
	// Command starts a worker: this executable with the argument "worker".
	Command []string
	Logger  *slog.Logger // discards

	// Cores is how much work is admitted, in cores by Plan.Cost: those of the
	// machine. Negative admits everything.
	Cores float64

	MaxRSS   int64         // memory ceiling of one worker, bytes: 2 GiB
	MaxQueue int           // payload bytes waiting for one worker: live 16 MiB, files 4 MiB
	MaxAge   time.Duration // how long a live packet may wait for its worker: 4 s

	Ready   time.Duration // a worker says hello within: 10 s
	Silence time.Duration // a worker that is fed puts something out within: 10 s
	Grace   time.Duration // between asking a worker to leave, SIGTERM and SIGKILL: 500 ms
	Pause   time.Duration // before the first restart: 100 ms
}

// tick is how often a worker is looked at.
func (o *Options) tick() time.Duration { return min(time.Second, max(o.Silence/4, time.Millisecond)) }

// ErrOverloaded is wrapped where the machine has no cores left for a plan.
var ErrOverloaded = errors.New("not enough cores")

// Supervisor starts and watches worker processes, and keeps account of what
// they cost.
type Supervisor struct {
	opts Options

	mu   sync.Mutex
	used float64
}

// NewSupervisor makes a Supervisor.
func NewSupervisor(o Options) (*Supervisor, error) {
	if len(o.Command) == 0 {
		path, err := child.Executable()
		if err != nil {
			return nil, err
		}
		o.Command = []string{path, "worker"}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Cores == 0 {
		o.Cores = float64(runtime.NumCPU())
	}
	o.MaxRSS = orElse(o.MaxRSS, 2<<30)
	o.MaxAge = orElse(o.MaxAge, 4*time.Second)
	o.Ready = orElse(o.Ready, 10*time.Second)
	o.Silence = orElse(o.Silence, 10*time.Second)
	o.Grace = orElse(o.Grace, 500*time.Millisecond)
	o.Pause = orElse(o.Pause, child.DefaultPause)
	return &Supervisor{opts: o}, nil
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Load is how many cores are taken by plans, of how many.
func (s *Supervisor) Load() (used, of float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, s.opts.Cores
}

// Affords reports whether plan would be admitted now; the error wraps
// ErrOverloaded. It is for those who want to know before they have everything
// that Start takes; Start decides.
func (s *Supervisor) Affords(plan *Plan) error {
	if !plan.NeedsWorker() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.affords(plan.Cost())
}

func (s *Supervisor) affords(cost float64) error {
	if s.opts.Cores >= 0 && s.used > 0 && s.used+cost > s.opts.Cores {
		return fmt.Errorf("%w: this takes %.2f, of %.1f are %.2f in use", ErrOverloaded, cost, s.opts.Cores, s.used)
	}
	return nil
}

// admit takes cost into account. One plan is always let in, so that a small
// machine may try.
func (s *Supervisor) admit(cost float64) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.affords(cost); err != nil {
		return nil, err
	}
	s.used += cost
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.used -= cost; s.used < 1e-9 {
			s.used = 0
		}
	}), nil
}

// Start starts transcoding. It returns when the first worker is ready; where
// it fails (ErrOverloaded, a *Death, ctx) nothing is left behind. ctx bounds
// the start, not the session. The caller must Close the session, also after
// Output.Failed.
func (s *Supervisor) Start(ctx context.Context, job Job) (*Session, error) {
	if !job.Plan.NeedsWorker() {
		return nil, errors.New("transcode: nothing is to be encoded")
	}
	cost := job.Plan.Cost()
	release := func() {}
	if job.Plan.policy.Live { // a file takes what it gets
		var err error
		if release, err = s.admit(cost); err != nil {
			return nil, fmt.Errorf("transcode %s: %w", job.Name, err)
		}
	}
	session := s.newSession(job, release)
	p, err := session.start(ctx)
	if err != nil {
		release()
		session.cancel()
		return nil, fmt.Errorf("transcode %s: %w", job.Name, err)
	}
	go session.run(p, session.expect(p, true))
	return session, nil
}

func (s *Supervisor) newSession(job Job, release func()) *Session {
	opts, live := s.opts, job.Plan.policy.Live
	if live {
		opts.MaxQueue = orElse(opts.MaxQueue, 16<<20)
	} else {
		opts.MaxQueue = orElse(opts.MaxQueue, 4<<20)
	}
	session := &Session{
		job: job, opts: opts, live: live, release: release,
		log:   opts.Logger.With("stream", job.Name),
		graph: job.Plan.Graph(), guard: newGuard(job.Plan), steps: degradations(job.Plan),
		kinds: make(map[string]media.Kind), sources: make(map[int]bool),
		done: make(chan struct{}), state: Starting, from: job.From,
	}
	session.ctx, session.cancel = context.WithCancel(context.Background())
	video := make(map[int]bool)
	for _, r := range job.Plan.Renditions {
		if r.Copy {
			continue
		}
		session.kinds[r.Name], session.sources[r.Source] = r.Kind, true
		if r.Kind == media.Video {
			video[r.Source] = true
		}
	}
	session.queue = newQueue(live, opts.MaxQueue, opts.MaxAge, video)
	session.progress = newProgress(session.kinds, opts.Silence/10)
	return session
}
