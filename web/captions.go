package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/millrace/millrace/internal/status"
)

const subtitlesSuffix = "/subtitles/"

// cutSubtitles finds, in the undecoded rest of an API URL, the stream's path and
// which of its subtitles is meant.
func cutSubtitles(method, rest string) (path, action string, ok bool) {
	i := strings.LastIndex(rest, subtitlesSuffix)
	if method != http.MethodPost || i < 0 || strings.Contains(rest[i+len(subtitlesSuffix):], "/") {
		return "", "", false
	}
	return rest[:i], rest[i:], true
}

type captionInput struct {
	StreamPath
	ID   string `path:"id" doc:"The subtitles: their language, and -sdh or -forced behind it where they are that" example:"en"`
	Body status.Cue
}

// Resolve also undoes the encoding of the ID.
func (i *captionInput) Resolve(ctx huma.Context) []error {
	if id, err := url.PathUnescape(i.ID); err == nil {
		i.ID = id
	}
	return i.StreamPath.Resolve(ctx)
}

// captionsAPI registers what the API says of subtitles.
func (s *Server) captionsAPI(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "caption", Method: http.MethodPost, Path: "/streams/{path}" + subtitlesSuffix + "{id}",
		Summary: "Show a text in a stream's subtitles", Tags: []string{"subtitles"}, Errors: []int{400, 401, 403, 404, 409, 422, 429},
		Description:   "The rendition is one of the stream's hls.subtitles. The answer says when the text is shown: later than asked for where viewers have the subtitles of that time already.",
		DefaultStatus: http.StatusCreated,
	}, func(_ context.Context, in *captionInput) (*body[status.Shown], error) {
		shown, err := s.cfg.Backend.Caption(in.Path, in.ID, in.Body)
		if err != nil {
			return nil, asProblem(err)
		}
		return answer(shown), nil
	})
}
