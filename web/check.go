package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/millrace/millrace/internal/status"
)

const (
	checkSuffix  = "/check"
	checkSeconds = 20 // unless the client says otherwise
	maxSeconds   = 60 // what is downloaded meanwhile lies in memory
	maxChecks    = 2  // at a time: each downloads all renditions
)

// Judge holds presentations to the rules of HLS.
type Judge interface {
	// Judge watches the presentation at a URL for a time, asking by way of c,
	// and tells its progress about once a second, from its own goroutine. It
	// ends soon after ctx has. An error says why there was nothing to judge.
	Judge(ctx context.Context, c *http.Client, url string, watch time.Duration, progress func(elapsed time.Duration)) (status.CheckReport, error)
}

// checks are the streams that are being checked.
type checks struct {
	mu      sync.Mutex
	streams map[string]bool
}

// take books a check of a stream; what it returns ends it.
func (c *checks) take(path string) (release func(), refused *Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.streams[path]:
		return nil, problem(http.StatusConflict, "being_checked", "this stream is being checked already", "one check a stream at a time")
	case len(c.streams) >= maxChecks:
		return nil, problem(http.StatusTooManyRequests, "too_many_checks", fmt.Sprintf("%d streams are being checked already", len(c.streams)), "try again when one of them is done")
	case c.streams == nil:
		c.streams = map[string]bool{}
	}
	c.streams[path] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.streams, path)
	}, nil
}

// CheckEvent is what a client that accepts text/event-stream hears of a check:
// one of its fields is set.
type CheckEvent struct {
	Elapsed *float64            `json:"elapsed,omitempty" doc:"Seconds watched so far"`
	Report  *status.CheckReport `json:"report,omitempty" doc:"The last event, if all goes well"`
	Error   *ProblemDetail      `json:"error,omitempty" doc:"The last event, if not"`
}

// serveCheck judges a stream's HLS as a player meets it: over the network, by
// the server's own address. It ends when the client leaves.
func (s *Server) serveCheck(c echo.Context) error {
	r := c.Request()
	in := StreamPath{c.Param("path")}
	if errs := in.Resolve(nil); errs != nil {
		return errs[0]
	}
	path := in.Path
	seconds, refused := askedSeconds(r)
	if refused != nil {
		return refused
	}
	play, found := s.cfg.Backend.Playback(path + "/" + multivariantName)
	switch {
	case !found || play.Path != path:
		return asProblem(status.ErrNotFound)
	case s.cfg.Judge == nil || s.listener == nil:
		return problem(http.StatusServiceUnavailable, "no_checker", "this server has nothing to check streams with", "")
	}
	release, refused := s.checks.take(path)
	if refused != nil {
		c.Response().Header().Set("Retry-After", strconv.Itoa(seconds))
		return refused
	}
	defer release()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.alive, cancel)()

	check := s.newCheck(path, s.baseOf(r))
	defer check.transport.CloseIdleConnections()
	watch := time.Duration(seconds) * time.Second
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		report, err := check.run(ctx, s.cfg.Judge, watch, func(time.Duration) {})
		if err != nil {
			return asProblem(err)
		}
		return c.JSONBlob(http.StatusOK, report)
	}
	write := eventStream(c.Response())
	send := func(data []byte) {
		if !write(bytes.Join([][]byte{[]byte("data: "), data, []byte("\n\n")}, nil)) {
			cancel()
		}
	}
	send(mustJSON(CheckEvent{Elapsed: new(float64)}))
	report, err := check.run(ctx, s.cfg.Judge, watch, func(elapsed time.Duration) {
		at := elapsed.Seconds()
		send(mustJSON(CheckEvent{Elapsed: &at}))
	})
	if err != nil {
		send(mustJSON(CheckEvent{Error: &asProblem(err).Detail}))
		return nil
	}
	send(bytes.Join([][]byte{[]byte(`{"report":`), report, []byte("}")}, nil))
	return nil
}

// askedSeconds is for how long a request wants a stream to be watched.
func askedSeconds(r *http.Request) (int, *Problem) {
	if r.ContentLength != 0 {
		// While a body waits to be read, net/http does not see a client leave.
		return 0, problem(http.StatusBadRequest, "bad_request", "a check takes no body", "")
	}
	text := r.URL.Query().Get("seconds")
	if text == "" {
		return checkSeconds, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxSeconds {
		return 0, problem(http.StatusUnprocessableEntity, "bad_seconds", fmt.Sprintf("seconds is a whole number from 1 to %d", maxSeconds), "")
	}
	return n, nil
}

// check is one of a stream.
type check struct {
	url       string // where it is watched
	shown     string // what the client knows it by
	ticket    string // the part of url that opens the stream; empty where nothing guards it
	transport *http.Transport
}

func (s *Server) newCheck(path string, seen base) check {
	k := check{shown: seen.url(hlsPrefix + path + "/" + multivariantName), transport: &http.Transport{MaxIdleConnsPerHost: 16, ForceAttemptHTTP2: true}}
	at := base{"http", s.listener.Addr().String()}
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		at.host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	if s.cfg.TLSCert != "" {
		at.scheme = "https"
		k.transport.TLSClientConfig = ownOrTrusted(s.http.TLSConfig.Certificates)
	}
	if s.rules.Load().View.Cover(path) || s.cfg.Door != nil && s.cfg.Door.Asks() {
		k.ticket = ticketPrefix + s.tickets.issue(path, s.ruleOf(path), s.audiences.now())
	}
	k.url = at.url(k.ticket + hlsPrefix + path + "/" + multivariantName)
	return k
}

// run returns the report as JSON, in which nothing opens the stream to who
// reads it.
func (k *check) run(ctx context.Context, judge Judge, watch time.Duration, progress func(time.Duration)) ([]byte, error) {
	report, err := judge.Judge(ctx, &http.Client{Transport: k.transport}, k.url, watch, progress)
	switch {
	case ctx.Err() != nil:
		return nil, problem(http.StatusServiceUnavailable, "going_down", "the check was broken off", "")
	case err != nil:
		return nil, problem(http.StatusConflict, "not_checked", k.redact(err.Error()), "")
	}
	report.URL = k.shown
	return []byte(k.redact(string(mustJSON(report)))), nil
}

func (k *check) redact(text string) string {
	if k.ticket == "" {
		return text
	}
	return strings.ReplaceAll(text, k.ticket, "")
}

// ownOrTrusted takes this server's own certificate whatever name it is for,
// since it is asked by its address, and others as usual: keys may be elsewhere.
func ownOrTrusted(own []tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(c tls.ConnectionState) error {
			leaf := c.PeerCertificates[0]
			for _, pair := range own {
				if bytes.Equal(pair.Certificate[0], leaf.Raw) {
					return nil
				}
			}
			if c.ServerName == "" {
				return errors.New("a certificate cannot be verified for an address: name the host")
			}
			between := x509.NewCertPool()
			for _, cert := range c.PeerCertificates[1:] {
				between.AddCert(cert)
			}
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: c.ServerName, Intermediates: between})
			return err
		},
	}
}

// describeCheck adds the check, whose answer may be an event stream, by hand.
func describeCheck(spec *huma.OpenAPI) {
	schemas := spec.Components.Schemas
	limit := func(n float64) *float64 { return &n }
	op := &huma.Operation{
		OperationID: "checkStream", Method: http.MethodPost, Path: "/streams/{path}" + checkSuffix,
		Summary: "Check a stream", Tags: []string{"streams"},
		Description: "Watches the stream's HLS as a player does and judges it rule by rule, as millrace check does. The answer comes when that is done; " +
			"where Accept is text/event-stream, with the progress once a second. It ends when you close the connection. The check counts as a viewer.",
		Parameters: []*huma.Param{
			{Name: "path", In: "path", Required: true, Description: "The stream's path, its slashes written %2F; plain slashes are understood as well", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "seconds", In: "query", Description: "How long a live stream is watched", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: limit(1), Maximum: limit(maxSeconds), Default: checkSeconds}},
		},
		Responses: map[string]*huma.Response{"200": {
			Description: "The report",
			Content: map[string]*huma.MediaType{
				"application/json":  {Schema: schemas.Schema(reflect.TypeFor[status.CheckReport](), true, "CheckReport")},
				"text/event-stream": {Schema: schemas.Schema(reflect.TypeFor[CheckEvent](), true, "CheckEvent")},
			},
		}},
	}
	for code, when := range map[string]string{
		"400": "The path is none", "401": "No token, or a wrong one", "403": "Not from this machine", "404": "No such stream", "409": "It is being checked already, or there is nothing to check yet",
		"422": "seconds is out of range", "429": "Too many checks at once",
	} {
		op.Responses[code] = &huma.Response{Description: when, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
		}}
	}
	spec.AddOperation(op)
}
