package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/host/wire"
)

// request does what the app asks for. Nothing of it blocks for long.
func (i *instance) request(r *wire.Request) error {
	value, err := i.h.do(r)
	reply := &wire.Reply{ID: r.ID}
	if err == nil {
		reply.Value, err = json.Marshal(value)
	}
	if err != nil {
		reply.Value, reply.Error = nil, &wire.Error{Code: codeOf(err), Message: err.Error()}
	}
	i.out.put(reply)
	return nil
}

func codeOf(err error) string {
	switch {
	case errors.Is(err, status.ErrNotFound):
		return "ERR_NO_STREAM"
	case errors.Is(err, status.ErrNoPublisher):
		return "ERR_NO_PUBLISHER"
	case errors.Is(err, status.ErrBadMarker):
		return "ERR_BAD_MARKER"
	case errors.Is(err, status.ErrMarkerID):
		return "ERR_MARKER_ID"
	case errors.Is(err, status.ErrNoMarker):
		return "ERR_NO_MARKER"
	case errors.Is(err, status.ErrManyMarkers):
		return "ERR_TOO_MANY_MARKERS"
	case errors.Is(err, status.ErrBadCue):
		return "ERR_BAD_CUE"
	case errors.Is(err, status.ErrNoSubtitles):
		return "ERR_NO_SUBTITLES"
	case errors.Is(err, status.ErrManyCues):
		return "ERR_TOO_MANY_CUES"
	case errors.Is(err, status.ErrRuns):
		return "ERR_STREAM_RUNS"
	case errors.Is(err, pipeline.ErrNoScript):
		return "ERR_NO_SCRIPT"
	case errors.Is(err, access.ErrBadPath):
		return "ERR_BAD_PATH"
	}
	return "ERR_MILLRACE"
}

func (h *Host) do(r *wire.Request) (any, error) {
	var args struct {
		Path     string `json:"path"`
		Reason   string `json:"reason"`
		Source   string `json:"source"`
		Ladder   string `json:"ladder"`
		Pipeline string `json:"pipeline"`

		ID     string           `json:"id"`
		Marker status.Marker    `json:"marker"`
		End    status.MarkerEnd `json:"end"`

		Subtitles string     `json:"subtitles"`
		Cue       status.Cue `json:"cue"`
	}
	if len(r.Args) > 0 {
		if err := json.Unmarshal(r.Args, &args); err != nil {
			return nil, fmt.Errorf("read the arguments of %s: %w", r.Method, err)
		}
	}
	switch r.Method {
	case "list":
		if list := h.server.List(); list != nil {
			return list, nil
		}
		return []status.Stream{}, nil
	case "get":
		if s, ok := h.server.Get(args.Path); ok {
			return s, nil
		}
		return nil, nil //nolint:nilnil // null in JSON: there is none
	case "kick":
		return nil, h.server.Kick(args.Path, orElse(args.Reason, "kicked by the app"))
	case "start":
		return nil, h.server.Start(args.Path, pipeline.Order{Source: args.Source, Ladder: args.Ladder, Pipeline: args.Pipeline})
	case "stop":
		return nil, h.server.Stop(args.Path)
	case "mark":
		return h.server.Mark(args.Path, args.Marker)
	case "endMark":
		return h.server.EndMarker(args.Path, args.ID, args.End)
	case "markers":
		return h.server.Markers(args.Path)
	case "caption":
		return h.server.Caption(args.Path, args.Subtitles, args.Cue)
	}
	return nil, fmt.Errorf("there is no %s", r.Method)
}

// send passes a message on to a pipeline script.
func (i *instance) send(m *wire.Message) {
	text, blobs := m.Parts()
	err := i.h.server.Send(pipeline.Message{Path: m.Path, Topic: m.Topic, JSON: text, Blobs: blobs})
	if err != nil {
		i.h.logger().Warn("message not delivered", "stream", m.Path, "topic", m.Topic, "err", err)
	}
}

// tell passes on what happens to the process that is current.
func (h *Host) tell(ctx context.Context) {
	for ctx.Err() == nil {
		for e := range h.server.Events(ctx) {
			i := h.listener()
			if i == nil || !wanted(i.hooks.Load().Telling, e.Type) {
				continue
			}
			data, err := json.Marshal(e.Data)
			if err != nil {
				h.logger().Warn("event not delivered", "type", e.Type, "err", err)
				continue
			}
			i.out.put(&wire.Event{ID: e.ID, Time: e.Time, Kind: e.Type, Path: e.Path, Data: data})
		}
	}
}

// Tell gives an event to the app that is not on the bus, for being too
// frequent; it costs next to nothing where the app does not listen.
func (h *Host) Tell(e status.Event) {
	i := h.listener()
	if i == nil || !wanted(i.hooks.Load().Telling, e.Type) {
		return
	}
	if data, err := json.Marshal(e.Data); err == nil {
		i.out.put(&wire.Event{Time: e.Time, Kind: e.Type, Path: e.Path, Data: data})
	}
}

func (h *Host) listener() *instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current
}

// wanted matches an event's type with the names that the script gave.
func wanted(names []string, kind string) bool {
	for _, name := range names {
		if ok, err := path.Match(name, kind); ok && err == nil {
			return true
		}
	}
	return false
}

// pass brings what pipeline scripts say to the process that is current.
func (h *Host) pass(ctx context.Context) {
	for m := range h.server.Messages(ctx) {
		i := h.listener()
		if i == nil || !i.hooks.Load().Topics {
			continue
		}
		w := &wire.Message{Path: m.Path, Topic: m.Topic, Sizes: []int{len(m.JSON)}, Body: append([]byte(nil), m.JSON...)}
		for _, b := range m.Blobs {
			w.Sizes = append(w.Sizes, len(b))
			w.Body = append(w.Body, b...)
		}
		i.out.put(w)
	}
}
