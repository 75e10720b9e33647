package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// maxMessage is the largest message that a script is given.
const maxMessage = 64 << 20

// socket is the client's end of one WebSocket.
type socket struct {
	loop     *loop.Loop
	callback native.Callback // (event, …)
	conn     *websocket.Conn
	send     chan frame
	closing  chan closing
	once     sync.Once
}

type frame struct {
	kind websocket.MessageType
	body []byte
}

type closing struct {
	code   websocket.StatusCode
	reason string
}

// dialWebSocket(url, protocols, header, callback) connects. The callback hears
// ("open", protocol), ("message", text or bytes), ("sent", size), ("error",
// message) and last ("close", code, reason, clean).
func dialWebSocket(a native.Args) (any, error) {
	url, protocols, header := a.String(0), a.Strings(1), headerOf(a.Strings(2))
	s := &socket{
		loop: a.Loop, callback: a.Callback(3),
		send: make(chan frame, 1024), closing: make(chan closing, 1),
	}
	ctx, cancel := context.WithCancel(a.Loop.Context())
	pending := a.Loop.Pending()
	go func() {
		defer cancel()
		end := s.live(ctx, cancel, url, &websocket.DialOptions{
			HTTPHeader: header, Subprotocols: protocols,
			HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		})
		pending.Settle(func() { s.callback.Call(end...) })
	}()
	o := native.New(a.Loop)
	// send(text or bytes): false where too much waits to be sent.
	o.Func("send", func(a native.Args) (any, error) {
		f := frame{kind: websocket.MessageBinary, body: a.Copy(0)}
		if _, ok := a.At(0).(goja.String); ok {
			f.kind = websocket.MessageText
		}
		select {
		case s.send <- f:
			return true, nil
		default:
			return false, nil
		}
	})
	o.Func("close", func(a native.Args) (any, error) {
		code := websocket.StatusNoStatusRcvd
		if a.Given(0) {
			code = websocket.StatusCode(a.Int(0))
		}
		s.once.Do(func() { s.closing <- closing{code, a.String(1)} })
		return nil, nil
	})
	o.Func("ref", func(a native.Args) (any, error) {
		pending.Ref(a.Bool(0))
		return nil, nil
	})
	return o, nil
}

// live is the life of the socket; what it returns is the last event.
func (s *socket) live(ctx context.Context, cancel context.CancelFunc, url string, opts *websocket.DialOptions) []any {
	dialCtx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	dialed := make(chan struct{})
	go func() { // close() before it is open
		select {
		case <-dialed:
		case c := <-s.closing:
			s.closing <- c
			stop()
		}
	}()
	conn, response, err := websocket.Dial(dialCtx, url, opts) //nolint:bodyclose // Dial closes it
	close(dialed)
	if err != nil {
		message := err.Error()
		if response != nil {
			message = "Unexpected server response: " + response.Status
		}
		s.post("error", message)
		return []any{"close", 1006, "", false}
	}
	s.conn = conn
	conn.SetReadLimit(maxMessage)
	s.post("open", conn.Subprotocol())
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		s.write(ctx, cancel)
	}()
	err = s.read(ctx)
	cancel()
	<-writer
	_ = conn.CloseNow()
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return []any{"close", int(closed.Code), closed.Reason, true}
	}
	return []any{"close", 1006, "", false}
}

func (s *socket) post(args ...any) { s.loop.Post(func() { s.callback.Call(args...) }) }

// read hands messages over one by one: the next is read when the script had
// the last.
func (s *socket) read(ctx context.Context) error {
	for {
		kind, b, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		taken := make(chan struct{})
		s.loop.Post(func() {
			close(taken)
			if kind == websocket.MessageText {
				s.callback.Call("message", string(b))
			} else {
				s.callback.Call("message", b)
			}
		})
		select {
		case <-taken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// write sends what the script gave until it, or the other end, closes.
func (s *socket) write(ctx context.Context, cancel context.CancelFunc) {
	deliver := func(f frame) bool {
		if s.conn.Write(ctx, f.kind, f.body) != nil {
			cancel()
			return false
		}
		s.post("sent", len(f.body))
		return true
	}
	for {
		select {
		case f := <-s.send:
			if !deliver(f) {
				return
			}
		case c := <-s.closing:
			for { // what was sent before close() goes first
				select {
				case f := <-s.send:
					if !deliver(f) {
						return
					}
					continue
				default:
				}
				break
			}
			_ = s.conn.Close(c.code, c.reason)
			return
		case <-ctx.Done():
			return
		}
	}
}
