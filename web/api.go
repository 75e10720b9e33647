package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

const (
	apiPrefix     = "/api/v1"
	specPath      = apiPrefix + "/openapi.json" // the same everywhere, and open
	streamsPrefix = apiPrefix + "/streams/"
	kickSuffix    = "/kick"
)

// StreamPath is a stream's path as one element of the URL, its slashes written
// %2F. Plain slashes are taken too; see nameStream.
type StreamPath struct {
	Path string `path:"path" doc:"The stream's path, its slashes written %2F; plain slashes are understood as well" example:"cam%2Ffront"`
}

// Resolve undoes the encoding and refuses what cannot be a stream's path.
func (i *StreamPath) Resolve(huma.Context) []error {
	p, err := url.PathUnescape(i.Path)
	if err == nil {
		err = access.CheckPath(p)
	} else {
		err = fmt.Errorf("%w: %w", access.ErrBadPath, err)
	}
	if err != nil {
		return []error{asProblem(err)}
	}
	i.Path = p
	return nil
}

// nameStream makes one element of the stream's path in an API URL, whether its
// slashes came plain or encoded, so that echo can route it. What POST names
// last is the action, and what cutMarkers and cutSubtitles find.
func nameStream(r *http.Request) *http.Request {
	rest := strings.TrimPrefix(r.URL.Path, streamsPrefix)
	action := ""
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), streamsPrefix)
	path, what, ok := cutMarkers(r.Method, escaped)
	if !ok {
		path, what, ok = cutSubtitles(r.Method, escaped)
	}
	if ok {
		if plain, err := url.PathUnescape(path); err == nil {
			rest, action = plain, what
		}
	} else if r.Method == http.MethodPost {
		rest, action = cutAction(rest)
	}
	u := *r.URL
	u.Path, u.RawPath = streamsPrefix+strings.ReplaceAll(url.PathEscape(rest), "/", "%2F")+action, ""
	inner := *r
	inner.URL = &u
	return &inner
}

func cutAction(rest string) (path, action string) {
	for _, action := range []string{kickSuffix, checkSuffix} {
		if path, ok := strings.CutSuffix(rest, action); ok {
			return path, action
		}
	}
	return rest, ""
}

type oneInput struct {
	StreamPath
	base base
}

// Resolve also remembers by which address the client knows us.
func (i *oneInput) Resolve(ctx huma.Context) []error {
	i.base = baseFrom(ctx.Context())
	return i.StreamPath.Resolve(ctx)
}

type listInput struct {
	State []string `query:"state" doc:"Only streams in one of these states" enum:"waiting,live,lost,ended,failed"`
	base  base
}

func (i *listInput) Resolve(ctx huma.Context) []error {
	i.base = baseFrom(ctx.Context())
	return nil
}

type list struct {
	Streams []status.Stream `json:"streams" doc:"Ordered by path"`
}

type kickInput struct {
	StreamPath
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"Told to the publisher where its protocol can, and logged"`
	}
}

type endInput struct {
	StreamPath
	Reason string `query:"reason" maxLength:"200" doc:"Told to the publisher where its protocol can, and logged"`
}

type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{v} }

type serverInfo struct {
	Version string   `json:"version"`
	Base    string   `json:"base" doc:"This server's address as you see it" example:"http://localhost:8080"`
	Publish []string `json:"publish" doc:"Where to publish: append the stream's path" example:"[\"rtsp://localhost:8554/\"]"`

	App *status.App `json:"app,omitempty" doc:"The script of 'app' in the configuration; absent where there is none"`
}

// api registers the control API; its description is made from the Go types.
func (s *Server) api(e *echo.Echo) error {
	config := huma.DefaultConfig("Millrace control API", "1")
	config.Info.Description = "Streams of this server: list, look, kick, mark, caption. Open to this machine; from elsewhere with the API token."
	config.Servers = []*huma.Server{{URL: apiPrefix}}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // served by us, once rendered
	config.CreateHooks = nil                                             // no $schema in every answer
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "auth.api.token of the configuration"},
	}
	config.Security = []map[string][]string{{}, {"token": {}}}

	api := humaecho.NewWithGroup(e, e.Group(apiPrefix), config)

	huma.Register(api, huma.Operation{
		OperationID: "listStreams", Method: http.MethodGet, Path: "/streams",
		Summary: "List streams", Tags: []string{"streams"}, Errors: []int{401, 403},
	}, func(_ context.Context, in *listInput) (*body[list], error) {
		all := s.streams(in.base)
		if len(in.State) > 0 {
			all = slices.DeleteFunc(all, func(st status.Stream) bool { return !slices.Contains(in.State, string(st.State)) })
		}
		return answer(list{all}), nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "getStream", Method: http.MethodGet, Path: "/streams/{path}",
		Summary: "Look at one stream", Tags: []string{"streams"}, Errors: []int{400, 401, 403, 404},
	}, func(_ context.Context, in *oneInput) (*body[status.Stream], error) {
		st, err := s.one(in.Path, in.base)
		if err != nil {
			return nil, asProblem(err)
		}
		return answer(st), nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "kickPublisher", Method: http.MethodPost, Path: "/streams/{path}" + kickSuffix,
		Summary: "Disconnect the publisher", Tags: []string{"streams"}, Errors: []int{400, 401, 403, 404, 409},
		Description:   "The stream then holds as if the publisher had left by itself, and goes on if it comes back in time.",
		DefaultStatus: http.StatusNoContent,
	}, func(_ context.Context, in *kickInput) (*struct{}, error) {
		reason := "kicked by the API"
		if in.Body != nil && in.Body.Reason != "" {
			reason = in.Body.Reason
		}
		return nil, problemOrNil(s.cfg.Backend.Kick(in.Path, reason))
	})
	huma.Register(api, huma.Operation{
		OperationID: "endStream", Method: http.MethodDelete, Path: "/streams/{path}",
		Summary: "End a stream now", Tags: []string{"streams"}, Errors: []int{400, 401, 403, 404},
		Description:   "Disconnects the publisher and ends the playlists without waiting for it to come back.",
		DefaultStatus: http.StatusNoContent,
	}, func(_ context.Context, in *endInput) (*struct{}, error) {
		return nil, problemOrNil(s.cfg.Backend.End(in.Path, orElse(in.Reason, "ended by the API")))
	})
	huma.Register(api, huma.Operation{
		OperationID: "getServer", Method: http.MethodGet, Path: "/server",
		Summary: "Look at the server", Tags: []string{"server"}, Errors: []int{401, 403},
	}, func(ctx context.Context, _ *struct{}) (*body[serverInfo], error) {
		return answer(s.info(baseFrom(ctx))), nil
	})
	s.recordingsAPI(api)
	s.markersAPI(api)
	s.captionsAPI(api)
	describeEvents(api.OpenAPI())
	describeCheck(api.OpenAPI())

	spec, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return fmt.Errorf("render openapi.json: %w", err)
	}
	s.docs.spec = spec
	s.docs.page, err = renderDocs(api.OpenAPI())
	return err
}

func (s *Server) info(b base) serverInfo {
	info := serverInfo{Version: s.cfg.Version, Base: b.url(""), Publish: []string{}}
	if s.cfg.App != nil {
		info.App = s.cfg.App.Status()
	}
	for _, u := range []string{
		b.with("rtsp", s.cfg.RTSP, "554"), b.with("rtmp", s.cfg.RTMP, "1935"), b.with("srt", s.cfg.SRT, ""),
	} {
		switch {
		case strings.HasPrefix(u, "srt:"):
			info.Publish = append(info.Publish, u+"?streamid=publish:")
		case u != "":
			info.Publish = append(info.Publish, u+"/")
		}
	}
	return info
}

type baseKey struct{}

// gate stands before everything under /api/v1, routes that will be added later
// included: only those pass who may use the API. It hands the client's idea of
// our address to huma's handlers, which do not see the request, and keeps
// answers out of caches.
func (s *Server) gate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !strings.HasPrefix(r.URL.Path, apiPrefix) || r.URL.Path == specPath {
			return next(c)
		}
		if refused := s.admitAPI(r); refused != nil {
			return refused
		}
		h := c.Response().Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), baseKey{}, s.baseOf(r))))
		return next(c)
	}
}

func baseFrom(ctx context.Context) base {
	b, _ := ctx.Value(baseKey{}).(base)
	return b
}

func problemOrNil(err error) error {
	if err == nil {
		return nil
	}
	return asProblem(err)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// describeEvents adds the event stream, which is not one answer, by hand.
func describeEvents(spec *huma.OpenAPI) {
	event := spec.Components.Schemas.Schema(reflectEvent, true, "Event")
	spec.AddOperation(&huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/events",
		Summary: "Follow every event", Tags: []string{"server"},
		Description: "Over WebSocket, or Server-Sent Events where Accept is text/event-stream. Browsers, which cannot send an Authorization header with a WebSocket, " +
			"offer the subprotocols millrace.v1 and bearer.BASE64URL(token). A client that reads too slowly is cut: connect again and read the list.",
		Parameters: []*huma.Param{{
			Name: "figures", In: "query", Description: "Send the list of streams too, at once and each second, as an event of type streams",
			Schema: &huma.Schema{Type: huma.TypeBoolean},
		}},
		Responses: map[string]*huma.Response{"200": {
			Description: "One JSON object an event",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: event}},
		}},
	})
}
