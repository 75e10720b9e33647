package web

import (
	"context"
	"net/http"
	"time"

	"github.com/millrace/millrace/internal/status"
)

// Backend is what web needs of the rest of the server; the pipeline's Manager
// is one. All methods are called from many goroutines at once and must not
// block longer than their context lives, those without one not at all.
type Backend interface {
	// List returns every stream, ordered by path.
	List() []status.Stream

	// Get returns one stream by its exact path.
	Get(path string) (status.Stream, bool)

	// Kick disconnects the publisher; the stream then holds as if the
	// publisher had left. It returns status.ErrNotFound or
	// status.ErrNoPublisher.
	Kick(path, reason string) error

	// End ends the stream at once, publisher included, without hold. It
	// returns status.ErrNotFound.
	End(path, reason string) error

	// Mark marks a stream: see status.Marker. It returns status.ErrNotFound or
	// one of the errors about markers there, as does EndMarker, which ends a
	// date range that goes on.
	Mark(path string, m status.Marker) (status.Marked, error)
	EndMarker(path, id string, end status.MarkerEnd) (status.Marked, error)

	// Markers are the date ranges that the stream's playlists list, or will. It
	// returns status.ErrNotFound.
	Markers(path string) ([]status.Marked, error)

	// Caption shows a text in the subtitles of a stream: see status.Cue. It
	// returns status.ErrNotFound or one of the errors there.
	Caption(path, subtitles string, ask status.Cue) (status.Shown, error)

	// Playback finds the stream whose path is the longest prefix, element by
	// element, of urlPath ("cam/front/720p/index.m3u8"). It is called once a
	// playback request: it must be cheap.
	Playback(urlPath string) (Playback, bool)

	// Thumbnail decodes the newest keyframe of a stream to JPEG. Web asks at
	// most once a stream in 5 s and never twice at a time for one stream. It
	// returns status.ErrNotFound, or status.ErrNoPicture while there is none.
	Thumbnail(ctx context.Context, path string) ([]byte, error)

	// Events delivers every event from now on, until ctx ends: then the
	// channel is closed. It never blocks the sender: a receiver that is too
	// far behind finds its channel closed early and subscribes again.
	Events(ctx context.Context) <-chan status.Event

	// Ready says whether the server can do its work: nil, or why not.
	Ready() error
}

// Playback is one stream's media over HTTP.
type Playback struct {
	// Path is the stream's; the handler is given what follows it in the URL,
	// without a leading slash, as r.URL.Path ("720p/index.m3u8").
	Path    string
	Handler http.Handler

	// Recording is its ID where it is one; the handler is then given what
	// follows that. Its viewers are not counted.
	Recording string

	// Licensed: the MPD names where POST brings licenses by licenseName alone.
	Licensed bool

	// Target is the target duration: a viewer is gone after three of them.
	Target time.Duration
}
