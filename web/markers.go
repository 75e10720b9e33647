package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/millrace/millrace/internal/status"
)

const markersSuffix = "/markers"

// cutMarkers finds, in the undecoded rest of an API URL, the stream's path and
// what of its markers is meant: all of them, or one by its ID. A stream whose
// own path ends so is named with %2F.
func cutMarkers(method, rest string) (path, action string, ok bool) {
	if method == http.MethodPatch {
		if i := strings.LastIndex(rest, markersSuffix+"/"); i >= 0 {
			return rest[:i], rest[i:], true
		}
		return "", "", false
	}
	if path, ok := strings.CutSuffix(rest, markersSuffix); ok && (method == http.MethodGet || method == http.MethodPost) {
		return path, markersSuffix, true
	}
	return "", "", false
}

type markInput struct {
	StreamPath
	Body status.Marker
}

type endMarkerInput struct {
	StreamPath
	ID   string `path:"id" doc:"The date range's ID" example:"break-7"`
	Body *status.MarkerEnd
}

// Resolve also undoes the encoding of the ID.
func (i *endMarkerInput) Resolve(ctx huma.Context) []error {
	if id, err := url.PathUnescape(i.ID); err == nil {
		i.ID = id
	}
	return i.StreamPath.Resolve(ctx)
}

type markers struct {
	Markers []status.Marked `json:"markers" doc:"Ordered by start"`
}

// markersAPI registers what the API says of markers.
func (s *Server) markersAPI(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "listMarkers", Method: http.MethodGet, Path: "/streams/{path}" + markersSuffix,
		Summary: "List a stream's date ranges", Tags: []string{"markers"}, Errors: []int{400, 401, 403, 404},
		Description: "Those that a playlist of the stream lists, or will. They leave when no listed segment is within them.",
	}, func(_ context.Context, in *StreamPath) (*body[markers], error) {
		list, err := s.cfg.Backend.Markers(in.Path)
		if err != nil {
			return nil, asProblem(err)
		}
		return answer(markers{list}), nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "mark", Method: http.MethodPost, Path: "/streams/{path}" + markersSuffix,
		Summary: "Mark a stream", Tags: []string{"markers"}, Errors: []int{400, 401, 403, 404, 409, 422, 429},
		Description: "A date range (EXT-X-DATERANGE in every playlist), or, with text, private or id3, timed metadata that players hand to the page at its frame. " +
			"The same id again adds to what is known of a date range.",
		DefaultStatus: http.StatusCreated,
	}, func(_ context.Context, in *markInput) (*body[status.Marked], error) {
		made, err := s.cfg.Backend.Mark(in.Path, in.Body)
		if err != nil {
			return nil, asProblem(err)
		}
		return answer(made), nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "endMarker", Method: http.MethodPatch, Path: "/streams/{path}" + markersSuffix + "/{id}",
		Summary: "End a date range", Tags: []string{"markers"}, Errors: []int{400, 401, 403, 404, 409, 422},
		Description: "One that goes on: it was made with open or planned, or came without a duration. Now, unless the body says otherwise.",
	}, func(_ context.Context, in *endMarkerInput) (*body[status.Marked], error) {
		var end status.MarkerEnd
		if in.Body != nil {
			end = *in.Body
		}
		ended, err := s.cfg.Backend.EndMarker(in.Path, in.ID, end)
		if err != nil {
			return nil, asProblem(err)
		}
		return answer(ended), nil
	})
}
