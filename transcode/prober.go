package transcode

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/millrace/millrace/transcode/wire"
)

// Info is what is in a file or behind a URL.
type Info = wire.Info

// StreamInfo is one elementary stream of an Info.
type StreamInfo = wire.StreamInfo

// Probe looks into a file or behind a URL, in a process of its own that ends
// with it or with ctx. What cannot be opened or is no media is a *Death whose
// Outcome is Refused and whose Reason says why.
func (s *Supervisor) Probe(ctx context.Context, input string) (*Info, error) {
	p, err := s.input(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer p.Stop(s.opts.Grace)
	defer p.EndWith(ctx)()
	m, err := p.ask(ctx, &wire.Probe{URL: input})
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	probed, ok := m.(*wire.Probed)
	if !ok {
		return nil, fmt.Errorf("probe: %w", p.Broken(fmt.Errorf("it answered by a message of type %d", m.Type())))
	}
	_ = p.Conn.Close() // the end of the conversation: it leaves
	return &probed.Info, nil
}

// input starts a worker that opens files and URLs.
func (s *Supervisor) input(ctx context.Context, input string) (*process, error) {
	name := redact(input)
	return launch{
		command: s.opts.Command, role: wire.RoleInput, name: name,
		ready: s.opts.Ready, logger: s.opts.Logger.With("input", name),
	}.start(ctx)
}

// redact takes what may be secret out of a URL: the password and the query.
func redact(input string) string {
	if !strings.Contains(input, "://") {
		return input
	}
	u, err := url.Parse(input)
	if err != nil {
		scheme, _, _ := strings.Cut(input, "://")
		return scheme + "://…"
	}
	u.RawQuery = ""
	return u.Redacted()
}
