package app

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/node/web"
)

// natives is the module internal:app.
func (a *app) natives(l *loop.Loop) goja.Value {
	o := native.New(l)
	// begin(called(id, hook, session), told(event), said(path, topic, text,
	// blobs), upgraded(handle, method, url, headers)): what the script's side
	// is told.
	o.Func("begin", func(args native.Args) (any, error) {
		a.called, a.told, a.said, a.upgraded = args.Callback(0), args.Callback(1), args.Callback(2), args.Callback(3)
		return nil, nil
	})
	// hooks(deciding, telling, topics): deciding has name, ms, allow in turn.
	o.Func("hooks", func(args native.Args) (any, error) { return nil, a.register(args) })
	// answer(id, text) lets somebody in, answer(id, null, message, status,
	// stack) does not.
	o.Func("answer", func(args native.Args) (any, error) {
		answer := &wire.Answer{ID: uint64(args.Int(0))}
		if args.Given(1) {
			answer.Value = json.RawMessage(args.String(1))
		} else {
			answer.Refused = &wire.Refused{Message: args.String(2), Status: int(args.Int(3)), Stack: args.String(4)}
		}
		return nil, a.server.write(answer)
	})
	// ask(method, text) waits for the server, and gives text; it answers at
	// once.
	o.Func("ask", func(args native.Args) (any, error) {
		ctx, cancel := context.WithTimeout(l.Context(), askTime)
		defer cancel()
		r, err := a.server.ask(ctx, args.String(0), []byte(args.String(1)))
		if err != nil {
			return nil, asked(args.String(0), err)
		}
		return string(r.Value), nil
	})
	// request(method, text, callback(error, text))
	o.Func("request", func(args native.Args) (any, error) {
		method, text := args.String(0), []byte(args.String(1))
		args.Later(2, func(ctx context.Context) (any, error) {
			r, err := a.server.ask(ctx, method, text)
			if err != nil {
				return nil, asked(method, err)
			}
			return string(r.Value), nil
		})
		return nil, nil
	})
	// send(path, topic, text, blobs)
	o.Func("send", func(args native.Args) (any, error) { return nil, a.send(args) })
	// serve(handler) answers requests with a request listener of node:http.
	o.Func("serve", func(args native.Args) (any, error) {
		server, err := web.Serve(l, a.routes, args.At(0))
		if err != nil {
			return nil, err
		}
		return server, nil
	})
	o.Func("resolve", func(args native.Args) (any, error) {
		if path := args.String(0); filepath.IsAbs(path) {
			return path, nil
		}
		return filepath.Join(filepath.Dir(a.code.Path), args.String(0)), nil
	})
	// realtime(options, callback): see realtime.
	o.Func("realtime", func(args native.Args) (any, error) {
		if a.io == nil {
			a.io = newRealtime(a, args)
		}
		return a.io.object(), nil
	})
	// group() is a set of WebSockets, see group.
	o.Func("group", func(native.Args) (any, error) { return newGroup(l).object(), nil })
	return o.Object
}

// askTime bounds the wait for an answer that the script waits for.
const askTime = time.Second

func asked(method string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &loop.Error{Code: "ETIMEDOUT", Message: "streams." + method + ": the server does not answer"}
	}
	return err
}

// register takes note of the hooks and tells the server, once it was told of
// the script.
func (a *app) register(args native.Args) error {
	list := args.Strings(0)
	hooks := wire.Hooks{Deciding: make(map[string]wire.Deadline), Telling: args.Strings(1), Topics: args.Bool(2)}
	for i := 0; i+2 < len(list); i += 3 {
		limit, err := time.ParseDuration(list[i+1] + "ms")
		if err != nil {
			return &loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_VALUE", Message: "a time limit of " + list[i+1] + " ms"}
		}
		hooks.Deciding[list[i]] = wire.Deadline{Timeout: limit, Allow: list[i+2] == "allow"}
	}
	a.hooks = hooks
	if !a.ready {
		return nil // Ready will say
	}
	return a.server.write(&hooks)
}

func (a *app) send(args native.Args) error {
	text := args.String(2)
	m := &wire.Message{Path: args.String(0), Topic: args.String(1), Sizes: []int{len(text)}, Body: []byte(text)}
	if args.Given(3) {
		blobs := args.At(3).ToObject(a.loop.Runtime())
		for i := range int(blobs.Get("length").ToInteger()) {
			b := native.Bytes(blobs.Get(a.loop.Runtime().ToValue(i).String()))
			m.Sizes = append(m.Sizes, len(b))
			m.Body = append(m.Body, b...)
		}
	}
	err := a.server.write(m)
	if errors.Is(err, wire.ErrFrame) {
		return &loop.Error{Name: "RangeError", Code: "ERR_OUT_OF_RANGE", Message: "stream.send: " + err.Error()}
	}
	return err
}

// accept takes the connections that the server hands over, until there are no
// more.
func (a *app) accept(conns *net.UnixConn) {
	http := newSocketServer(a)
	defer http.close()
	for {
		kind, conn, err := wire.ReceiveConn(conns)
		if err != nil {
			return
		}
		switch kind {
		case wire.Routes:
			go a.routes.put(conn)
		case wire.Sockets:
			go http.conns.put(conn)
		case wire.Upgrade:
			go a.upgrade(conn)
		default:
			_ = conn.Close()
		}
	}
}
