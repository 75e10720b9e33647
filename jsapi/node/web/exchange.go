package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// exchange is one request and its response. The goroutine of the handler does
// what the script asks for, in order; only it touches the ResponseWriter.
type exchange struct {
	server  *server
	request *http.Request
	writer  http.ResponseWriter
	conn    *connection

	gone   *native.Callback // for the loop's goroutine, as the next
	reason string

	mu    sync.Mutex
	steps []step
	wake  chan struct{}
}

// step is one thing that the script asked for.
type step struct {
	status  int         // a header to send, where not 0
	reason  string      // the words beside it
	header  []string    // names and values
	body    []byte      // to send
	flush   bool        // send what there is although more is to come
	end     bool        // the response is complete
	trailer []string    // after the body
	hijack  bool        // give the connection away
	drop    bool        // break the connection
	done    func(error) // called on the loop when it was done
}

// serve brings a request to the script and stays until its response is over.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, request: r, writer: w, wake: make(chan struct{}, 1)}
	x.conn, _ = r.Context().Value(connectionKey{}).(*connection)
	// Node reads on while it answers.
	_ = http.NewResponseController(w).EnableFullDuplex()
	if s.timeout > 0 && r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.timeout))
	}
	if !s.loop.Post(x.deliver) {
		panic(http.ErrAbortHandler)
	}
	x.run()
}

// deliver is the request as the script's side wants it, on the loop.
func (x *exchange) deliver() {
	r, l := x.request, x.server.loop
	pending := l.Pending()
	// The exchange keeps the loop alive until its handler is over.
	context.AfterFunc(r.Context(), func() {
		pending.Settle(func() {
			if x.gone != nil {
				x.gone.Call()
			}
		})
	})
	if x.conn.socket == nil {
		x.conn.socket = x.conn.describe(l)
	}
	upgrade := r.Method == http.MethodConnect || r.Header.Get("Upgrade") != "" && hasToken(r.Header["Connection"], "upgrade")
	url := r.RequestURI
	x.server.request.Call(x.handle(l), x.conn.socket, r.Method, url, r.ProtoMinor, headersOf(r), r.ContentLength != 0, upgrade)
}

// headersOf is a request's header fields as names and values in turn, in the
// order of their names: net/http does not keep that of the wire.
func headersOf(r *http.Request) []any {
	flat := make([]any, 0, 2*len(r.Header)+4)
	if r.Host != "" {
		flat = append(flat, "Host", r.Host)
	}
	flat = appendHeader(flat, r.Header)
	for _, coding := range r.TransferEncoding {
		flat = append(flat, "Transfer-Encoding", coding)
	}
	return flat
}

// handle is what the script's streams call.
func (x *exchange) handle(l *loop.Loop) goja.Value {
	o := native.New(l)
	// read(callback(error, bytes)): undefined at the end.
	o.Func("read", func(a native.Args) (any, error) {
		a.Later(0, func(context.Context) (any, error) {
			b, err := readBody(x.request.Body)
			if b == nil && x.server.timeout > 0 { // what follows may take its time
				_ = http.NewResponseController(x.writer).SetReadDeadline(time.Time{})
			}
			return b, err
		})
		return nil, nil
	})
	// trailers(): after the body's end.
	o.Func("trailers", func(native.Args) (any, error) { return appendHeader(nil, x.request.Trailer), nil })
	// send(status, header, body, end, trailers, callback(error)): a status of 0
	// where the header was sent.
	o.Func("send", func(a native.Args) (any, error) {
		st := step{status: int(a.Int(0)), reason: x.reason, header: a.Strings(1), end: a.Bool(3), trailer: a.Strings(4), flush: true}
		if a.Given(2) {
			st.body = a.Copy(2)
		}
		if a.Given(5) {
			callback := a.Callback(5)
			st.done = func(err error) { callback.Return(nil, sockets.Failed(err, "write", "", 0)) }
		}
		x.add(st)
		return nil, nil
	})
	// reason(text): the words of the status line that is sent next.
	o.Func("reason", func(a native.Args) (any, error) {
		x.reason = a.String(0)
		return nil, nil
	})
	// hijack(callback(error, handle, head)): the connection itself.
	o.Func("hijack", func(a native.Args) (any, error) {
		x.hijack(a)
		return nil, nil
	})
	// gone(callback): the response is complete, or somebody left before; what was
	// asked for and not done by then never is.
	o.Func("gone", func(a native.Args) (any, error) {
		callback := a.Callback(0)
		x.gone = &callback
		return nil, nil
	})
	o.Func("drop", func(native.Args) (any, error) {
		x.add(step{drop: true})
		return nil, nil
	})
	return o.Object
}

// readBody is the next piece of a body; nil at its end.
func readBody(r io.Reader) (any, error) {
	b, err := sockets.Chunk(r)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, io.EOF):
		return nil, nil
	default:
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, &loop.Error{Code: "ECONNRESET", Message: "aborted", Cause: err}
	}
}

func (x *exchange) add(s step) {
	x.mu.Lock()
	x.steps = append(x.steps, s)
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// run does the steps until the response is over. Its return, or its panic, is
// the end of the exchange for net/http.
func (x *exchange) run() {
	left := x.request.Context().Done()
	for {
		select {
		case <-x.wake:
		case <-left: // the client; the script hears of it by gone()
			panic(http.ErrAbortHandler)
		case <-x.conn.gone:
			panic(http.ErrAbortHandler)
		case <-x.server.loop.Context().Done():
			panic(http.ErrAbortHandler)
		}
		x.mu.Lock()
		steps := x.steps
		x.steps = nil
		x.mu.Unlock()
		for i, s := range steps {
			if x.do(s, i == len(steps)-1) {
				return
			}
		}
	}
}

// do does one step; true means that the handler is to return.
func (x *exchange) do(s step, last bool) (over bool) {
	if s.drop {
		_ = x.conn.Close()
		panic(http.ErrAbortHandler)
	}
	if s.hijack {
		s.done(nil)
		return true
	}
	x.head(s)
	var err error
	if len(s.body) > 0 {
		_, err = x.writer.Write(s.body)
		if errors.Is(err, http.ErrBodyNotAllowed) {
			err = nil // HEAD, 204, 304: Node drops it without a word
		}
	}
	for i := 0; i+1 < len(s.trailer); i += 2 {
		x.writer.Header().Add(http.TrailerPrefix+s.trailer[i], s.trailer[i+1])
	}
	if err == nil && last && !s.end && s.flush {
		err = http.NewResponseController(x.writer).Flush()
	}
	if s.done != nil {
		done := s.done
		x.server.loop.Post(func() { done(err) })
	}
	if err != nil && !s.end {
		return false // the script hears of it and ends the response
	}
	return s.end
}

// head sends a status and the header fields, or an informational one.
func (x *exchange) head(s step) {
	if s.status == 0 {
		return
	}
	h := x.writer.Header()
	if s.status < 200 && s.status != http.StatusSwitchingProtocols {
		for i := 0; i+1 < len(s.header); i += 2 {
			h.Add(s.header[i], s.header[i+1])
		}
		x.writer.WriteHeader(s.status)
		clear(h)
		return
	}
	for i := 0; i+1 < len(s.header); i += 2 {
		name := textproto.CanonicalMIMEHeaderKey(s.header[i])
		if s.header[i+1] == absent {
			h[name] = nil
			continue
		}
		h[name] = append(h[name], s.header[i+1])
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // nobody guesses a script's types
	}
	if s.reason != "" {
		x.conn.say(x.request, s.status, s.reason)
	}
	x.writer.WriteHeader(s.status)
}

// absent is the value of a header field that net/http must not add.
const absent = "\x00"

// hijack takes the connection away from net/http, for an upgrade.
func (x *exchange) hijack(a native.Args) {
	l, callback := a.Loop, a.Callback(0)
	x.add(step{hijack: true, done: func(error) {
		conn, rw, err := http.NewResponseController(x.writer).Hijack()
		var c *sockets.Conn
		var head []byte
		if err == nil {
			head = buffered(rw)
			if own, ok := conn.(*connection); ok {
				conn = own.Conn
			}
			c = sockets.NewConn(l, conn, nil)
		}
		l.Post(func() {
			if err != nil {
				callback.Return(nil, err)
				return
			}
			callback.Call(goja.Null(), c.Handle(), head)
		})
	}})
}

func buffered(rw *bufio.ReadWriter) []byte {
	b, _ := rw.Reader.Peek(rw.Reader.Buffered())
	return append([]byte{}, b...)
}
