package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// AppKind is what a connection to the app is for.
type AppKind byte

// The kinds. Each connection carries requests of one kind only.
const (
	AppRoutes  AppKind = iota // requests under /app/
	AppUpgrade                // one request under /app/ that asks for another protocol
	AppSockets                // Socket.IO
)

// App is the user's own script beside the server.
type App interface {
	// Dial makes a connection to its HTTP server. The error wraps ErrAppDown
	// where the script does not run, ErrNoApp where there is none.
	Dial(ctx context.Context, kind AppKind) (net.Conn, error)
	// Status says how it is; nil where there is none at the moment.
	Status() *status.App
}

// ErrNoApp means that there is no script.
var ErrNoApp = errors.New("this server has no app")

// ErrAppDown means that the app's script does not run at the moment.
var ErrAppDown = errors.New("the app is down")

const (
	appPath    = "/app"
	socketPath = "/socket.io"

	appHeader    = 15 * time.Second // for the answer to a request for another protocol
	appMaxHeader = 256 << 10        // bytes of an answer's header
)

func isApp(path string) bool {
	return path == appPath || path == socketPath || strings.HasPrefix(path, appPath+"/") || strings.HasPrefix(path, socketPath+"/")
}

// newAppProxy hands requests to the app, with bodies streamed both ways. It
// makes a connection a request: they cost little, and none is left over when
// another process takes the app's place.
func (s *Server) newAppProxy(kind AppKind) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "app"
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it came, semicolons and all
			s.forward(r.Out, r.In)
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return s.cfg.App.Dial(ctx, kind)
			},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: appMaxHeader,
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				writeProblem(w, r, appProblem(w, err))
			}
		},
		ErrorLog: s.http.ErrorLog,
	}
}

// forward tells the app who the viewer is, and keeps what the viewer says of
// that itself from it.
func (s *Server) forward(out, in *http.Request) {
	c := s.client(in)
	access.StripForwarding(out.Header)
	out.Header.Set("X-Forwarded-For", c.Addr.String())
	out.Header.Set("X-Forwarded-Proto", c.Scheme)
	out.Header.Set("X-Forwarded-Host", c.Host)
	out.Host = c.Host
}

func appProblem(w http.ResponseWriter, err error) *Problem {
	if errors.Is(err, ErrNoApp) {
		return problem(http.StatusNotFound, "no_app", "this server has no app", "name a script by 'app' in its config")
	}
	if errors.Is(err, ErrAppDown) {
		w.Header().Set("Retry-After", "2")
		return problem(http.StatusServiceUnavailable, "app_down", "the app is not running", "its error is in the server's log; try again")
	}
	return problem(http.StatusBadGateway, "app_failed", "the app did not answer", "its error is in the server's log")
}

// serveApp serves /app/ and /socket.io/. It runs before echo, which has no
// part in what the script answers.
func (s *Server) serveApp(w http.ResponseWriter, r *http.Request) {
	if s.cfg.App == nil || s.cfg.App.Status() == nil {
		writeProblem(w, r, appProblem(w, ErrNoApp))
		return
	}
	if refused := s.admitApp(r); refused != nil {
		writeProblem(w, r, refused)
		return
	}
	started := time.Now()
	kind, proxy := AppRoutes, s.appRoutes
	if strings.HasPrefix(r.URL.Path, socketPath) {
		kind, proxy = AppSockets, s.appSockets
	}
	if r.ProtoMajor == 1 && r.Header.Get("Upgrade") != "" {
		if kind == AppRoutes {
			kind = AppUpgrade
		}
		s.tunnel(w, r, kind)
		return
	}
	// A script may answer while it still reads. (On HTTP/2 it always may.)
	_ = http.NewResponseController(w).EnableFullDuplex()
	counted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { s.metrics.request("app", counted.status, time.Since(started)) }()
	proxy.ServeHTTP(counted, r)
}

// admitApp asks for a token of the view rules, where the configuration wants
// them to hold for the app too.
func (s *Server) admitApp(r *http.Request) *Problem {
	rules := s.rules.Load()
	if !rules.App || len(rules.View) == 0 {
		return nil
	}
	token := viewToken(r)
	if token == "" {
		return problem(http.StatusUnauthorized, "token_needed", "the app needs a token", "append ?token=TOKEN, or send 'Authorization: Bearer TOKEN'")
	}
	for _, rule := range rules.View {
		if access.Equal(rule.Key, token) {
			return nil
		}
	}
	return problem(http.StatusForbidden, "wrong_token", "this token does not open the app", "")
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// tunnel hands a request for another protocol to the app and, where that takes
// it, the connection too.
func (s *Server) tunnel(w http.ResponseWriter, r *http.Request, kind AppKind) {
	if !s.begin() {
		return
	}
	defer s.work.Done()
	backend, err := s.cfg.App.Dial(r.Context(), kind)
	if err != nil {
		writeProblem(w, r, appProblem(w, err))
		return
	}
	defer func() { _ = backend.Close() }()
	// Whoever leaves first, the viewer or this server, nobody waits for the app
	// any more.
	for _, ctx := range []context.Context{r.Context(), s.alive} {
		stop := context.AfterFunc(ctx, func() { _ = backend.Close() }) //nolint:contextcheck // either of two
		defer stop()
	}
	out := r.Clone(r.Context())
	out.Close, out.Body, out.ContentLength = false, nil, 0
	s.forward(out, r)
	answer, buffered, err := askApp(backend, out)
	if err != nil {
		writeProblem(w, r, appProblem(w, err))
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		relayAnswer(w, answer)
		return
	}
	client, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // nothing can be said any more
	}
	defer func() { _ = client.Close() }()
	head := new(strings.Builder)
	fmt.Fprintf(head, "HTTP/1.1 %d %s\r\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	_ = answer.Header.Write(head) // a Builder takes everything
	head.WriteString("\r\n")
	early, _ := buffered.Peek(buffered.Buffered())
	if _, err := client.Write(append([]byte(head.String()), early...)); err != nil {
		return
	}
	if early, _ := rw.Reader.Peek(rw.Reader.Buffered()); len(early) > 0 {
		if _, err := backend.Write(early); err != nil {
			return
		}
	}
	stop := context.AfterFunc(s.alive, func() { _ = client.Close() }) //nolint:contextcheck // Shutdown ends it, too
	defer stop()
	join(client, backend)
}

// askApp sends a request and reads the header of its answer.
func askApp(backend net.Conn, r *http.Request) (*http.Response, *bufio.Reader, error) {
	_ = backend.SetDeadline(time.Now().Add(appHeader))
	if err := r.Write(backend); err != nil {
		return nil, nil, fmt.Errorf("ask the app: %w", err)
	}
	buffered := bufio.NewReaderSize(backend, 4<<10)
	answer, err := http.ReadResponse(buffered, r)
	if err != nil {
		return nil, nil, fmt.Errorf("ask the app: %w", err)
	}
	return answer, buffered, backend.SetDeadline(time.Time{})
}
