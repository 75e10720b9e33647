package rtsp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"github.com/millrace/millrace/ingest"
)

// gatePatience is how long a client waits for the Gate: a hook has its own,
// shorter deadline.
const gatePatience = 10 * time.Second

// errTerminated is how gortsplib ends when told to.
var errTerminated = liberrors.ErrServerTerminated{}

// handler is what gortsplib calls. Calls for one connection come on its
// goroutine, those for a session on the session's.
type handler struct{ s *Server }

// conn is what we know of a connection.
type conn struct {
	nonce    string
	failures int         // wrong passwords
	hints    []mediaHint // of the SDP announced last
	badSDP   error       // why that cannot be read

	// granted is what this connection may read, so that SETUP does not ask
	// again what DESCRIBE has been told.
	granted      *ingest.Stream
	grantedPath  string
	grantedQuery string
}

func connOf(sc *gortsplib.ServerConn) *conn {
	c, ok := sc.UserData().(*conn)
	if !ok {
		c = &conn{}
		sc.SetUserData(c)
	}
	return c
}

// OnConnOpen implements gortsplib.ServerHandlerOnConnOpen.
func (h *handler) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	nonce, err := auth.GenerateNonce()
	if err != nil {
		nonce = "" // Digest will not succeed then
	}
	ctx.Conn.SetUserData(&conn{nonce: nonce})
}

// OnConnClose implements gortsplib.ServerHandlerOnConnClose.
func (h *handler) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	h.s.log.Debug("connection closed", "remote", remote(ctx.Conn), "reason", reason(ctx.Error))
}

// OnRequest implements gortsplib.ServerHandlerOnRequest. It comes before the
// library looks into the request.
func (h *handler) OnRequest(sc *gortsplib.ServerConn, req *base.Request) {
	extend(sc.NetConn())
	if req.Method == base.Announce {
		c := connOf(sc)
		c.hints, req.Body = readSDP(req.Body)
		c.badSDP = parseSession(req.Body)
	}
}

// OnResponse implements gortsplib.ServerHandlerOnResponse. What the library
// refuses by itself gets a reason too.
func (h *handler) OnResponse(sc *gortsplib.ServerConn, res *base.Response) {
	res.Header["Server"] = base.HeaderValue{"millrace"}
	c := connOf(sc)
	if c.badSDP != nil && res.StatusCode == base.StatusBadRequest && len(res.Body) == 0 {
		refused := refuse(fmt.Errorf("%w: %w", errSDP, c.badSDP))
		res.StatusMessage, res.Body = refused.StatusMessage, refused.Body
		h.s.log.Warn("request refused", "method", string(base.Announce), "remote", remote(sc), "reason", c.badSDP)
	}
	c.badSDP = nil
}

// OnSessionClose implements gortsplib.ServerHandlerOnSessionClose.
func (h *handler) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	switch u := ctx.Session.UserData().(type) {
	case *publishing:
		u.end(ctx.Error)
	case *playing:
		u.end(ctx.Error)
	}
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (h *handler) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	stream, err := h.read(ctx.Conn, ctx.Request, ctx.Path, ctx.Query)
	if err != nil {
		res, err := h.refuse(ctx.Conn, ctx.Request, err)
		return res, nil, err
	}
	desc, err := describe(stream.Path(), stream.Tracks())
	if err != nil {
		return refuse(err), nil, nil
	}
	body, err := desc.session.Marshal(false)
	if err != nil {
		return refuse(err), nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK, Body: body}, nil, nil
}

// OnAnnounce implements gortsplib.ServerHandlerOnAnnounce.
func (h *handler) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	p, err := h.publish(ctx)
	if err != nil {
		return h.refuse(ctx.Conn, ctx.Request, err)
	}
	ctx.Session.SetUserData(p)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (h *handler) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Transport == gortsplib.TransportTCP && !h.s.cfg.allows(TCP) {
		return refuse(errTransport), nil, nil
	}
	if ctx.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return &base.Response{StatusCode: base.StatusOK}, nil, nil
	}
	p, ok := ctx.Session.UserData().(*playing)
	if !ok {
		stream, err := h.read(ctx.Conn, ctx.Request, ctx.Path, ctx.Query)
		if err == nil {
			p, err = h.s.newPlaying(ctx.Session, stream, remote(ctx.Conn))
		}
		if err != nil {
			res, err := h.refuse(ctx.Conn, ctx.Request, err)
			return res, nil, err
		}
		ctx.Session.SetUserData(p)
	}
	return &base.Response{StatusCode: base.StatusOK}, p.out, nil
}

// OnRecord implements gortsplib.ServerHandlerOnRecord.
func (h *handler) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	activate(ctx.Conn)
	ctx.Session.UserData().(*publishing).start()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (h *handler) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	activate(ctx.Conn)
	ctx.Session.UserData().(*playing).start()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnPause implements gortsplib.ServerHandlerOnPause.
func (h *handler) OnPause(ctx *gortsplib.ServerHandlerOnPauseCtx) (*base.Response, error) {
	if p, ok := ctx.Session.UserData().(*playing); ok {
		p.pause()
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnPacketsLost implements gortsplib.ServerHandlerOnPacketsLost. Losses are
// counted where they are seen by track: receiver.packet.
func (h *handler) OnPacketsLost(*gortsplib.ServerHandlerOnPacketsLostCtx) {}

// OnDecodeError implements gortsplib.ServerHandlerOnDecodeError.
func (h *handler) OnDecodeError(ctx *gortsplib.ServerHandlerOnDecodeErrorCtx) {
	path := strings.Trim(ctx.Session.SetuppedPath(), "/")
	h.s.fault(path, ctx.Error)
}

// OnStreamWriteError implements gortsplib.ServerHandlerOnStreamWriteError;
// nothing is written through its streams.
func (h *handler) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}

// fault mentions a fault that may come with every packet.
func (s *Server) fault(path string, err error) {
	if n, ok := s.faults.Due(path + "\x00" + err.Error()); ok {
		s.log.Warn("bad packets", "stream", path, "error", err, "count", n)
	}
}

// request is what the Gate is asked with.
func (h *handler) request(sc *gortsplib.ServerConn, req *base.Request, path, query string) (ingest.Request, error) {
	r := ingest.Request{
		Path: strings.Trim(path, "/"), Protocol: "rtsp", Remote: sc.NetConn().RemoteAddr(),
		Query: parseQuery(query),
	}
	if ua := req.Header["User-Agent"]; len(ua) > 0 {
		r.Agent = ua[0]
	}
	credentials(&r, req, connOf(sc).nonce)
	return r, ingest.CheckPath(r.Path)
}

// read asks the Gate for a stream that can be described.
func (h *handler) read(sc *gortsplib.ServerConn, req *base.Request, path, query string) (*ingest.Stream, error) {
	c := connOf(sc)
	if c.granted != nil && c.grantedPath == path && c.grantedQuery == query {
		if c.granted.State() != ingest.Ended {
			return c.granted, nil
		}
		c.granted = nil
	}
	r, err := h.request(sc, req, path, query)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(h.s.ctx, gatePatience)
	defer cancel()
	stream, err := h.s.gate.Read(ctx, r)
	if err != nil {
		return nil, err
	}
	awaitTracks(ctx, stream)
	c.granted, c.grantedPath, c.grantedQuery = stream, path, query
	return stream, nil
}

// awaitTracks lets a reader that is quicker than the publisher wait until there
// is something to describe.
func awaitTracks(ctx context.Context, s *ingest.Stream) {
	for {
		changed := s.Changed()
		if s.State() != ingest.Gathering || len(s.Tracks()) > 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// refuse answers with an error. Without credentials, or with wrong ones, the
// client is asked for them on the same connection, a few times.
func (h *handler) refuse(sc *gortsplib.ServerConn, req *base.Request, err error) (*base.Response, error) {
	res := refuse(err)
	if res.StatusCode != base.StatusUnauthorized {
		h.s.log.Warn("request refused", "method", string(req.Method), "remote", remote(sc),
			"path", requestPath(req), "status", int(res.StatusCode), "reason", err)
		return res, nil
	}
	c := connOf(sc)
	challenge(res, c.nonce)
	if _, given := req.Header["Authorization"]; given {
		c.failures++
		h.s.log.Warn("wrong credentials", "method", string(req.Method), "remote", remote(sc), "path", requestPath(req))
		if c.failures >= maxFailures {
			return res, errors.New("too many wrong passwords")
		}
	}
	return res, nil
}

// requestPath is the path of a URL without what may be secret in it.
func requestPath(req *base.Request) string {
	if req.URL == nil {
		return ""
	}
	return strings.Trim(req.URL.Path, "/")
}

func remote(sc *gortsplib.ServerConn) string { return sc.NetConn().RemoteAddr().String() }

func reason(err error) string {
	if err == nil {
		return "closed"
	}
	return err.Error()
}

// activate says that media flows on a connection now.
func activate(sc *gortsplib.ServerConn) {
	if g, ok := sc.NetConn().(*guard); ok {
		g.setActive()
	}
}
