package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// Problem is every error this server answers: JSON for the API, one line of
// text for media and pages.
type Problem struct {
	Detail ProblemDetail `json:"error"`
	status int
}

// ProblemDetail says what is wrong to programs (Code) and to people.
type ProblemDetail struct {
	Code    string `json:"code" doc:"Stable word for programs" example:"not_found"`
	Message string `json:"message" doc:"What is wrong" example:"no such stream: cam/front"`
	Hint    string `json:"hint,omitempty" doc:"What to do about it"`
}

func problem(status int, code, message, hint string) *Problem {
	return &Problem{ProblemDetail{code, message, hint}, status}
}

func (p *Problem) Error() string { return p.Detail.Message }

// GetStatus makes a Problem an answer of huma's.
func (p *Problem) GetStatus() int { return p.status }

// text is the one line that players and people get.
func (p *Problem) text() string {
	if p.Detail.Hint == "" {
		return p.Detail.Message + "\n"
	}
	return p.Detail.Message + " (" + p.Detail.Hint + ")\n"
}

// asProblem turns any error of the layers below into what the client may see.
// What is unknown stays inside: its text could name what nobody should read.
func asProblem(err error) *Problem {
	var p *Problem
	var he *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, status.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", err.Error(), "")
	case errors.Is(err, status.ErrNoRecording):
		return problem(http.StatusNotFound, "not_found", err.Error(), "")
	case errors.Is(err, status.ErrRecording):
		return problem(http.StatusConflict, "recording", err.Error(), "end its stream first")
	case errors.Is(err, status.ErrBadMarker):
		return problem(http.StatusUnprocessableEntity, "bad_marker", err.Error(), "")
	case errors.Is(err, status.ErrMarkerID):
		return problem(http.StatusConflict, "marker_id", err.Error(), "another id, or what was said of it before")
	case errors.Is(err, status.ErrNoMarker):
		return problem(http.StatusNotFound, "no_marker", err.Error(), "")
	case errors.Is(err, status.ErrManyMarkers):
		return problem(http.StatusTooManyRequests, "too_many_markers", err.Error(), "")
	case errors.Is(err, status.ErrMarkersEnded):
		return problem(http.StatusConflict, "ended", err.Error(), "")
	case errors.Is(err, status.ErrBadCue):
		return problem(http.StatusUnprocessableEntity, "bad_cue", err.Error(), "")
	case errors.Is(err, status.ErrNoSubtitles):
		return problem(http.StatusNotFound, "no_subtitles", err.Error(), "hls.subtitles of the stream lists them")
	case errors.Is(err, status.ErrManyCues):
		return problem(http.StatusTooManyRequests, "too_many_cues", err.Error(), "")
	case errors.Is(err, status.ErrNoPublisher):
		return problem(http.StatusConflict, "no_publisher", err.Error(), "")
	case errors.Is(err, status.ErrNoPicture):
		return problem(http.StatusNotFound, "no_picture", err.Error(), "")
	case errors.Is(err, access.ErrBadPath):
		return problem(http.StatusBadRequest, "bad_path", err.Error(), "a path is 1 to 8 elements of A-Z a-z 0-9 _ . -")
	case errors.As(err, &tooLarge):
		return problem(http.StatusRequestEntityTooLarge, "too_large", "the body is too large", "")
	case errors.As(err, &he):
		return problem(he.Code, codeOf(he.Code), strings.ToLower(http.StatusText(he.Code)), "")
	}
	return problem(http.StatusInternalServerError, "internal", "something went wrong in the server", "the server's log says what")
}

// codeOf is the word for a status that has no better one.
func codeOf(status int) string {
	text := http.StatusText(status)
	if text == "" {
		return "error"
	}
	return strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(text, "-", " ")), " ", "_")
}

// writeProblem answers p in the form that suits the path.
func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="millrace"`)
	}
	body, contentType := []byte(p.text()), "text/plain; charset=utf-8"
	if wantsJSON(r) {
		body, contentType = mustJSON(p), "application/json"
	}
	h.Set("Content-Type", contentType)
	w.WriteHeader(p.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone: nobody is left to tell
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.Contains(r.Header.Get("Accept"), "application/json")
}

// mustJSON is for values of this package's own types, which always marshal.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return b
}

// humaError makes huma's own refusals (a bad parameter, an unknown media type)
// look like everybody else's.
func humaError(status int, message string, errs ...error) huma.StatusError {
	p := problem(status, codeOf(status), message, "")
	for _, err := range errs {
		var inner *Problem
		if errors.As(err, &inner) {
			return inner
		}
		if err != nil {
			p.Detail.Hint = strings.TrimPrefix(p.Detail.Hint+"; "+err.Error(), "; ")
		}
	}
	return p
}

func init() { huma.NewError = humaError }
