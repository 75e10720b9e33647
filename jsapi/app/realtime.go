package app

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
	"github.com/zishang520/engine.io/v2/types"
	sio "github.com/zishang520/socket.io/v2/socket"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// realtime is the Socket.IO server. The library calls from goroutines of its
// own; what it says reaches the script in the order of each connection, and a
// connection's next packet waits until the script has the last.
type realtime struct {
	app      *app
	loop     *loop.Loop
	server   *sio.Server
	handler  http.Handler
	callback native.Callback // (event, key, …), see object
	buffer   goja.Callable   // makes a Buffer of an ArrayBuffer
	known    sync.Map        // names of namespaces that are attended to
}

// newRealtime reads realtime's arguments: options, callback, buffer.
func newRealtime(a *app, args native.Args) *realtime {
	r := &realtime{app: a, loop: a.loop, callback: args.Callback(1)}
	r.buffer, _ = goja.AssertFunction(args.At(2))
	o := sio.DefaultServerOptions()
	ms := func(name string, set func(time.Duration)) {
		if v := args.Get(0, name); !goja.IsUndefined(v) {
			set(time.Duration(v.ToInteger()) * time.Millisecond)
		}
	}
	ms("pingInterval", o.SetPingInterval)
	ms("pingTimeout", o.SetPingTimeout)
	ms("upgradeTimeout", o.SetUpgradeTimeout)
	ms("connectTimeout", o.SetConnectTimeout)
	if v := args.Get(0, "maxHttpBufferSize"); !goja.IsUndefined(v) {
		o.SetMaxHttpBufferSize(v.ToInteger())
	}
	if v := args.Get(0, "allowEIO3"); !goja.IsUndefined(v) {
		o.SetAllowEIO3(v.ToBoolean())
	}
	if v := args.Get(0, "transports"); !goja.IsUndefined(v) {
		set := types.NewSet[string]()
		if list, ok := v.Export().([]any); ok {
			for _, name := range list {
				if text, ok := name.(string); ok {
					set.Add(text)
				}
			}
		}
		o.SetTransports(set)
	}
	if v, ok := args.Get(0, "cors").(*goja.Object); ok {
		o.SetCors(corsOf(v))
	}
	o.SetServeClient(false) // it looks for the files beside the executable
	r.server = sio.NewServer(nil, o)
	r.handler = r.server.ServeHandler(nil)
	if v := args.Get(0, "serveClient"); goja.IsUndefined(v) || v.ToBoolean() {
		r.handler = withClient(r.handler)
	}
	return r
}

// corsOf reads Socket.IO's cors option.
func corsOf(o *goja.Object) *types.Cors {
	get := func(name string) any {
		if v := o.Get(name); v != nil && !goja.IsUndefined(v) {
			return v.Export()
		}
		return nil
	}
	c := &types.Cors{Origin: get("origin"), Methods: get("methods"), AllowedHeaders: get("allowedHeaders")}
	if credentials, ok := get("credentials").(bool); ok {
		c.Credentials = credentials
	}
	return c
}

// post runs f on the loop and waits for it, so that whoever talks too fast is
// slowed down.
func (r *realtime) post(f func()) {
	done := make(chan struct{})
	if !r.loop.Post(func() { defer close(done); f() }) {
		return
	}
	select {
	case <-done:
	case <-r.loop.Context().Done():
	}
}

// attend has the script told of what happens in a namespace.
func (r *realtime) attend(n sio.Namespace) {
	if _, known := r.known.LoadOrStore(n.Name(), true); known {
		return
	}
	n.Use(func(s *sio.Socket, next func(*sio.ExtendedError)) {
		key := keyOf(s)
		s.OnAny(func(args ...any) { r.event(key, args) })
		_ = s.On("disconnecting", func(why ...any) { r.ended("disconnecting", key, why) })
		_ = s.On("disconnect", func(why ...any) { r.ended("disconnect", key, why) })
		r.post(func() { r.callback.Call("middleware", key, n.Name(), r.handle(s), r.next(next)) })
	})
	_ = n.On("connection", func(clients ...any) {
		if s, ok := clients[0].(*sio.Socket); ok {
			r.post(func() { r.callback.Call("connection", keyOf(s), n.Name()) })
		}
	})
}

// keyOf tells sockets apart over all namespaces.
func keyOf(s *sio.Socket) string { return s.Nsp().Name() + "\n" + string(s.Id()) }

// next is the function that a middleware calls: next(), or next(message,
// data).
func (r *realtime) next(next func(*sio.ExtendedError)) goja.Value {
	return r.loop.Runtime().ToValue(func(call goja.FunctionCall) goja.Value {
		if v := call.Argument(0); !goja.IsUndefined(v) {
			data, err := plain(r.loop, call.Argument(1), 0)
			if err != nil {
				r.loop.Throw(err)
			}
			go next(sio.NewExtendedError(v.String(), data))
			return goja.Undefined()
		}
		go next(nil)
		return goja.Undefined()
	})
}

func (r *realtime) event(key string, args []any) {
	r.post(func() {
		var ack any
		if n := len(args); n > 0 {
			if f, ok := args[n-1].(sio.Ack); ok {
				args, ack = args[:n-1], r.ack(f)
			}
		}
		r.callback.Call("event", key, given(r.loop, args, r.buffer), ack)
	})
}

// ack is the function with which the script acknowledges an event.
func (r *realtime) ack(f sio.Ack) goja.Value {
	return r.loop.Runtime().ToValue(func(call goja.FunctionCall) goja.Value {
		f(r.plain(call.Arguments), nil)
		return goja.Undefined()
	})
}

func (r *realtime) plain(values []goja.Value) []any {
	list := make([]any, len(values))
	for i, v := range values {
		item, err := plain(r.loop, v, 0)
		if err != nil {
			r.loop.Throw(err)
		}
		list[i] = item
	}
	return list
}

func (r *realtime) ended(event, key string, why []any) {
	reason := "transport close"
	if len(why) > 0 {
		if text, ok := why[0].(string); ok {
			reason = text
		}
	}
	// It may come of what the script does: it must not wait for it.
	r.loop.Post(func() { r.callback.Call(event, key, reason) })
}

// handle is a socket as the script's side holds it.
func (r *realtime) handle(s *sio.Socket) native.Object {
	o := native.New(r.loop)
	h := s.Handshake()
	_ = o.Set("id", string(s.Id()))
	_ = o.Set("address", h.Address)
	_ = o.Set("headers", native.Value(r.loop.Runtime(), flat(h.Headers)))
	_ = o.Set("query", native.Value(r.loop.Runtime(), flat(h.Query)))
	_ = o.Set("url", h.Url)
	_ = o.Set("secure", h.Secure)
	_ = o.Set("xdomain", h.Xdomain)
	_ = o.Set("issued", h.Issued)
	_ = o.Set("auth", given(r.loop, h.Auth, r.buffer))
	// emit(flags, event, args, ack(args)): flags has volatile and compress.
	o.Func("emit", func(a native.Args) (any, error) {
		args := r.arguments(a, 2)
		if a.Given(3) {
			args = append(args, r.acknowledged(a.Callback(3)))
		}
		if a.Get(0, "volatile").ToBoolean() {
			s.Volatile()
		}
		return nil, s.Emit(a.String(1), args...)
	})
	o.Func("join", func(a native.Args) (any, error) {
		s.Join(rooms(a.Strings(0))...)
		return nil, nil
	})
	o.Func("leave", func(a native.Args) (any, error) {
		s.Leave(sio.Room(a.String(0)))
		return nil, nil
	})
	o.Func("rooms", func(native.Args) (any, error) {
		var list []string
		for _, room := range s.Rooms().Keys() {
			list = append(list, string(room))
		}
		return list, nil
	})
	o.Func("disconnect", func(a native.Args) (any, error) {
		go s.Disconnect(a.Bool(0))
		return nil, nil
	})
	o.Func("transport", func(native.Args) (any, error) { return s.Conn().Transport().Name(), nil })
	return o
}

func flat(values map[string][]string) []any {
	var list []any
	for name, all := range values {
		list = append(list, name, strings.Join(all, ", "))
	}
	return list
}

func rooms(names []string) []sio.Room {
	list := make([]sio.Room, len(names))
	for i, name := range names {
		list[i] = sio.Room(name)
	}
	return list
}

// arguments is an argument that is an array, as values to send.
func (r *realtime) arguments(a native.Args, i int) []any {
	v, err := plain(r.loop, a.At(i), 0)
	if err != nil {
		r.loop.Throw(err)
	}
	list, _ := v.([]any)
	return list
}

// acknowledged calls back with what a client, or several, answered.
func (r *realtime) acknowledged(f native.Callback) sio.Ack {
	var once atomic.Bool
	return func(args []any, err error) {
		if !once.CompareAndSwap(false, true) {
			return
		}
		r.loop.Post(func() {
			if err != nil {
				f.Call(err.Error(), given(r.loop, args, r.buffer))
				return
			}
			f.Call(goja.Null(), given(r.loop, args, r.buffer))
		})
	}
}

// object is what the module's script holds: of(name), dynamic(match),
// broadcast(…), sockets(…), move(…), and close().
func (r *realtime) object() native.Object {
	o := native.New(r.loop)
	o.Func("of", func(a native.Args) (any, error) {
		r.attend(r.server.Of(a.String(0), nil))
		return nil, nil
	})
	// dynamic(match(name, auth, answer(ok)))
	o.Func("dynamic", func(a native.Args) (any, error) {
		match := a.Callback(0)
		fn := func(name string, auth any, next func(error, bool)) {
			r.loop.Post(func() {
				match.Call(name, given(r.loop, auth, r.buffer), func(call goja.FunctionCall) goja.Value {
					ok := call.Argument(0).ToBoolean()
					go next(nil, ok)
					return goja.Undefined()
				})
			})
		}
		parent := r.server.Of(sio.ParentNspNameMatchFn(&fn), nil)
		r.attend(parent)
		return nil, nil
	})
	// broadcast(namespace, rooms, except, flags, event, args, ack)
	o.Func("broadcast", func(a native.Args) (any, error) {
		args := r.arguments(a, 5)
		if a.Given(6) {
			args = append(args, r.acknowledged(a.Callback(6)))
		}
		return nil, r.target(a).Emit(a.String(4), args...)
	})
	// sockets(namespace, rooms, except): ids
	o.Func("sockets", func(a native.Args) (any, error) {
		list, failed := []string{}, error(nil)
		r.target(a).FetchSockets()(func(all []*sio.RemoteSocket, err error) { // called at once: they are all here
			failed = err
			for _, s := range all {
				list = append(list, string(s.Id()))
			}
		})
		return list, failed
	})
	// move(namespace, rooms, except, flags, what, rooms or close)
	o.Func("move", func(a native.Args) (any, error) {
		switch to := r.target(a); a.String(4) {
		case "join":
			to.SocketsJoin(rooms(a.Strings(5))...)
		case "leave":
			to.SocketsLeave(rooms(a.Strings(5))...)
		case "disconnect":
			closing := a.Bool(5)
			go to.DisconnectSockets(closing)
		}
		return nil, nil
	})
	o.Func("clients", func(native.Args) (any, error) { return r.server.Engine().ClientsCount(), nil })
	o.Func("close", func(native.Args) (any, error) {
		r.close()
		return nil, nil
	})
	return o
}

// target is whom the arguments name: namespace, rooms, except, flags.
func (r *realtime) target(a native.Args) *sio.BroadcastOperator {
	n := r.server.Of(a.String(0), nil)
	to := n.To(rooms(a.Strings(1))...).Except(rooms(a.Strings(2))...)
	if a.Get(3, "volatile").ToBoolean() {
		to = to.Volatile()
	}
	if v := a.Get(3, "timeout"); !goja.IsUndefined(v) {
		to = to.Timeout(time.Duration(v.ToInteger()) * time.Millisecond)
	}
	return to
}

func (r *realtime) close() { go r.server.Close(nil) }

// socketServer answers the connections that the server hands over for
// Socket.IO.
type socketServer struct {
	app   *app
	conns *queue
	http  *http.Server
}

func newSocketServer(a *app) *socketServer {
	s := &socketServer{app: a, conns: newQueue()}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: headTime, MaxHeaderBytes: maxHead}
	go func() { _ = s.http.Serve(s.conns) }() // it ends with close
	return s
}

func (s *socketServer) serve(w http.ResponseWriter, r *http.Request) {
	var handler http.Handler
	err := s.app.loop.Call(r.Context(), func() error {
		if s.app.io == nil {
			return errNoRealtime
		}
		handler = s.app.io.handler
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if ip := r.Header.Get("X-Forwarded-For"); ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0")
	}
	handler.ServeHTTP(w, r)
}

var errNoRealtime = errors.New("the app uses no Socket.IO: it imports io from millrace to do so")

func (s *socketServer) close() {
	s.conns.close()
	_ = s.http.Close()
}
