package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

const (
	recordedPrefix   = "/rec/"
	recordingsPrefix = apiPrefix + "/recordings/"
)

// Archive is where recordings are. All methods are called from many goroutines
// at once and must not block for long.
type Archive interface {
	// List returns every recording, ordered by path and time.
	List() []status.Recording

	// Find returns what urlPath, {stream}/{id}/…, leads to. Playback.Recording
	// is set.
	Find(urlPath string) (Playback, bool)

	// Remove deletes a recording. It returns status.ErrNoRecording or
	// status.ErrRecording.
	Remove(path, id string) error
}

// find returns what a URL below /hls/ or /rec/ leads to.
func (s *Server) find(p string, recorded bool) (Playback, bool) {
	switch {
	case !recorded:
		return s.cfg.Backend.Playback(p)
	case s.cfg.Recordings == nil:
		return Playback{}, false
	}
	return s.cfg.Recordings.Find(p)
}

// place is what of a URL leads to the media: what the handler is not given.
func (p *Playback) place() string {
	if p.Recording != "" {
		return p.Path + "/" + p.Recording
	}
	return p.Path
}

// base is the URL path of the playback's playlists.
func (p *Playback) base() string {
	if p.Recording != "" {
		return recordedPrefix + p.place() + "/"
	}
	return hlsPrefix + p.Path + "/"
}

// nameRecording makes one element of the stream's path in an API URL, as
// nameStream does. What comes last is the recording's ID.
func nameRecording(r *http.Request) *http.Request {
	rest := strings.TrimPrefix(r.URL.Path, recordingsPrefix)
	path, id := "", rest
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		path, id = rest[:i], rest[i+1:]
	}
	u := *r.URL
	u.Path, u.RawPath = recordingsPrefix+strings.ReplaceAll(url.PathEscape(path), "/", "%2F")+"/"+url.PathEscape(id), ""
	inner := *r
	inner.URL = &u
	return &inner
}

type recordingsInput struct {
	Path string `query:"path" doc:"Only those of this stream" example:"cam/front"`
	base base
}

// Resolve remembers by which address the client knows us.
func (i *recordingsInput) Resolve(ctx huma.Context) []error {
	i.base = baseFrom(ctx.Context())
	return nil
}

type recordings struct {
	Recordings []status.Recording `json:"recordings" doc:"Ordered by path and time"`
}

type recordingInput struct {
	StreamPath
	ID string `path:"id" doc:"The recording's ID" example:"2026-01-31T20-15-00Z"`
}

// recordingsAPI registers what the API says of recordings.
func (s *Server) recordingsAPI(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "listRecordings", Method: http.MethodGet, Path: "/recordings",
		Summary: "List recordings", Tags: []string{"recordings"}, Errors: []int{401, 403},
		Description: "What streams with record: true left behind, and what is being recorded.",
	}, func(_ context.Context, in *recordingsInput) (*body[recordings], error) {
		return answer(recordings{s.recordings(in.Path, in.base)}), nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "removeRecording", Method: http.MethodDelete, Path: "/recordings/{path}/{id}",
		Summary: "Remove a recording", Tags: []string{"recordings"}, Errors: []int{400, 401, 403, 404, 409},
		Description:   "It is gone for good. One that is being written cannot be removed: end its stream first.",
		DefaultStatus: http.StatusNoContent,
	}, func(_ context.Context, in *recordingInput) (*struct{}, error) {
		if s.cfg.Recordings == nil {
			return nil, asProblem(status.ErrNoRecording)
		}
		return nil, problemOrNil(s.cfg.Recordings.Remove(in.Path, in.ID))
	})
}

// recordings is the archive's list with its URLs.
func (s *Server) recordings(path string, b base) []status.Recording {
	list := []status.Recording{}
	if s.cfg.Recordings != nil {
		list = append(list, s.cfg.Recordings.List()...)
	}
	if path != "" {
		list = slices.DeleteFunc(list, func(r status.Recording) bool { return r.Path != path })
	}
	for i := range list {
		if r := &list[i]; !r.Writing {
			r.URLs.HLS = b.url(recordedPrefix + r.Path + "/" + r.ID + "/" + multivariantName)
			r.URLs.Watch = b.url("/watch/" + r.Path + "?recording=" + r.ID)
		}
	}
	return list
}

// recordedOf lists a stream's recordings for its player page.
func (s *Server) recordedOf(path string) []status.Recording {
	if access.CheckPath(path) != nil {
		return nil
	}
	list := slices.DeleteFunc(s.recordings(path, base{}), func(r status.Recording) bool { return r.Writing })
	for i := range list {
		list[i].URLs = status.RecordingURLs{}
	}
	return list
}
