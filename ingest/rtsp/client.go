package rtsp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

const userAgent = "millrace"

// maxRedirects is how many a server may answer with; gortsplib would follow
// for ever.
const maxRedirects = 5

// parseURL reads an rtsp or rtsps URL. The error does not repeat it: it may
// hold a password.
func parseURL(s string) (*base.URL, error) {
	u, err := base.ParseURL(s)
	if err != nil || u.Host == "" {
		return nil, errors.New("not an rtsp:// or rtsps:// URL")
	}
	return u, nil
}

// publicURL is a URL without user, password and query, for logs.
func publicURL(u *base.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// client is a connection to another server, as far as pull and push share it.
type client struct {
	*gortsplib.Client
	hints     []mediaHint // of the SDP described last
	redirects int
	release   func() bool
}

// newClient prepares a connection that ends when ctx does. close must be
// called.
func newClient(ctx context.Context, u *base.URL, transport string, timeout time.Duration, fault func(error)) (*client, error) {
	c := &client{}
	c.Client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host,
		ReadTimeout: timeout, WriteTimeout: timeout,
		WriteQueueSize:           writeQueue,
		UserAgent:                userAgent,
		DisableRTCPSenderReports: true, // see fromNTP
		OnResponse:               c.response,
		OnPacketsLost:            func(uint64) {}, // counted by track: receiver.packet
		OnDecodeError:            fault,
		OnTransportSwitch:        func(error) {},
	}
	switch transport {
	case TCP:
		t := gortsplib.TransportTCP
		c.Transport = &t
	case UDP:
		t := gortsplib.TransportUDP
		c.Transport = &t
	default:
		return nil, fmt.Errorf("unknown transport %q", transport)
	}
	if err := c.Start2(); err != nil {
		return nil, err
	}
	c.release = context.AfterFunc(ctx, c.Client.Close)
	return c, nil
}

func (c *client) close() {
	c.release()
	c.Client.Close()
}

// response sees what the server answers before the library does.
func (c *client) response(res *base.Response) {
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		if c.redirects++; c.redirects > maxRedirects {
			res.StatusCode, res.StatusMessage = base.StatusBadGateway, "too many redirects"
		}
	}
	if len(res.Body) > 0 {
		c.hints, res.Body = readSDP(res.Body)
	}
}

// status returns the status code that an error speaks of, 0 if none.
func status(err error) base.StatusCode {
	var bad liberrors.ErrClientBadStatusCode
	if errors.As(err, &bad) {
		return bad.Code
	}
	return 0
}

// orDiscard is a logger even when none was given.
func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
