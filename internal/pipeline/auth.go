package pipeline

import (
	"fmt"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/access"
)

// mayPublish decides what the configuration can: this machine may, anybody
// else needs a key of the path. Where no key is set for the path, a hook that
// is there decides instead. m.mu is held.
func (m *Manager) mayPublish(req ingest.Request) error {
	if access.IsLoopback(req.Remote) && !m.deps.NoLoopback {
		return nil
	}
	switch m.cfg.Auth.PublishRules().Decide(req.Path, offered(req, "key")) {
	case access.Allowed:
		return nil
	case access.NeedKey:
		return fmt.Errorf("%w: a key is needed to publish to %s", ingest.ErrUnauthorized, req.Path)
	case access.WrongKey:
		return fmt.Errorf("%w: wrong key for %s", ingest.ErrUnauthorized, req.Path)
	default:
		if m.deps.hook().Decides(AskPublish) {
			return nil // it will
		}
		return fmt.Errorf("%w: only this machine may publish to %s; auth.publish in the configuration gives others a key", ingest.ErrForbidden, req.Path)
	}
}

// mayView decides for readers by protocols other than HTTP. m.mu is held.
func (m *Manager) mayView(req ingest.Request) error {
	rules := m.cfg.Auth.ViewRules()
	if !rules.Cover(req.Path) {
		return nil
	}
	switch rules.Decide(req.Path, offered(req, "token")) {
	case access.Allowed:
		return nil
	case access.WrongKey:
		return fmt.Errorf("%w: wrong token for %s", ingest.ErrUnauthorized, req.Path)
	default:
		return fmt.Errorf("%w: a token is needed to view %s", ingest.ErrUnauthorized, req.Path)
	}
}

// offered compares a rule's key with what the request carries: a query
// parameter, or the password of whatever scheme the wire has.
func offered(req ingest.Request, parameter string) func(key string) bool {
	given := req.Query.Get(parameter)
	if given == "" && req.Verify == nil {
		return nil
	}
	return func(key string) bool {
		return access.Equal(given, key) || req.Verify != nil && req.Verify(req.User, key)
	}
}
