package check

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// Limits of one answer.
const (
	maxPlaylist = 16 << 20 // bytes
	maxMedia    = 256 << 20
	patience    = 60 * time.Second // longer than any server may block
)

// answer is one request and what came of it.
type answer struct {
	url       *url.URL
	asked     time.Time
	firstByte time.Duration // of the body, since asked
	took      time.Duration // to the last byte
	status    int
	header    http.Header
	encoding  string // Content-Encoding as sent
	body      []byte
	redirects int
	err       error // none came
}

func (a *answer) ok() bool { return a.err == nil && a.status == http.StatusOK }

// at is when the last byte came.
func (a *answer) at() time.Time { return a.asked.Add(a.took) }

// client asks the server.
type client struct {
	http *http.Client
	keys keyring
}

// get fetches a URL. gzip asks for a compressed answer and leaves it so.
func (c *client) get(ctx context.Context, u *url.URL, limit int64, gzip bool) *answer {
	var h http.Header
	if gzip {
		h = http.Header{"Accept-Encoding": {"gzip"}} // set by hand, net/http leaves the body as it is
	}
	return c.ask(ctx, u, limit, h)
}

// ask fetches a URL with headers of its own.
func (c *client) ask(ctx context.Context, u *url.URL, limit int64, header http.Header) *answer {
	a := &answer{url: u, asked: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		a.err = err
		return a
	}
	req.Header.Set("User-Agent", "millrace-check")
	maps.Copy(req.Header, header)
	counting := *c.http
	counting.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if a.redirects = len(via); a.redirects > 5 {
			return fmt.Errorf("more than five redirects")
		}
		return nil
	}
	resp, err := counting.Do(req)
	if err != nil {
		a.err, a.took = err, time.Since(a.asked)
		return a
	}
	defer func() { _ = resp.Body.Close() }()
	a.status, a.header, a.encoding = resp.StatusCode, resp.Header, resp.Header.Get("Content-Encoding")
	var first [1]byte
	n, err := io.ReadFull(resp.Body, first[:])
	a.firstByte = time.Since(a.asked)
	a.body = append(a.body, first[:n]...)
	if err == nil {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(resp.Body, limit))
		a.body = append(a.body, rest...)
	}
	a.took = time.Since(a.asked)
	if err != nil && err != io.EOF { //nolint:errorlint // ReadFull returns it bare
		a.err = fmt.Errorf("the answer breaks off: %w", err)
	} else if int64(len(a.body)) > limit {
		a.err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return a
}
