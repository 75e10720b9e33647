package media

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/transcode"
)

// Error is what went wrong in a stage, as scripts see it.
type Error struct {
	Stage       string // decode, encode …
	Stream      string // the path or file
	Code        string // ERR_MEDIA_…
	Message     string
	Recoverable bool // the stage can go on after a restart
	Cause       error
}

// Error is the message, with the stage it comes from.
func (e *Error) Error() string { return e.Stage + ": " + e.Message }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// The codes.
const (
	codeOption = "ERR_MEDIA_OPTION" // an option, or a part, that does not exist, or its value
	codeLink   = "ERR_MEDIA_LINK"   // what one stage gives the other does not take
	codeLate   = "ERR_MEDIA_LATE"   // a track that came when all tracks were settled
	codeBudget = "ERR_MEDIA_BUDGET"
	codeClosed = "ERR_MEDIA_CLOSED" // a packet or frame was used after it had been passed on
	codeOpen   = "ERR_MEDIA_OPEN"
	codeRead   = "ERR_MEDIA_READ"
	codeDecode = "ERR_MEDIA_DECODE"
	codeFilter = "ERR_MEDIA_FILTER"
	codeEncode = "ERR_MEDIA_ENCODE"
	codeMux    = "ERR_MEDIA_MUX"
	codeHLS    = "ERR_MEDIA_HLS"
	codeWrite  = "ERR_MEDIA_WRITE"
	codeAbsent = "ERR_MEDIA_UNAVAILABLE" // there is no such thing where this script runs
)

// failure makes an Error of a stage; one that is already stays.
func (s *stage) failure(code string, recoverable bool, err error) error {
	var own *Error
	if errors.As(err, &own) || errors.Is(err, errClosed) || s.ctx.Err() != nil {
		return err
	}
	return &Error{
		Stage: s.kind, Stream: s.m.opts.Stream, Code: code, Message: err.Error(),
		Recoverable: recoverable, Cause: err,
	}
}

// misfit says that an object is not what the stage takes.
func (s *stage) misfit(o *object, wanted string) error {
	return &Error{
		Stage: s.kind, Stream: s.m.opts.Stream, Code: codeLink,
		Message: fmt.Sprintf("it was given %s, and takes %s", o.what(), wanted),
	}
}

// reason is an error as a value for scripts.
func reason(err error) *loop.Error {
	var own *Error
	if errors.As(err, &own) {
		return &loop.Error{
			Code: own.Code, Message: own.Error(), Cause: err,
			Fields: map[string]any{"stage": own.Stage, "stream": own.Stream, "recoverable": own.Recoverable},
		}
	}
	var of *loop.Error
	if errors.As(err, &of) {
		return of
	}
	code := "ERR_MEDIA"
	var option *transcode.OptionError
	if errors.As(err, &option) {
		code = codeOption
	}
	return &loop.Error{Code: code, Message: err.Error(), Cause: err}
}

// restarts bounds how often a stage begins anew: five times in ten seconds.
type restarts struct{ at []time.Time }

func (r *restarts) allow() bool {
	const most, within = 5, 10 * time.Second
	now := time.Now()
	kept := r.at[:0]
	for _, t := range r.at {
		if now.Sub(t) < within {
			kept = append(kept, t)
		}
	}
	r.at = append(kept, now)
	return len(r.at) <= most
}
