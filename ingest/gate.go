package ingest

import (
	"context"
	"errors"
	"net"
	"net/url"

	"github.com/millrace/millrace/internal/media"
)

// What a Gate or a Stream answers; protocol servers map them to their own
// status codes. Errors may wrap these with a reason.
var (
	ErrUnauthorized = errors.New("credentials required") // none given, or wrong ones: ask for them
	ErrForbidden    = errors.New("not allowed")          // no credentials would help
	ErrBusy         = errors.New("path already has a publisher")
	ErrNotFound     = errors.New("no such stream")
	ErrBadPath      = errors.New("bad stream path")
	ErrNoTracks     = errors.New("no usable track")
	ErrOverloaded   = errors.New("the server has no capacity left")
	ErrTakenOver    = errors.New("taken over by another publisher")
	ErrEnded        = errors.New("stream has ended")
)

// Request is what a client asks of a Gate, whatever the protocol.
type Request struct {
	Path     string // without leading slash and without query
	Protocol string // "rtsp", "rtmp", "srt"
	Remote   net.Addr
	Agent    string     // what the client says it is
	Query    url.Values // of the URL

	// User is the claimed user name, Password the one sent in clear (Basic
	// and the like); both are empty when no credentials came.
	User, Password string

	// Verify tests a candidate against the credentials on the wire, whatever
	// their scheme (for Digest the password itself is never seen). It is nil
	// when the client sent none.
	Verify func(user, password string) bool
}

// Gate decides who may publish and read, and attaches them. The pipeline's
// Manager implements it; protocol servers call it from their connection's
// goroutine and may be kept waiting for a hook's deadline.
type Gate interface {
	// Publish decides, creates or finds the Stream, and attaches to it.
	Publish(ctx context.Context, req Request, tracks []*media.Track) (*Publisher, error)
	// Read decides and returns the Stream.
	Read(ctx context.Context, req Request) (*Stream, error)
}

// errLeft is the reason when a publisher gives none.
var errLeft = errors.New("publisher left")
