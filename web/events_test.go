package web

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/internal/status"
)

func dial(t *testing.T, addr string, query string, header http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	c, resp, err := websocket.Dial(ctx, "ws://"+addr+"/api/v1/events"+query, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: header, Subprotocols: protocols,
	})
	if err == nil {
		c.SetReadLimit(1 << 20)
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, resp, err
}

func readEvent(t *testing.T, c *websocket.Conn) (e status.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEventsOverWebSocket(t *testing.T) {
	f := newFake("demo")
	s := newTestServer(t, f)
	addr := start(t, s)
	all, _, err := dial(t, addr, "?figures", nil)
	if err != nil {
		t.Fatal(err)
	}
	first := readEvent(t, all)
	list, _ := first.Data.([]any)
	if first.Type != "streams" || len(list) != 1 {
		t.Fatalf("%+v", first)
	}
	if urls := list[0].(map[string]any)["urls"].(map[string]any); urls["hls"] != "http://"+addr+"/hls/demo/index.m3u8" {
		t.Errorf("%v", urls)
	}
	plain, _, err := dial(t, addr, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both listen", func() bool { return s.events.size() == 2 && f.subscribers() == 1 })
	f.emit(status.Event{ID: 7, Type: "stream:live", Path: "demo"})
	if e := readEvent(t, plain); e.ID != 7 || e.Type != "stream:live" || e.Path != "demo" {
		t.Errorf("%+v", e) // and no figures before it
	}
	_ = all.CloseNow()
	_ = plain.CloseNow()
	eventually(t, "nobody listens, nothing runs", func() bool { return s.events.size() == 0 && f.subscribers() == 0 })
}

func TestEventsWebSocketAccess(t *testing.T) {
	addr := start(t, newTestServer(t, newFake("demo"), func(c *Config) { c.Token, c.NoLoopback = token, true }))
	encoded := "bearer." + base64.RawURLEncoding.EncodeToString([]byte(token))
	for name, c := range map[string]struct {
		header    http.Header
		query     string
		protocols []string
		want      int
	}{
		"nothing":            {nil, "", nil, 401},
		"token in the URL":   {nil, "?token=" + token, nil, 401},
		"wrong":              {nil, "", []string{"bearer.bm9wZQ"}, 401},
		"subprotocol":        {nil, "", []string{"millrace.v1", encoded}, 101},
		"header":             {http.Header{"Authorization": {"Bearer " + token}}, "", nil, 101},
		"foreign page knows": {http.Header{"Origin": {"https://ops.example"}}, "", []string{"millrace.v1", encoded}, 101},
		"foreign page":       {http.Header{"Origin": {"https://evil.example"}}, "", nil, 401},
	} {
		ws, resp, err := dial(t, addr, c.query, c.header, c.protocols...)
		if resp == nil || resp.StatusCode != c.want {
			t.Errorf("%s: %v %v", name, resp, err)
		}
		if err == nil && c.protocols != nil && ws.Subprotocol() != "millrace.v1" {
			t.Errorf("%s: chose subprotocol %q, which would repeat the token", name, ws.Subprotocol())
		}
	}
}

// Cross-site WebSocket hijacking: browsers send any page's WebSocket anywhere.
func TestForeignPageCannotListenFromLoopback(t *testing.T) {
	addr := start(t, newTestServer(t, newFake("demo")))
	if _, resp, err := dial(t, addr, "", http.Header{"Origin": {"https://evil.example"}}); err == nil || resp.StatusCode != 403 {
		t.Fatal(err)
	}
	if _, _, err := dial(t, addr, "", http.Header{"Origin": {"http://" + addr}}); err != nil {
		t.Fatal(err)
	}
}

func openSSE(t *testing.T, addr string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestEventsOverSSE(t *testing.T) {
	f := newFake("demo")
	addr := start(t, newTestServer(t, f))
	resp := openSSE(t, addr)
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Fatal(resp.StatusCode, got)
	}
	eventually(t, "it listens", func() bool { return f.subscribers() == 1 })
	f.emit(status.Event{ID: 3, Type: "stream:lost", Path: "demo"})
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e status.Event
			if err := json.Unmarshal([]byte(data), &e); err != nil || e.ID != 3 {
				t.Fatal(err, data)
			}
			return
		}
	}
	t.Fatal("no event", lines.Err())
}

// A client that stops reading must be cut, and cost nobody else an event.
func TestSlowReaderIsCut(t *testing.T) {
	f := newFake("demo")
	f.subQueue = 4096
	s := newTestServer(t, f)
	addr := start(t, s)
	var d net.Dialer
	slow, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	_ = slow.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := slow.Write([]byte("GET /api/v1/events HTTP/1.1\r\nHost: " + addr + "\r\nAccept: text/event-stream\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	fast, _, err := dial(t, addr, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both listen", func() bool { return s.events.size() == 2 && f.subscribers() == 1 })
	got := make(chan uint64)
	go func() {
		defer close(got)
		for {
			_, b, err := fast.Read(t.Context())
			if err != nil {
				return
			}
			var e status.Event
			if json.Unmarshal(b, &e) == nil {
				got <- e.ID
			}
		}
	}()
	big := strings.Repeat("x", 64<<10)
	id := uint64(0)
	for s.events.size() == 2 && id < 4000 {
		id++
		f.emit(status.Event{ID: id, Type: "test", Data: big})
		select {
		case n, ok := <-got: // in step with the fast one: it must miss none
			if !ok || n != id {
				t.Fatalf("the fast client got %d, not %d", n, id)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the slow client blocks the fast one")
		}
	}
	if s.events.size() != 1 {
		t.Fatalf("the slow client was not cut after %d events", id)
	}
	_ = fast.CloseNow()
	for range got { // until the reader is gone
	}
}

func TestEventsSourceThatGivesUpIsAskedAgain(t *testing.T) {
	f := newFake()
	addr := start(t, newTestServer(t, f))
	c, _, err := dial(t, addr, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it listens", func() bool { return f.subscribers() == 1 })
	f.mu.Lock()
	ch := f.subs[0]
	f.mu.Unlock()
	f.closeSub(ch) // what the bus does to a receiver that is behind
	eventually(t, "it listens again", func() bool { return f.subscribers() == 1 })
	f.emit(status.Event{ID: 9, Type: "x"})
	if e := readEvent(t, c); e.ID != 9 {
		t.Fatalf("%+v", e)
	}
}

func TestEventClientsAreBounded(t *testing.T) {
	s := newTestServer(t, newFake())
	var joined []*subscriber
	for range maxEventClients {
		joined = append(joined, s.events.join(base{}, false))
	}
	w := do(s, local("GET", "/api/v1/events", header("Accept", "text/event-stream")))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Fatal(w.Code)
	}
	for _, c := range joined {
		s.events.leave(c)
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	f := newFake()
	s := newTestServer(t, f)
	addr := start(t, s)
	c, _, err := dial(t, addr, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	sse := openSSE(t, addr)
	eventually(t, "both listen", func() bool { return s.events.size() == 2 })
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	_, _, err = c.Read(t.Context())
	if code := websocket.CloseStatus(err); code != websocket.StatusGoingAway {
		t.Errorf("WebSocket: %v", err)
	}
	lines := bufio.NewScanner(sse.Body)
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("SSE: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s.events.join(base{}, false) != nil {
		t.Error("joined a server that is gone")
	}
}

func TestEventsNeedAProtocol(t *testing.T) {
	w := do(newTestServer(t, newFake()), local("GET", "/api/v1/events"))
	if w.Code != http.StatusUpgradeRequired || w.Header().Get("Upgrade") != "websocket" {
		t.Fatal(strconv.Itoa(w.Code), w.Header())
	}
	checkProblem(t, w)
}
