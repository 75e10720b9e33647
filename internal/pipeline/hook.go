package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/media"
)

// Question is what a Hook decides about.
type Question string

// The questions.
const (
	AskPublish Question = "publish" // may they publish, and what becomes of it
	AskRead    Question = "read"    // may they read over RTSP and the like
	AskView    Question = "view"    // may they watch over HTTP
)

// Visitor is somebody who asks to publish, read or view.
type Visitor struct {
	Path     string
	Protocol string // "rtsp", "hls", …
	Remote   string // address and port, as far as it is known
	IP       string
	Agent    string
	Query    url.Values
	User     string
	Password string // where it came in clear
	Local    bool   // on this machine

	// Tracks are what a publisher offers.
	Tracks []*media.Track
}

// Grant is how somebody is let in. Zero fields change nothing.
type Grant struct {
	Path string // another stream than the one asked for

	// Of publishers: which of Visitor.Tracks are taken, counted from 0 (nil
	// takes all), and what the stream has instead of what the configuration
	// says.
	Tracks   []int
	Ladder   string // as config.ParseLadder reads it
	Pipeline string // a pipeline script
}

// Hook decides about visitors, beside the rules of the configuration. Its
// methods are called from many goroutines and never under a lock.
type Hook interface {
	// Decides reports whether there is anybody to ask. It must be quick.
	Decides(Question) bool

	// Decide lets somebody in or not. A refusal is a *Refusal or another
	// error, whose text the visitor may be told.
	Decide(context.Context, Question, Visitor) (Grant, error)
}

// Refusal is a Hook's no.
type Refusal struct {
	Reason string
	// Challenge says that credentials would help.
	Challenge bool
	// Unavailable says that nobody could decide: try again later.
	Unavailable bool
}

func (r *Refusal) Error() string { return r.Reason }

// hook is deps.Hook, or nobody.
func (d *Deps) hook() Hook {
	if d.Hook == nil {
		return nobody{}
	}
	return d.Hook
}

type nobody struct{}

func (nobody) Decides(Question) bool { return false }
func (nobody) Decide(context.Context, Question, Visitor) (Grant, error) {
	return Grant{}, errors.New("nobody was asked")
}

// ask has the hook decide, where there is one. m.mu is not held.
func (m *Manager) ask(ctx context.Context, q Question, req ingest.Request, tracks []*media.Track) (Grant, error) {
	hook := m.deps.hook()
	if !hook.Decides(q) {
		return Grant{}, nil
	}
	v := Visitor{
		Path: req.Path, Protocol: req.Protocol, Agent: req.Agent, Query: req.Query,
		User: req.User, Password: req.Password, Tracks: tracks,
		Local: access.IsLoopback(req.Remote) && !m.deps.NoLoopback,
	}
	if req.Remote != nil {
		v.Remote = req.Remote.String()
	}
	if ip := access.Addr(req.Remote); ip.IsValid() {
		v.IP = ip.String()
	}
	grant, err := hook.Decide(ctx, q, v)
	if err != nil {
		return Grant{}, refused(err)
	}
	if grant.Path == "" {
		grant.Path = req.Path
	}
	if err := access.CheckPath(grant.Path); err != nil {
		return Grant{}, fmt.Errorf("%w: the %s hook names a path: %w", ingest.ErrBadPath, q, err)
	}
	return grant, grant.check(len(tracks))
}

// refused puts a hook's no into the words of protocol servers.
func refused(err error) error {
	var no *Refusal
	switch {
	case !errors.As(err, &no):
		return fmt.Errorf("%w: %w", ingest.ErrForbidden, err)
	case no.Challenge:
		return fmt.Errorf("%w: %w", ingest.ErrUnauthorized, err)
	case no.Unavailable:
		return fmt.Errorf("%w: %w", ingest.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ingest.ErrForbidden, err)
}

func (g Grant) check(tracks int) error {
	for _, i := range g.Tracks {
		if i < 0 || i >= tracks {
			return fmt.Errorf("%w: the publish hook picks track %d of %d", ingest.ErrForbidden, i, tracks)
		}
	}
	if g.Tracks != nil && len(g.Tracks) == 0 {
		return fmt.Errorf("%w: the publish hook takes no track", ingest.ErrForbidden)
	}
	return nil
}

// apply changes what the configuration says of a stream.
func (g Grant) apply(set config.Stream) (config.Stream, error) {
	if g.Ladder != "" {
		ladder, err := config.ParseLadder("the publish hook's ladder", g.Ladder)
		if err != nil {
			return set, fmt.Errorf("%w: %w", ingest.ErrForbidden, err)
		}
		set.Ladder = ladder
	}
	if g.Pipeline != "" {
		set.Pipeline = g.Pipeline
	}
	return set, nil
}

// taken parts tracks into those that are taken and the places of the others.
func (g Grant) taken(tracks []*media.Track) (taken []*media.Track, skip []int) {
	if g.Tracks == nil {
		return tracks, nil
	}
	for i, t := range tracks {
		if slices.Contains(g.Tracks, i) {
			taken = append(taken, t)
		} else {
			skip = append(skip, i)
		}
	}
	return taken, skip
}

// viewPatience bounds the wait for a hook that decides about a viewer: its own
// limit is shorter.
const viewPatience = 10 * time.Second

// AdmitViewer decides about a viewer over HTTP who satisfies the rules of the
// configuration, and returns the path of the stream to be shown. The error
// wraps one of ingest's.
func (m *Manager) AdmitViewer(ctx context.Context, v Visitor) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, viewPatience)
	defer cancel()
	grant, err := m.deps.hook().Decide(ctx, AskView, v)
	if err != nil {
		return "", refused(err)
	}
	if grant.Path == "" {
		return v.Path, nil
	}
	if err := access.CheckPath(grant.Path); err != nil {
		return "", fmt.Errorf("%w: the view hook names a path: %w", ingest.ErrBadPath, err)
	}
	return grant.Path, nil
}

// AsksViewers reports whether AdmitViewer has anybody to ask.
func (m *Manager) AsksViewers() bool { return m.deps.hook().Decides(AskView) }
