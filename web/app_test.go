package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/internal/status"
)

// testApp answers by a handler, at the end of a real socket.
type testApp struct {
	addr string
	err  error
	kind chan AppKind
}

func newTestApp(t *testing.T, h http.HandlerFunc) *testApp {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &testApp{addr: server.Listener.Addr().String(), kind: make(chan AppKind, 16)}
}

func (a *testApp) Dial(ctx context.Context, kind AppKind) (net.Conn, error) {
	if a.err != nil {
		return nil, a.err
	}
	a.kind <- kind
	return new(net.Dialer).DialContext(ctx, "tcp", a.addr)
}

func (a *testApp) Status() *status.App { return &status.App{State: "running", PID: 7} }

func TestAppIsToldOfTheViewer(t *testing.T) {
	app := newTestApp(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s %s %s %q %q %s", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Forwarded-For"),
			r.Header["X-Real-Ip"], r.Header["Forwarded"], r.Header.Get("Cookie"))
	})
	s := newTestServer(t, newFake(), func(c *Config) { c.App = app })
	for _, path := range []string{"/app", "/app/a/b%20c?x=1;y=%zz", "/socket.io/?EIO=4"} {
		w := do(s, local("GET", path, header("X-Forwarded-For", "9.9.9.9"), header("X-Real-IP", "9.9.9.9"), header("Forwarded", "for=9.9.9.9"), header("Cookie", "a=b")))
		want := "GET " + path + ` localhost:8080 127.0.0.1 [] [] a=b`
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
	for i, want := range []AppKind{AppRoutes, AppRoutes, AppSockets} {
		if got := <-app.kind; got != want {
			t.Errorf("connection %d is for %d", i, got)
		}
	}
	if w := do(s, local("GET", "/api/v1/server")); !strings.Contains(w.Body.String(), `"app":{"state":"running","pid":7,"restarts":0}`) {
		t.Errorf("the API says %s", w.Body)
	}
}

// Bodies are not gathered: what is written comes out at once, both ways.
func TestAppStreams(t *testing.T) {
	app := newTestApp(t, func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		_ = out.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = out.Flush()
		}
	})
	s := newTestServer(t, newFake(), func(c *Config) { c.App = app })
	addr := start(t, s)
	body, pen := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/app/upper", body)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	go func() { _, _ = io.WriteString(pen, "one\n") }()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"ONE", "TWO"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("got %q, %v", lines.Text(), lines.Err())
		}
		if want == "ONE" {
			_, _ = io.WriteString(pen, "two\n")
		}
	}
	_ = pen.Close()
	if lines.Scan() {
		t.Errorf("more: %q", lines.Text())
	}
}

func TestAppAway(t *testing.T) {
	app := newTestApp(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := newTestServer(t, newFake(), func(c *Config) { c.App = app })
	addr := start(t, s)
	ask := func(upgrade bool) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/app/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if upgrade {
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "websocket")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	for _, upgrade := range []bool{false, true} {
		if code, _ := ask(upgrade); code != http.StatusBadGateway {
			t.Errorf("an app that hangs up: %d", code)
		}
	}
	app.err = fmt.Errorf("%w: it died", ErrAppDown)
	for _, upgrade := range []bool{false, true} {
		if code, again := ask(upgrade); code != http.StatusServiceUnavailable || again == "" {
			t.Errorf("an app that is down: %d, Retry-After %q", code, again)
		}
	}
	none := newTestServer(t, newFake())
	if w := do(none, local("GET", "/app/x")); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "has no app") {
		t.Errorf("no app: %d %s", w.Code, w.Body)
	}
}

func TestAppUpgrades(t *testing.T) {
	app := newTestApp(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/app/no" {
			http.Error(w, "not here", http.StatusTeapot)
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		c.SetReadLimit(1 << 21)
		_ = c.Write(r.Context(), websocket.MessageText, []byte(r.Header.Get("X-Forwarded-For"))) // with the answer's header
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), kind, b)
		}
	})
	s := newTestServer(t, newFake(), func(c *Config) { c.App = app })
	addr := start(t, s)
	_, resp, err := websocket.Dial(t.Context(), "ws://"+addr+"/app/no", nil)
	if err == nil || resp.StatusCode != http.StatusTeapot {
		t.Errorf("refused: %v", err)
	}
	for _, path := range []string{"/app/x", "/socket.io/?transport=websocket"} {
		want := AppUpgrade
		if path != "/app/x" {
			want = AppSockets
		}
		for len(app.kind) > 0 {
			<-app.kind
		}
		c, _, err := websocket.Dial(t.Context(), "ws://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadLimit(1 << 21)
		if got := <-app.kind; got != want {
			t.Errorf("%s: a connection for %d", path, got)
		}
		if _, b, err := c.Read(t.Context()); err != nil || string(b) != "127.0.0.1" {
			t.Errorf("%q, %v", b, err)
		}
		big := strings.Repeat("x", 1<<20)
		go func() { _ = c.Write(t.Context(), websocket.MessageText, []byte(big)) }()
		if _, b, err := c.Read(t.Context()); err != nil || string(b) != big {
			t.Errorf("%d bytes come back, %v", len(b), err)
		}
		if path == "/app/x" {
			_ = c.Close(websocket.StatusNormalClosure, "")
			continue
		}
		// The end of the server ends what is open.
		go func() { _ = s.Shutdown(context.WithoutCancel(t.Context())) }()
		if _, _, err := c.Read(t.Context()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
}
