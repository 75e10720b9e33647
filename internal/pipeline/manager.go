package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/recording"
	"github.com/millrace/millrace/transcode"
)

// Deps is what pipelines are made of.
type Deps struct {
	Transcoder *transcode.Supervisor
	Thumbnails Thumbnailer
	Bus        *Bus
	Logger     *slog.Logger
	Hook       Hook // nil: the configuration alone decides

	// Notice is told what is too frequent for the Bus: segment. It must not
	// block. Nil: nobody wants to know.
	Notice func(status.Event)

	// ScriptEnv tells the environment variables that pipeline scripts see, a
	// map that is not changed any more; nil is none. Scripts that run are
	// started anew when it tells others.
	ScriptEnv func() map[string]string

	// Pull fetches a configured source into a stream until ctx ends, and
	// reconnects by itself.
	Pull func(ctx context.Context, url string, stream *ingest.Stream)

	// Shifts keeps what viewers can seek back in. nil: they cannot.
	Shifts *recording.Shifts

	// Recordings keeps what is to be recorded. nil: nothing is.
	Recordings *recording.Library

	// NoLoopback makes nobody loopback, for places where the network hides who
	// is calling (containers).
	NoLoopback bool

	// Gather bounds the wait for a publisher's tracks; 0 is ingest's default.
	Gather time.Duration
	// RetryTime is the pause before a worker that did not start is tried
	// again; it doubles up to a minute. 0 means 2 s.
	RetryTime time.Duration
	// DrainTime bounds the wait for a worker's last frames; 0 means 2 s.
	DrainTime time.Duration

	sayings *sayings // of scripts, to the app
}

// Thumbnailer makes pictures of keyframes.
type Thumbnailer interface {
	// JPEG decodes a keyframe and scales it to a width in pixels.
	JPEG(ctx context.Context, key *media.Packet, width int) ([]byte, error)
}

// Why the manager ends streams.
var (
	errShutdown     = errors.New("the server is going down")
	errReconfigured = errors.New("the stream's configuration changed")
	errRemoved      = errors.New("the stream was removed from the configuration")
)

// Manager holds all streams. It is the protocol servers' ingest.Gate and what
// web shows; its methods may be called from any goroutine.
type Manager struct {
	deps   Deps
	ctx    context.Context // of all pipelines
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu     sync.RWMutex
	cfg    *config.Config
	byPath map[string]*Pipeline
	last   map[string]Numbers // newest numbers of paths that ended lately

	ordered map[string]config.Stream // by Start
	stopped map[string]bool          // configured sources that Stop ended

	down bool
}

var _ ingest.Gate = (*Manager)(nil)

// NewManager makes a manager and starts the configured sources.
func NewManager(cfg *config.Config, deps Deps) *Manager {
	if deps.DrainTime == 0 {
		deps.DrainTime = 2 * time.Second
	}
	if deps.RetryTime == 0 {
		deps.RetryTime = 2 * time.Second
	}
	deps.sayings = newSayings()
	ctx, cancel := context.WithCancelCause(context.Background())
	m := &Manager{
		deps: deps, ctx: ctx, cancel: cancel,
		cfg: cfg, byPath: map[string]*Pipeline{}, last: map[string]Numbers{},
		ordered: map[string]config.Stream{}, stopped: map[string]bool{},
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.startSources()
	return m
}

// Shutdown ends every stream, so that publishers are told and viewers get what
// is in the window, and waits until all of it is gone or ctx ends.
func (m *Manager) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	m.down = true
	for _, p := range m.byPath {
		p.stream.Close(errShutdown)
	}
	m.mu.Unlock()
	m.cancel(errShutdown)
	done := make(chan struct{})
	go func() {
		m.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for streams to end: %w", ctx.Err())
	}
}

// Reload puts a new configuration into force. Streams whose section did not
// change keep running untouched; the others end, and their publishers may come
// back under the new rules.
func (m *Manager) Reload(cfg *config.Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cfg = cfg
	for path, p := range m.byPath {
		switch set := m.base(path); {
		case set == p.base:
		case p.base.Source != "" && set.Source == "":
			p.stream.Close(errRemoved)
		default:
			p.stream.Close(errReconfigured)
		}
	}
	m.startSources()
}

// startSources makes a pipeline for each configured source that has none.
// m.mu is held.
func (m *Manager) startSources() {
	if m.down {
		return
	}
	for path, set := range m.sources() {
		if old := m.byPath[path]; old != nil && !old.over() {
			continue
		}
		p, err := m.add(path, set, set)
		if err != nil {
			m.deps.Logger.Error("source", "stream", path, "err", err)
			continue
		}
		m.wg.Go(func() { m.deps.Pull(p.alive, set.Source, p.stream) })
	}
}

// add makes the pipeline of a path and lets it run. base is what the
// configuration says of the path, set what holds. m.mu is held.
func (m *Manager) add(path string, base, set config.Stream) (*Pipeline, error) {
	if m.down {
		return nil, errShutdown
	}
	old := m.byPath[path]
	if old != nil {
		m.last[path] = *old.graph.newest.Load()
	}
	p, err := newPipeline(m.ctx, path, set, m.last[path], &m.deps)
	if err != nil {
		return nil, err
	}
	p.base = base
	if set.Source == "" { // a source is the operator's own
		p.judge = func(plan *transcode.Plan) error { return m.judge(path, plan) }
	}
	if old != nil {
		old.retire()
	}
	m.byPath[path] = p
	m.wg.Go(func() {
		p.run(m.ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.byPath[path] == p {
			delete(m.byPath, path)
			m.remember(path, *p.graph.newest.Load())
		}
	})
	return p, nil
}

// remember keeps the numbers that a successor on the path must exceed, as long
// as the clock alone would not see to that. m.mu is held.
func (m *Manager) remember(path string, newest Numbers) {
	now := numbersAt(time.Now())
	for other, n := range m.last {
		if n.above(now) == now {
			delete(m.last, other)
		}
	}
	m.last[path] = newest
}

// List returns every stream, ordered by path.
func (m *Manager) List() []status.Stream {
	m.mu.RLock()
	pipelines := slices.SortedFunc(maps.Values(m.byPath), func(a, b *Pipeline) int { return strings.Compare(a.path, b.path) })
	m.mu.RUnlock()
	list := make([]status.Stream, 0, len(pipelines))
	for _, p := range pipelines {
		list = append(list, p.Status())
	}
	return list
}

// Get returns one stream by its exact path.
func (m *Manager) Get(path string) (status.Stream, bool) {
	p := m.lookup(path)
	if p == nil {
		return status.Stream{}, false
	}
	return p.Status(), true
}

func (m *Manager) lookup(path string) *Pipeline {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byPath[path]
}

// Kick disconnects the publisher; the stream then holds as if it had left.
func (m *Manager) Kick(path, reason string) error {
	p := m.lookup(path)
	if p == nil {
		return status.ErrNotFound
	}
	publisher := p.stream.Publisher()
	if publisher == nil {
		return status.ErrNoPublisher
	}
	publisher.Kick(errors.New(reason))
	return nil
}

// End ends a stream at once, publisher included, without hold.
func (m *Manager) End(path, reason string) error {
	p := m.lookup(path)
	if p == nil {
		return status.ErrNotFound
	}
	p.stream.Close(errors.New(reason))
	return nil
}

// Playback is one stream's media over HTTP.
type Playback struct {
	Path    string       // the stream's
	Handler http.Handler // takes what follows the path in the URL
	Target  time.Duration

	Licensed bool // see packager.Presentation.Licensed
}

// Playback finds the stream whose path is the longest prefix, element by
// element, of what follows /hls/ in a URL.
func (m *Manager) Playback(urlPath string) (Playback, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for prefix := urlPath; ; {
		i := strings.LastIndexByte(prefix, '/')
		if i < 0 {
			return Playback{}, false
		}
		prefix = prefix[:i]
		if p := m.byPath[prefix]; p != nil {
			pres, segment := p.presented()
			return Playback{Path: prefix, Handler: pres, Target: segment * 3 / 2, Licensed: pres.Licensed()}, true
		}
	}
}

// Thumbnail decodes the newest keyframe of a stream to JPEG.
func (m *Manager) Thumbnail(ctx context.Context, path string) ([]byte, error) {
	p := m.lookup(path)
	if p == nil {
		return nil, status.ErrNotFound
	}
	key := p.stream.Keyframe()
	if key == nil {
		return nil, status.ErrNoPicture
	}
	return m.deps.Thumbnails.JPEG(ctx, key, thumbnailWidth)
}

// thumbnailWidth is the width of thumbnails in pixels: enough for a console
// card on a dense display.
const thumbnailWidth = 640

// Events delivers every event from now on; see Bus.
func (m *Manager) Events(ctx context.Context) <-chan status.Event { return m.deps.Bus.Events(ctx) }

// Ready says whether the server takes streams: nil, or why not.
func (m *Manager) Ready() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.down {
		return errShutdown
	}
	return nil
}
