package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/host/wire"
)

// Options are a Host's. Zero fields get the values named.
type Options struct {
	// Command starts a worker process: this executable with the argument
	// "worker".
	Command []string
	Script  string            // absolute path; see Change
	Env     map[string]string // what the script sees of the environment
	Version string            // the server's
	Logger  *slog.Logger      // discards

	// Tell makes something known in the server: the bus's Send.
	Tell func(kind, path string, data any)

	MaxRSS  int64         // memory ceiling of the process, bytes: 1 GiB
	Ready   time.Duration // the script has run to its end within: 20 s
	Silence time.Duration // its event loop answers within: 5 s
	Grace   time.Duration // between asking it to leave, SIGTERM and SIGKILL: 3 s
	Pause   time.Duration // before the first restart: 100 ms
	Poll    time.Duration // between two looks at the script's files: 300 ms
}

// Server is what the app may see and change; the pipeline's Manager is one.
type Server interface {
	List() []status.Stream
	Get(path string) (status.Stream, bool)
	Kick(path, reason string) error
	Start(path string, o pipeline.Order) error
	Stop(path string) error
	Mark(path string, m status.Marker) (status.Marked, error)
	EndMarker(path, id string, end status.MarkerEnd) (status.Marked, error)
	Markers(path string) ([]status.Marked, error)
	Caption(path, subtitles string, ask status.Cue) (status.Shown, error)
	Send(m pipeline.Message) error
	Events(ctx context.Context) <-chan status.Event
	Messages(ctx context.Context) <-chan pipeline.Message
}

// Host runs one app. Its methods may be called from any goroutine.
type Host struct {
	opts   Options
	named  atomic.Pointer[slog.Logger]
	server Server
	cancel context.CancelFunc
	work   sync.WaitGroup
	other  chan struct{} // holds a token when script or env are others

	mu       sync.Mutex
	script   string
	env      map[string]string
	current  *instance // nil while none is ready
	known    *wire.Hooks
	why      error         // why there is none, or why the newest script is not the one that runs
	restarts int           // after deaths
	changed  chan struct{} // closed at the next change of current, why or over
	over     bool
}

var _ pipeline.Hook = (*Host)(nil)

// New makes a Host; Run lets it go.
func New(o Options) *Host {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Tell == nil {
		o.Tell = func(string, string, any) {}
	}
	o.MaxRSS = orElse(o.MaxRSS, 1<<30)
	o.Ready = orElse(o.Ready, 20*time.Second)
	o.Silence = orElse(o.Silence, 5*time.Second)
	o.Grace = orElse(o.Grace, 3*time.Second)
	o.Pause = orElse(o.Pause, child.DefaultPause)
	o.Poll = orElse(o.Poll, 300*time.Millisecond)
	h := &Host{opts: o, script: o.Script, env: o.Env, other: make(chan struct{}, 1), changed: make(chan struct{})}
	h.named.Store(o.Logger.With("app", o.Script))
	return h
}

// Change has another script, or one that sees other variables, take the place
// of the app, as another version of its files does: where it does not start,
// the old one goes on.
func (h *Host) Change(script string, env map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.script == script && maps.Equal(h.env, env) {
		return
	}
	h.script, h.env = script, env
	h.named.Store(h.opts.Logger.With("app", script))
	select {
	case h.other <- struct{}{}:
	default:
	}
}

// given is what the next process is to run.
func (h *Host) given() (script string, env map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.script, h.env
}

func (h *Host) logger() *slog.Logger { return h.named.Load() }

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Start starts the app for a server, and returns at once. It is called once.
func (h *Host) Start(server Server) {
	ctx, cancel := context.WithCancel(context.Background())
	h.server, h.cancel = server, cancel
	h.work.Go(func() { h.supervise(ctx) })
	h.work.Go(func() { h.tell(ctx) })
	h.work.Go(func() { h.pass(ctx) })
}

// Close ends the app and waits until it is gone. It may be called twice.
func (h *Host) Close() {
	h.mu.Lock()
	h.over = true
	h.change()
	h.mu.Unlock()
	if h.cancel != nil {
		h.cancel()
	}
	h.work.Wait()
}

// Status returns how the app is now.
func (h *Host) Status() status.App {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := status.App{State: "starting", Restarts: h.restarts}
	switch {
	case h.current != nil:
		s.State, s.PID = "running", h.current.p.PID
	case h.why != nil:
		s.State = "down"
	}
	if h.why != nil {
		s.Error = h.why.Error()
	}
	return s
}

// change wakes those who wait; h.mu is held.
func (h *Host) change() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// ErrDown is wrapped where no process of the app is there to be asked.
var ErrDown = errors.New("the app is not running")

// await returns the instance that is current, or waits for one. It does not
// wait where a new start would have to be caused by a changed file.
func (h *Host) await(ctx context.Context) (*instance, error) {
	for {
		h.mu.Lock()
		current, why, over, changed := h.current, h.why, h.over, h.changed
		h.mu.Unlock()
		if current != nil {
			return current, nil
		}
		if over {
			return nil, fmt.Errorf("%w: the server is going down", ErrDown)
		}
		var broken *failure
		if errors.As(why, &broken) && broken.hopeless() {
			return nil, fmt.Errorf("%w: %w", ErrDown, why)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if why == nil {
				return nil, fmt.Errorf("%w: it is starting", ErrDown)
			}
			return nil, fmt.Errorf("%w: %w", ErrDown, why)
		}
	}
}
