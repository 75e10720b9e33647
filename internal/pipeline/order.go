package pipeline

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/status"
)

// Order is a stream that is to be pulled without the configuration saying so.
type Order struct {
	Source   string // URL; empty takes that of the configuration
	Ladder   string // as config.ParseLadder reads it; empty: as configured
	Pipeline string // a script; empty: as configured
}

// errStopped is why a stream that was ordered ends.
var errStopped = errors.New("the stream was stopped")

// Start pulls a stream from a source, as if the configuration said so, until
// Stop. It lasts over reloads.
func (m *Manager) Start(path string, o Order) error {
	if err := access.CheckPath(path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	set, err := Grant{Ladder: o.Ladder, Pipeline: o.Pipeline}.apply(m.cfg.ForPath(path))
	if err != nil {
		return err
	}
	if o.Source != "" {
		set.Source = o.Source
	}
	if set.Source == "" {
		return fmt.Errorf("start %s: it has no source; name one", path)
	}
	if p := m.byPath[path]; p != nil && !p.over() {
		return fmt.Errorf("start %s: %w", path, status.ErrRuns)
	}
	delete(m.stopped, path)
	m.ordered[path] = set
	m.startSources()
	return nil
}

// Stop ends a stream and its source, ordered or configured; a configured one
// starts again by Start, or with the server.
func (m *Manager) Stop(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.byPath[path]
	_, ordered := m.ordered[path]
	if p == nil && !ordered {
		return status.ErrNotFound
	}
	delete(m.ordered, path)
	if m.cfg.ForPath(path).Source != "" {
		m.stopped[path] = true
	}
	if p != nil {
		p.stream.Close(errStopped)
	}
	return nil
}

// base is what the configuration, or an Order, says of a path. m.mu is held.
func (m *Manager) base(path string) config.Stream {
	if set, ok := m.ordered[path]; ok {
		return set
	}
	set := m.cfg.ForPath(path)
	if m.stopped[path] {
		set.Source = ""
	}
	return set
}

// sources are the paths that are pulled, with their settings. m.mu is held.
func (m *Manager) sources() map[string]config.Stream {
	all := make(map[string]config.Stream, len(m.ordered))
	for _, set := range m.cfg.Streams {
		if set.Source != "" && !m.stopped[set.Path.String()] {
			all[set.Path.String()] = set
		}
	}
	for path, set := range m.ordered {
		all[path] = set
	}
	return all
}
