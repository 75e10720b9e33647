package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

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
	ErrUnavailable  = errors.New("not now") // nobody can decide at the moment
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

	// Unused are the tracks that are offered and cannot be taken.
	Unused []Unused

	// SharedClock is that of PublisherInfo.
	SharedClock bool

	// User is the claimed user name, Password the one sent in clear (Basic
	// and the like); both are empty when no credentials came.
	User, Password string

	// Verify tests a candidate against the credentials on the wire, whatever
	// their scheme (for Digest the password itself is never seen). It is nil
	// when the client sent none.
	Verify func(user, password string) bool
}

// Unused is a track that a publisher offers and the server cannot take.
type Unused struct {
	Kind   string // "video", "audio", or what else the wire calls it
	Codec  string // as the wire names it
	Reason string // in words; empty where the codec alone is the reason
}

func (u Unused) String() string {
	if u.Reason == "" {
		return u.Codec
	}
	return u.Codec + " (" + u.Reason + ")"
}

// NoTracks is ErrNoTracks with what was found instead.
func NoTracks(unused []Unused) error {
	if len(unused) == 0 {
		return fmt.Errorf("%w: none is offered", ErrNoTracks)
	}
	names := make([]string, len(unused))
	for i, u := range unused {
		names[i] = u.String()
	}
	return fmt.Errorf("%w: found %s", ErrNoTracks, strings.Join(names, ", "))
}

// Gate decides who may publish and read, and attaches them. The pipeline's
// Manager implements it; protocol servers call it from their connection's
// goroutine and may be kept waiting for a hook's deadline.
type Gate interface {
	// Publish decides, creates or finds the Stream, and attaches to it.
	// Without tracks it says that there are none to those who may publish,
	// and to the others that they may not.
	Publish(ctx context.Context, req Request, tracks []*media.Track) (*Publisher, error)
	// Read decides and returns the Stream.
	Read(ctx context.Context, req Request) (*Stream, error)
}

// errLeft is the reason when a publisher gives none.
var errLeft = errors.New("publisher left")
