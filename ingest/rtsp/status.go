package rtsp

import (
	"context"
	"errors"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/millrace/millrace/ingest"
)

// statusOf maps what a Gate answers to RTSP; see the package comment.
func statusOf(err error) base.StatusCode {
	for _, m := range []struct {
		err    error
		status base.StatusCode
	}{
		{ingest.ErrUnauthorized, base.StatusUnauthorized},
		{ingest.ErrForbidden, base.StatusForbidden},
		{ingest.ErrNotFound, base.StatusNotFound},
		{ingest.ErrEnded, base.StatusNotFound},
		{ingest.ErrBadPath, base.StatusBadRequest},
		{ingest.ErrBusy, base.StatusNotEnoughBandwidth},
		{ingest.ErrNoTracks, base.StatusUnsupportedMediaType},
		{ingest.ErrOverloaded, base.StatusServiceUnavailable},
		{ingest.ErrUnavailable, base.StatusServiceUnavailable},
		{errSDP, base.StatusBadRequest},
		{errTransport, base.StatusUnsupportedTransport},
		{context.DeadlineExceeded, base.StatusServiceUnavailable},
	} {
		if errors.Is(err, m.err) {
			return m.status
		}
	}
	return base.StatusInternalServerError
}

var (
	errTransport = errors.New("transport is switched off")
	errSDP       = errors.New("SDP cannot be read")
)

// refuse makes the response for an error, with the reason where people see it.
func refuse(err error) *base.Response {
	status := statusOf(err)
	reason := oneLine(err.Error())
	return &base.Response{
		StatusCode:    status,
		StatusMessage: base.StatusMessages[status] + " (" + reason + ")",
		Header:        base.Header{"Content-Type": base.HeaderValue{"text/plain; charset=utf-8"}},
		Body:          []byte(reason + "\n"),
	}
}

// maxReason bounds the reason in a status line; clients have small buffers.
const maxReason = 160

// oneLine makes text fit for a status line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > maxReason {
		s = s[:maxReason-3] + "..."
	}
	return s
}
