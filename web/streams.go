package web

import (
	"net"
	"net/http"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// base is the address under which a client sees this server.
type base struct{ scheme, host string }

func (s *Server) baseOf(r *http.Request) base {
	c := s.client(r)
	return base{c.Scheme, c.Host}
}

func (b base) url(path string) string { return b.scheme + "://" + b.host + path }

// with makes a URL of another protocol at the same host; empty where that
// listener is off.
func (b base) with(scheme, listen, defaultPort string) string {
	if listen == "" || listen == "off" {
		return ""
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	host, _, err := net.SplitHostPort(b.host)
	if err != nil {
		host = b.host
	}
	if port == defaultPort {
		return scheme + "://" + host
	}
	if len(host) > 0 && host[0] == '[' {
		return scheme + "://" + host + ":" + port
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// streams is the backend's list with what only web knows.
func (s *Server) streams(b base) []status.Stream {
	list := s.cfg.Backend.List()
	if list == nil {
		list = []status.Stream{} // [] rather than null, for those who write clients
	}
	for i := range list {
		s.complete(&list[i], b)
	}
	return list
}

// Audience is how many view a stream over HTTP, and the bytes sent to them.
func (s *Server) Audience(path string) (viewers int, sent uint64) { return s.audiences.figures(path) }

// complete fills in viewers, bytes and URLs.
func (s *Server) complete(st *status.Stream, b base) {
	st.Viewers, st.BytesOut = s.audiences.figures(st.Path)
	st.URLs = status.URLs{
		Watch: b.url("/watch/" + st.Path),
		HLS:   b.url("/hls/" + st.Path + "/index.m3u8"),
		Thumb: b.url("/thumb/" + st.Path + ".jpg"),
	}
	if st.DASH {
		st.URLs.DASH = b.url(dashPrefix + st.Path + "/" + manifestName)
	}
	if rtsp := b.with("rtsp", s.cfg.RTSP, "554"); rtsp != "" {
		st.URLs.RTSP = rtsp + "/" + st.Path
	}
	if st.Tracks == nil {
		st.Tracks = []status.Track{}
	}
	if st.Renditions == nil {
		st.Renditions = []status.Rendition{}
	}
}

// one returns a stream by a path that came from outside.
func (s *Server) one(path string, b base) (status.Stream, error) {
	if err := access.CheckPath(path); err != nil {
		return status.Stream{}, err
	}
	st, ok := s.cfg.Backend.Get(path)
	if !ok {
		return status.Stream{}, status.ErrNotFound
	}
	s.complete(&st, b)
	return st, nil
}

// forgetGone drops the audiences of streams that are no more.
func (s *Server) forgetGone() {
	paths := map[string]bool{}
	for _, st := range s.cfg.Backend.List() {
		paths[st.Path] = true
	}
	s.audiences.keep(paths)
}
