package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// Publish implements ingest.Gate.
func (m *Manager) Publish(ctx context.Context, req ingest.Request, tracks []*media.Track) (*ingest.Publisher, error) {
	publisher, err := m.admit(ctx, req, tracks)
	if err != nil {
		m.deps.Bus.Send("publisher:refused", req.Path, map[string]string{"reason": err.Error(), "remote": fmt.Sprint(req.Remote)})
	}
	return publisher, err
}

// admit asks the configuration, then the hook, and lets in whom both take.
func (m *Manager) admit(ctx context.Context, req ingest.Request, offered []*media.Track) (*ingest.Publisher, error) {
	if err := access.CheckPath(req.Path); err != nil {
		return nil, fmt.Errorf("%w: %w", ingest.ErrBadPath, err)
	}
	m.mu.RLock()
	err := m.mayPublish(req)
	m.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	grant, err := m.ask(ctx, AskPublish, req, offered)
	if err != nil {
		return nil, err
	}
	if grant.Path != "" {
		req.Path = grant.Path
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	base := m.base(req.Path)
	if base.Source != "" {
		return nil, fmt.Errorf("%w: %s is pulled from a source", ingest.ErrForbidden, req.Path)
	}
	if len(offered) == 0 {
		return nil, ingest.NoTracks(req.Unused)
	}
	c := candidate{req: req, offered: offered, base: base}
	if c.set, err = grant.apply(base); err != nil {
		return nil, err
	}
	taken, skip := grant.taken(offered)
	c.skip = skip
	plan, err := transcode.NewPlan(taken, LivePolicy(c.set))
	switch {
	case errors.Is(err, transcode.ErrIncomplete): // the media will tell
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ingest.ErrNoTracks, err)
	default:
		if err := m.clash(req.Path, plan); err != nil {
			return nil, err
		}
		// What a script makes is not known yet.
		if c.set.Pipeline == "" {
			if err := m.affordable(plan); err != nil {
				return nil, err
			}
		}
		c.plan = plan
	}
	return m.attach(c)
}

// candidate is a publisher that may come in.
type candidate struct {
	req     ingest.Request // for the path that it gets
	offered []*media.Track
	skip    []int // places of those that are not taken

	base config.Stream   // what the configuration says of the path
	set  config.Stream   // what holds for this publisher
	plan *transcode.Plan // nil where the media will tell
}

// attach lets a publisher in: to a new stream where the path has none, or its
// stream has just ended, or waits for a publisher with other settings. m.mu is
// held.
func (m *Manager) attach(c candidate) (*ingest.Publisher, error) {
	req := c.req
	info := ingest.PublisherInfo{
		Protocol: req.Protocol, Remote: req.Remote, Agent: req.Agent, User: req.User, Unused: req.Unused, Skip: c.skip,
		SharedClock: req.SharedClock,
	}
	p := m.byPath[req.Path]
	if p != nil && p.set != c.set && !p.over() && p.stream.Publisher() == nil {
		p.stream.Close(errReconfigured)
	}
	if p == nil || p.over() {
		var err error
		if p, err = m.add(req.Path, c.base, c.set); err != nil {
			return nil, err
		}
	}
	publisher, err := p.stream.Attach(info, c.offered)
	if errors.Is(err, ingest.ErrEnded) && !m.down { // hold was over at this moment
		return m.attach(c)
	}
	if err == nil {
		p.admit(c.plan)
		m.follow(publisher)
	}
	return publisher, err
}

// follow makes a publisher's coming and going known. m.mu is held.
func (m *Manager) follow(publisher *ingest.Publisher) {
	info, path := publisher.Info(), publisher.Stream().Path()
	data := func(reason string) map[string]string {
		return map[string]string{
			"protocol": info.Protocol, "remote": fmt.Sprint(info.Remote), "userAgent": info.Agent, "user": info.User, "reason": reason,
		}
	}
	m.deps.Bus.Send("publisher:join", path, data(""))
	m.wg.Go(func() {
		<-publisher.Done()
		m.deps.Bus.Send("publisher:leave", path, data(fmt.Sprint(publisher.Err())))
	})
}

// judge is what admit holds against a plan, for one that was not known then.
func (m *Manager) judge(path string, plan *transcode.Plan) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return errors.Join(m.clash(path, plan), m.affordable(plan))
}

// clash refuses a path whose URLs would be those of another stream's
// renditions, or the reverse. m.mu is held.
func (m *Manager) clash(path string, plan *transcode.Plan) error {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		if above := m.byPath[path[:i]]; above != nil && above.has(path[i+1:]) {
			return fmt.Errorf("%w: %s is a rendition of the stream %s", ingest.ErrForbidden, path, path[:i])
		}
	}
	var names []string
	for _, r := range plan.Renditions {
		names = append(names, r.Name)
	}
	for _, s := range subtitles(m.base(path).HLS.Subtitles) {
		names = append(names, packager.SubtitlesPrefix+s.ID)
	}
	if licensed(m.base(path).HLS.Encryption) {
		names = append(names, packager.LicenseFile)
	}
	for _, name := range names {
		if m.byPath[path+"/"+name] != nil {
			return fmt.Errorf("%w: the stream %s has the name of the rendition %s", ingest.ErrForbidden, path+"/"+name, name)
		}
	}
	return nil
}

// affordable refuses a stream whose encoders the machine could not carry
// beside those that run, while its publisher can still be told; the Transcoder
// itself has the last word.
func (m *Manager) affordable(plan *transcode.Plan) error {
	if err := m.deps.Transcoder.Affords(plan); err != nil {
		return fmt.Errorf("%w: %w", ingest.ErrOverloaded, err)
	}
	return nil
}

// Read implements ingest.Gate.
func (m *Manager) Read(ctx context.Context, req ingest.Request) (*ingest.Stream, error) {
	if err := access.CheckPath(req.Path); err != nil {
		return nil, fmt.Errorf("%w: %w", ingest.ErrBadPath, err)
	}
	m.mu.RLock()
	err := m.mayView(req)
	m.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	grant, err := m.ask(ctx, AskRead, req, nil)
	if err != nil {
		return nil, err
	}
	if grant.Path != "" {
		req.Path = grant.Path
	}
	p := m.lookup(req.Path)
	if p == nil {
		return nil, fmt.Errorf("%w: %s", ingest.ErrNotFound, req.Path)
	}
	return p.stream, nil
}
