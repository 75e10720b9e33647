package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/jsapi/host/wire"
)

const (
	defaultTimeout = 2 * time.Second // of a hook that does not say
	startPatience  = 5 * time.Second // how long visitors wait for an app that starts
)

// Decides implements pipeline.Hook. Before an app has been ready once, nobody
// knows what it wants to decide: then it might be everything.
func (h *Host) Decides(q pipeline.Question) bool {
	h.mu.Lock()
	hooks := h.known
	h.mu.Unlock()
	if hooks == nil {
		return true
	}
	_, ok := hooks.Deciding[string(q)]
	return ok
}

// learn takes note of what the current instance wants to decide.
func (h *Host) learn(i *instance, hooks *wire.Hooks) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == i {
		h.known = hooks
	}
}

// Decide implements pipeline.Hook. Where a process dies while it is asked,
// the next one is.
func (h *Host) Decide(ctx context.Context, q pipeline.Question, v pipeline.Visitor) (pipeline.Grant, error) {
	session, err := json.Marshal(sessionOf(v))
	if err != nil {
		return pipeline.Grant{}, fmt.Errorf("describe the visitor: %w", err)
	}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		i, err := h.await(starting)
		if err != nil {
			return h.undecided(q, err)
		}
		limit, ok := i.hooks.Load().Deciding[string(q)]
		if !ok {
			return pipeline.Grant{}, nil
		}
		answer, err := i.call(ctx, string(q), session, orElse(limit.Timeout, defaultTimeout))
		if errors.Is(err, errGone) {
			h.dropped(i)
			continue
		}
		if err != nil {
			return h.undecided(q, err)
		}
		return h.judged(q, v, answer)
	}
}

// undecided is the answer where nobody gave one.
func (h *Host) undecided(q pipeline.Question, err error) (pipeline.Grant, error) {
	h.mu.Lock()
	known := h.known
	h.mu.Unlock()
	if known != nil && known.Deciding[string(q)].Allow {
		h.logger().Warn("let in undecided", "hook", q, "err", err)
		return pipeline.Grant{}, nil
	}
	h.logger().Warn("refused undecided", "hook", q, "err", err)
	return pipeline.Grant{}, &pipeline.Refusal{Reason: err.Error(), Unavailable: errors.Is(err, ErrDown)}
}

// judged is what the script said.
func (h *Host) judged(q pipeline.Question, v pipeline.Visitor, a *wire.Answer) (pipeline.Grant, error) {
	if no := a.Refused; no != nil {
		h.logger().Info("refused by the app", "hook", q, "stream", v.Path, "remote", v.Remote, "reason", no.Message, "stack", no.Stack)
		return pipeline.Grant{}, &pipeline.Refusal{
			Reason: no.Message, Challenge: no.Status == http.StatusUnauthorized,
			Unavailable: no.Status == http.StatusServiceUnavailable,
		}
	}
	var said struct {
		Path     string `json:"path"`
		Tracks   []int  `json:"tracks"`
		Ladder   string `json:"ladder"`
		Pipeline string `json:"pipeline"`
	}
	if len(a.Value) > 0 {
		if err := json.Unmarshal(a.Value, &said); err != nil {
			return pipeline.Grant{}, fmt.Errorf("the app's %s hook gave %s: %w", q, a.Value, err)
		}
	}
	return pipeline.Grant(said), nil
}

// errGone means that a process ended while it was asked.
var errGone = errors.New("the app's process ended")

// call asks the process and waits for its answer.
func (i *instance) call(ctx context.Context, hook string, session []byte, limit time.Duration) (*wire.Answer, error) {
	answer := make(chan *wire.Answer, 1)
	i.mu.Lock()
	i.nextID++
	id := i.nextID
	i.calls[id] = answer
	i.mu.Unlock()
	defer func() {
		i.mu.Lock()
		delete(i.calls, id)
		i.mu.Unlock()
	}()
	if !i.out.put(&wire.Call{ID: id, Hook: hook, Session: session}) {
		return nil, errGone
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a, ok := <-answer:
		if !ok {
			return nil, errGone
		}
		return a, nil
	case <-i.gone:
		return nil, errGone
	case <-timer.C:
		return nil, fmt.Errorf("the app's %s hook did not answer within %s", hook, limit)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// session is a visitor as the script sees it.
type session struct {
	Path      string            `json:"path"`
	Protocol  string            `json:"protocol"`
	Remote    string            `json:"remote"`
	IP        string            `json:"ip"`
	UserAgent string            `json:"userAgent"`
	Query     map[string]string `json:"query"`
	User      string            `json:"user,omitempty"`
	Password  string            `json:"password,omitempty"`
	Local     bool              `json:"local"`
	Tracks    []track           `json:"tracks,omitempty"`
}

type track struct {
	Kind       string  `json:"kind"`
	Codec      string  `json:"codec"`
	Width      int     `json:"width,omitempty"`
	Height     int     `json:"height,omitempty"`
	FPS        float64 `json:"fps,omitempty"`
	SampleRate int     `json:"sampleRate,omitempty"`
	Channels   int     `json:"channels,omitempty"`
	Language   string  `json:"language,omitempty"`
}

func sessionOf(v pipeline.Visitor) session {
	s := session{
		Path: v.Path, Protocol: v.Protocol, Remote: v.Remote, IP: v.IP, UserAgent: v.Agent,
		Query: make(map[string]string, len(v.Query)), User: v.User, Password: v.Password, Local: v.Local,
	}
	for name := range v.Query {
		s.Query[name] = v.Query.Get(name)
	}
	for _, t := range v.Tracks {
		s.Tracks = append(s.Tracks, track{
			Kind: t.Kind.String(), Codec: string(t.Codec), Width: t.Width, Height: t.Height, FPS: t.FrameRate.Float(),
			SampleRate: t.SampleRate, Channels: t.Channels, Language: t.Language,
		})
	}
	return s
}
