package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// socket is the server's end of one plain WebSocket. It reads one message
// ahead of the script; what the script sends waits in a queue of bounded size.
type socket struct {
	app      *app
	loop     *loop.Loop
	callback native.Callback // (event, …)
	most     int             // bytes of one message
	buffered int             // bytes that may wait to be sent
	conn     *websocket.Conn
	ctx      context.Context
	cancel   context.CancelCauseFunc

	mu      sync.Mutex
	queue   []frame
	waiting int  // bytes in queue
	writing bool // flush is at work
	full    bool // the script was told to wait
	closing *closing
	paused  chan struct{} // closed when reading may go on; nil: it may
}

type frame struct {
	kind websocket.MessageType
	body []byte
}

type closing struct {
	code   websocket.StatusCode
	reason string
}

const (
	maxMessage  = 1 << 20
	maxBuffered = 4 << 20
	highWater   = 64 << 10 // bytes waiting from which on the script is told to wait
	frameTime   = 30 * time.Second
	closeTime   = 3 * time.Second
)

// Why sockets end.
var (
	errSlow       = errors.New("the client reads too slowly")
	errTerminated = errors.New("the script ended the connection")
)

// newSocket reads the arguments of accept.
func newSocket(a *app, args native.Args) *socket {
	s := &socket{
		app: a, loop: a.loop, callback: args.Callback(4), most: maxMessage, buffered: maxBuffered,
	}
	if n := int(args.Int(2)); n > 0 {
		s.most = n
	}
	if n := int(args.Int(3)); n > 0 {
		s.buffered = n
	}
	s.ctx, s.cancel = context.WithCancelCause(a.loop.Context())
	return s
}

// live is the life of the socket, from its handshake on.
func (s *socket) live(u *upgrade, g *group, protocols []string) {
	defer s.cancel(nil)
	conn, err := u.handshake(protocols)
	if err != nil {
		s.loop.Post(func() { s.callback.Call("close", 1006, err.Error()) })
		return
	}
	s.conn = conn
	conn.SetReadLimit(int64(s.most))
	g.add(s)
	s.app.open.add(s)
	s.loop.Post(func() { s.callback.Call("open", s.handle(), conn.Subprotocol()) })
	err = s.read()
	_ = conn.CloseNow()
	g.remove(s)
	s.app.open.remove(s)
	code, reason := s.ending(err)
	s.loop.Post(func() { s.callback.Call("close", code, reason) })
}

// ending is the code and reason that the script is told: the client's, or the
// script's own where it said goodbye first.
func (s *socket) ending(err error) (int, string) {
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return int(closed.Code), closed.Reason
	}
	cause := context.Cause(s.ctx)
	if errors.Is(cause, errSlow) {
		return 1006, cause.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != nil && cause == nil {
		return int(s.closing.code), s.closing.reason
	}
	return 1006, ""
}

// read hands messages over one by one: the next is read when the script had
// the last.
func (s *socket) read() error {
	for {
		if err := s.gate(); err != nil {
			return err
		}
		kind, b, err := s.conn.Read(s.ctx)
		if err != nil {
			return err
		}
		taken := make(chan struct{})
		s.loop.Post(func() {
			close(taken)
			if kind == websocket.MessageText {
				s.callback.Call("message", string(b), false)
			} else {
				s.callback.Call("message", b, true)
			}
		})
		select {
		case <-taken:
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}

// gate waits while the script wants no messages.
func (s *socket) gate() error {
	s.mu.Lock()
	paused := s.paused
	s.mu.Unlock()
	if paused == nil {
		return nil
	}
	select {
	case <-paused:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// send queues a frame; false where the script should wait for drain. A client
// that lets more pile up than is allowed is cut.
func (s *socket) send(f frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != nil || s.ctx.Err() != nil {
		return false
	}
	if s.waiting += len(f.body); s.waiting > s.buffered {
		s.cancel(errSlow)
		return false
	}
	s.queue = append(s.queue, f)
	s.start()
	s.full = s.full || s.waiting > highWater
	return !s.full
}

// start has flush at work. s.mu is held.
func (s *socket) start() {
	if !s.writing {
		s.writing = true
		go s.flush()
	}
}

// flush sends what is queued. It is there while there is something to send
// only: most sockets of many are quiet.
func (s *socket) flush() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.writing = false
			end, full := s.closing, s.full
			s.full = false
			s.queue = nil
			s.mu.Unlock()
			if full {
				s.loop.Post(func() { s.callback.Call("drain") })
			}
			if end != nil {
				late := time.AfterFunc(closeTime, func() { s.cancel(errTerminated) })
				defer late.Stop()
				_ = s.conn.Close(end.code, end.reason) // the other side may be gone
			}
			return
		}
		f := s.queue[0]
		s.queue[0] = frame{}
		s.queue = s.queue[1:]
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(s.ctx, frameTime)
		err := s.conn.Write(ctx, f.kind, f.body)
		cancel()
		if err != nil {
			s.cancel(err)
			return
		}
		s.mu.Lock()
		s.waiting -= len(f.body)
		s.mu.Unlock()
	}
}

// close says goodbye once what is queued was sent.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing == nil {
		s.closing = &closing{code, reason}
		s.start()
	}
}

// handle is what the script's side holds.
func (s *socket) handle() native.Object {
	o := native.New(s.loop)
	o.Func("send", func(a native.Args) (any, error) { return s.send(frameOf(a.At(0), a.Copy(0))), nil })
	o.Func("close", func(a native.Args) (any, error) {
		code := websocket.StatusNormalClosure
		if a.Given(0) {
			code = websocket.StatusCode(a.Int(0))
		}
		s.close(code, a.String(1))
		return nil, nil
	})
	o.Func("terminate", func(native.Args) (any, error) {
		s.cancel(errTerminated)
		return nil, nil
	})
	o.Func("waiting", func(native.Args) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.waiting, nil
	})
	o.Func("pause", func(a native.Args) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch pause := a.Bool(0); {
		case pause && s.paused == nil:
			s.paused = make(chan struct{})
		case !pause && s.paused != nil:
			close(s.paused)
			s.paused = nil
		}
		return nil, nil
	})
	return o
}

func frameOf(v goja.Value, body []byte) frame {
	if _, ok := v.(goja.String); ok {
		return frame{websocket.MessageText, body}
	}
	return frame{websocket.MessageBinary, body}
}

// group is the sockets of one route, for broadcasts that cost the script one
// call.
type group struct {
	loop *loop.Loop
	mu   sync.Mutex
	all  map[*socket]struct{}
}

func newGroup(l *loop.Loop) *group { return &group{loop: l, all: make(map[*socket]struct{})} }

func (g *group) add(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all[s] = struct{}{}
}

func (g *group) remove(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, s)
}

// object has broadcast(data), which gives the number of sockets, and native,
// which is the group.
func (g *group) object() native.Object {
	o := native.New(g.loop)
	_ = o.Set("native", g)
	o.Func("broadcast", func(a native.Args) (any, error) {
		f := frameOf(a.At(0), a.Copy(0))
		g.mu.Lock()
		defer g.mu.Unlock()
		for s := range g.all {
			s.send(f)
		}
		return len(g.all), nil
	})
	o.Func("size", func(native.Args) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.all), nil
	})
	return o
}

// openSockets are all of an app's.
type openSockets struct {
	mu  sync.Mutex
	all map[*socket]struct{}
}

func (o *openSockets) add(s *socket) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = make(map[*socket]struct{})
	}
	o.all[s] = struct{}{}
}

func (o *openSockets) remove(s *socket) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, s)
}

func (o *openSockets) none() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all) == 0
}

// closeAll says goodbye to everybody: another process will be there.
func (o *openSockets) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.all {
		s.close(websocket.StatusServiceRestart, "the app restarts")
	}
}
