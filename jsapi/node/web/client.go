package web

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/sockets"
)

// outgoing is one request of a script's, and its response.
type outgoing struct {
	loop     *loop.Loop
	callback native.Callback // (event, …)
	cancel   context.CancelFunc
	host     string
	port     int

	body     *io.PipeWriter // nil where the request has its whole body
	trailer  http.Header
	ended    atomic.Bool // the end of the response came with the bytes before it
	response *http.Response
	conn     net.Conn
}

// request(agent, method, scheme, host, port, path, header, body, callback)
// sends a request. header is names and values in turn; body is bytes, null for
// none, undefined where it is written piece by piece. The callback hears
// ("socket", reused, local, remote), ("information", status, header),
// ("response", status, text, minor version, header), ("upgrade", the same,
// handle) and ("error", error).
func request(a native.Args) (any, error) {
	transport, ok := native.Held(a.Get(0, "agent")).(*agent)
	if !ok {
		return nil, &loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "the request's agent is none of node:http"}
	}
	ctx, cancel := context.WithCancel(a.Loop.Context())
	x := &outgoing{loop: a.Loop, callback: a.Callback(8), cancel: cancel, host: a.String(3), port: int(a.Int(4))}
	r := &http.Request{
		Method: a.String(1), ProtoMajor: 1, ProtoMinor: 1, Header: headerOf(a.Strings(6)),
		URL: &url.URL{Scheme: a.String(2), Host: net.JoinHostPort(x.host, strconv.Itoa(x.port))},
	}
	if path := a.String(5); strings.HasPrefix(path, "//") {
		r.URL.Path = path
	} else {
		r.URL.Opaque = path // as the script wrote it
	}
	if err := x.prepare(r, a); err != nil {
		cancel()
		return nil, err
	}
	r = r.WithContext(httptrace.WithClientTrace(ctx, x.trace()))
	pending := a.Loop.Pending()
	go func() {
		response, err := transport.transport.RoundTrip(r)
		pending.Settle(func() { x.answer(ctx, response, err) })
	}()
	o := x.handle()
	// A body that a script forgot about does not keep its connection.
	runtime.AddCleanup(o.Object, func(cancel context.CancelFunc) { cancel() }, cancel)
	return o, nil
}

// prepare moves what net/http keeps outside of the header, and the body.
func (x *outgoing) prepare(r *http.Request, a native.Args) error {
	take := func(name string) string {
		v := r.Header.Get(name)
		delete(r.Header, name)
		return v
	}
	r.Host = take("Host")
	if hasToken(r.Header["Connection"], "close") {
		r.Close = true
	}
	if _, ok := r.Header["User-Agent"]; !ok {
		r.Header["User-Agent"] = []string{""} // none, rather than Go's own
	}
	length, chunked := take("Content-Length"), take("Transfer-Encoding") != ""
	if names := take("Trailer"); names != "" {
		r.Trailer = make(http.Header)
		for name := range strings.SplitSeq(names, ",") {
			r.Trailer[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = nil
		}
		x.trailer = r.Trailer
	}
	switch {
	case !goja.IsUndefined(a.At(7)):
		b := a.Copy(7)
		if len(b) > 0 || length == "0" {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		}
		if len(b) == 0 && length == "0" {
			r.Body = http.NoBody
		}
	default:
		var read *io.PipeReader
		read, x.body = io.Pipe()
		r.Body, r.ContentLength = read, -1
		if length != "" && !chunked {
			n, err := strconv.ParseInt(length, 10, 64)
			if err != nil || n < 0 {
				return &loop.Error{Code: "ERR_HTTP_INVALID_HEADER_VALUE", Message: fmt.Sprintf("Invalid value %q for header \"Content-Length\"", length)}
			}
			r.ContentLength = n
			if n == 0 {
				r.Body = http.NoBody
				_ = read.Close()
			}
		}
	}
	return nil
}

func (x *outgoing) trace() *httptrace.ClientTrace {
	post := func(args ...any) {
		x.loop.Post(func() { x.callback.Call(args...) })
	}
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			x.conn = info.Conn
			post("socket", info.Reused, sockets.Address(info.Conn.LocalAddr()), sockets.Address(info.Conn.RemoteAddr()))
		},
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			post("information", code, appendHeader(nil, http.Header(h)))
			return nil
		},
	}
}

// answer tells the script what came of the request.
func (x *outgoing) answer(ctx context.Context, r *http.Response, err error) {
	if err != nil {
		if ctx.Err() == nil {
			x.callback.Call("error", x.loop.Reason(x.failed(err)))
		}
		x.cancel()
		return
	}
	x.response = r
	_, text, _ := strings.Cut(r.Status, " ")
	h := appendHeader(nil, r.Header)
	for _, coding := range r.TransferEncoding {
		h = append(h, "Transfer-Encoding", coding)
	}
	if r.StatusCode == http.StatusSwitchingProtocols {
		if rw, ok := r.Body.(io.ReadWriteCloser); ok {
			c := sockets.NewConn(x.loop, switched{x.conn, rw}, nil) //nolint:contextcheck // it lives as long as its loop, not as its request
			x.callback.Call("upgrade", r.StatusCode, text, r.ProtoMinor, h, c.Handle())
			return
		}
	}
	x.callback.Call("response", r.StatusCode, text, r.ProtoMinor, h)
}

// failed words an error of the request as Node does.
func (x *outgoing) failed(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "dial" {
		return sockets.Failed(err, op.Op, "", 0)
	}
	if strings.Contains(err.Error(), "malformed HTTP") {
		return &loop.Error{Code: "HPE_INVALID_CONSTANT", Message: "Parse Error: " + err.Error(), Cause: err}
	}
	if strings.Contains(err.Error(), "server response headers exceeded") {
		return &loop.Error{Code: "HPE_HEADER_OVERFLOW", Message: "Parse Error: Header overflow", Cause: err}
	}
	if strings.Contains(err.Error(), "server closed") {
		return &loop.Error{Code: "ECONNRESET", Message: "socket hang up", Cause: err}
	}
	return sockets.DialFailed(err, x.host, x.port)
}

// switched is a connection after an upgrade; what net/http read ahead comes
// first.
type switched struct {
	net.Conn
	rw io.ReadWriteCloser
}

func (s switched) Read(b []byte) (int, error)  { return s.rw.Read(b) }
func (s switched) Write(b []byte) (int, error) { return s.rw.Write(b) }
func (s switched) Close() error                { return s.rw.Close() }

func (s switched) CloseWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// handle is what the script's streams call.
func (x *outgoing) handle() native.Object {
	o := native.New(x.loop)
	// write(bytes, callback(error))
	o.Func("write", func(a native.Args) (any, error) {
		b := a.Copy(0)
		a.Later(1, func(context.Context) (any, error) {
			_, err := x.body.Write(b)
			return nil, sockets.Failed(err, "write", "", 0)
		})
		return nil, nil
	})
	// end(trailers): the body is complete.
	o.Func("end", func(a native.Args) (any, error) {
		for name, values := range headerOf(a.Strings(0)) {
			if x.trailer != nil {
				x.trailer[name] = values
			}
		}
		if x.body != nil {
			_ = x.body.Close()
		}
		return nil, nil
	})
	// read(callback(error, bytes)): undefined at the end.
	o.Func("read", func(a native.Args) (any, error) {
		a.Later(0, func(context.Context) (any, error) {
			b, err := readBody(seen{x.response.Body, &x.ended})
			if b == nil {
				_ = x.response.Body.Close()
			}
			return b, err
		})
		return nil, nil
	})
	// ended(): whether the body's end came along with the bytes read last.
	o.Func("ended", func(native.Args) (any, error) { return x.ended.Load(), nil })
	o.Func("trailers", func(native.Args) (any, error) { return appendHeader(nil, x.response.Trailer), nil })
	// decode(coding): the body comes without a content coding.
	o.Func("decode", func(a native.Args) (any, error) {
		x.response.Body = &decoded{coding: a.String(0), body: x.response.Body}
		return nil, nil
	})
	o.Func("abort", func(native.Args) (any, error) {
		x.cancel()
		if x.body != nil {
			_ = x.body.CloseWithError(context.Canceled)
		}
		if x.response != nil {
			go x.response.Body.Close()
		}
		return nil, nil
	})
	return o
}

// decoded takes a content coding off a body; its header is read with the first
// bytes that are asked for.
type decoded struct {
	coding string
	body   io.ReadCloser
	reader io.Reader
}

func (d *decoded) Read(b []byte) (int, error) {
	if d.reader == nil {
		if err := d.start(); err != nil {
			return 0, err
		}
	}
	return d.reader.Read(b)
}

func (d *decoded) start() (err error) {
	in := bufio.NewReader(d.body)
	switch d.coding {
	case "gzip", "x-gzip":
		if _, err = in.Peek(1); errors.Is(err, io.EOF) {
			return err // an empty body has no header
		}
		d.reader, err = gzip.NewReader(in)
	case "deflate": // some servers send it without zlib's header
		first, peekErr := in.Peek(1)
		if peekErr != nil {
			return peekErr
		}
		if first[0]&0x0f == 8 {
			d.reader, err = zlib.NewReader(in)
		} else {
			d.reader = flate.NewReader(in)
		}
	case "br":
		d.reader = brotli.NewReader(in)
	default:
		return fmt.Errorf("content coding %q is not known", d.coding)
	}
	return err
}

func (d *decoded) Close() error { return d.body.Close() }

// seen is a reader that notes its end.
type seen struct {
	io.Reader
	ended *atomic.Bool
}

func (s seen) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		s.ended.Store(true)
	}
	return n, err
}
