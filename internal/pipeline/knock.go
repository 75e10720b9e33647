package pipeline

import (
	"fmt"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/access"
)

// MayPublish tells a publisher whose tracks are not known yet what can be said
// without them: whether its path is one that it may publish to, and free. The
// hook is asked by Publish, which has the last word.
func (m *Manager) MayPublish(req ingest.Request) error {
	err := m.knock(req)
	if err != nil {
		m.deps.Bus.Send("publisher:refused", req.Path, map[string]string{"reason": err.Error(), "remote": fmt.Sprint(req.Remote)})
	}
	return err
}

func (m *Manager) knock(req ingest.Request) error {
	if err := access.CheckPath(req.Path); err != nil {
		return fmt.Errorf("%w: %w", ingest.ErrBadPath, err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.mayPublish(req); err != nil {
		return err
	}
	base := m.base(req.Path)
	if base.Source != "" {
		return fmt.Errorf("%w: %s is pulled from a source", ingest.ErrForbidden, req.Path)
	}
	if m.deps.hook().Decides(AskPublish) {
		return nil // it may send the publisher elsewhere
	}
	if p := m.byPath[req.Path]; p != nil && !p.over() && !base.Takeover {
		if pub := p.stream.Publisher(); pub != nil {
			return fmt.Errorf("%w (%s from %s)", ingest.ErrBusy, pub.Info().Protocol, pub.Info().Remote)
		}
	}
	return nil
}
