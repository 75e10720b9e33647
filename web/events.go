package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"
)

const (
	eventPing  = 15 * time.Second // keeps proxies from closing what is merely quiet
	eventWrite = 10 * time.Second // for one message to leave
	eventClose = time.Second      // for a client to say goodbye
)

// serveEvents streams every event: over SSE to those who accept
// text/event-stream, else over WebSocket. With ?figures, the list of streams
// comes as well, at once and each second, as an event of type "streams".
func (s *Server) serveEvents(c echo.Context) error {
	r := c.Request()
	sse := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if !sse && !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		c.Response().Header().Set("Upgrade", "websocket")
		return problem(http.StatusUpgradeRequired, "upgrade_required", "this is an event stream",
			"connect by WebSocket, or send 'Accept: text/event-stream'")
	}
	client := s.events.join(s.baseOf(r), r.URL.Query().Has("figures"))
	if client == nil {
		c.Response().Header().Set("Retry-After", "5")
		return problem(http.StatusServiceUnavailable, "too_many", "too many clients listen to events already", "")
	}
	defer s.events.leave(client)
	if sse {
		s.eventsSSE(c.Response(), r, client)
		return nil
	}
	s.eventsWebSocket(c.Response(), r, client)
	return nil
}

// eventsSSE writes until the client leaves, is cut, or the server ends.
// Browsers come back by themselves.
func (s *Server) eventsSSE(w http.ResponseWriter, r *http.Request, client *subscriber) {
	write := eventStream(w)
	ping := time.NewTicker(eventPing)
	defer ping.Stop()
	ok := write([]byte("retry: 2000\n\n"))
	for ok {
		select {
		case <-r.Context().Done():
			return
		case m, open := <-client.messages:
			if !open {
				return
			}
			ok = write(bytes.Join([][]byte{[]byte("data: "), m, []byte("\n\n")}, nil))
		case <-ping.C:
			ok = write([]byte(": still here\n\n"))
		}
	}
}

// eventStream begins an answer of Server-Sent Events, and returns what writes
// to it as long as the client takes it.
func eventStream(w http.ResponseWriter) (write func([]byte) bool) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := http.NewResponseController(w)
	return func(b []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(eventWrite)) // unsupported only in tests without a network
		if _, err := w.Write(b); err != nil {
			return false
		}
		return out.Flush() == nil
	}
}

func (s *Server) eventsWebSocket(w http.ResponseWriter, r *http.Request, client *subscriber) {
	// The hijacked connection is not http.Server's business any more, so
	// Shutdown waits for it here.
	if !s.begin() {
		return
	}
	defer s.work.Done()
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		// Who may connect was decided by admitAPI: a foreign page gets here
		// only with the token, and then may.
		InsecureSkipVerify: true,
		Subprotocols:       []string{"millrace.v1"},
	})
	if err != nil {
		return // answered already
	}
	defer func() { _ = socket.CloseNow() }() // after Close there is nothing left to fail
	// It ends because the hub closes the queue. Nothing is expected from the
	// client.
	ctx := socket.CloseRead(context.WithoutCancel(r.Context()))
	ping := time.NewTicker(eventPing)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-client.messages:
			if !open {
				code, reason := websocket.StatusGoingAway, "the server is shutting down"
				if client.cut {
					code, reason = websocket.StatusTryAgainLater, "you read too slowly"
				}
				late := time.AfterFunc(eventClose, func() { _ = socket.CloseNow() })
				defer late.Stop()
				_ = socket.Close(code, reason) // the other side may be gone
				return
			}
			if !within(ctx, func(ctx context.Context) error { return socket.Write(ctx, websocket.MessageText, m) }) {
				return
			}
		case <-ping.C:
			if !within(ctx, socket.Ping) {
				return
			}
		}
	}
}

func within(ctx context.Context, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, eventWrite)
	defer cancel()
	return do(ctx) == nil
}
