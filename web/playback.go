package web

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/access"
)

// Where live streams are played: the same segments, by playlists and by an MPD.
const (
	hlsPrefix  = "/hls/"
	dashPrefix = "/dash/"
)

// isPlayback reports whether playback serves a URL.
func isPlayback(path string) bool {
	for _, prefix := range []string{hlsPrefix, dashPrefix, recordedPrefix, ticketPrefix} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// playback serves what isPlayback says. It runs before echo, and hands the packager the very
// http.ResponseWriter of net/http: echo's has no ReadFrom, so that every
// segment would be copied through this process instead of sent by sendfile.
func (s *Server) playback(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	s.allowOrigin(w.Header(), r)
	license := isLicense(r.URL.Path)
	switch {
	case r.Method == http.MethodOptions:
		s.preflight(w, license)
		return
	case r.Method == http.MethodPost && license:
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", corsMethods)
		writeProblem(w, r, problem(http.StatusMethodNotAllowed, "method_not_allowed", "playback is GET and HEAD", ""))
		return
	}
	ticketText, below := cutTicket(r.URL.Path)
	recorded, prefix := strings.HasPrefix(below, recordedPrefix), hlsPrefix
	switch {
	case recorded:
		prefix = recordedPrefix
	case strings.HasPrefix(below, dashPrefix):
		prefix = dashPrefix
	}
	if ticketText != "" {
		prefix = ticketPrefix + ticketText + prefix
	}
	p, refused := mediaPath(r.URL, prefix)
	if refused != nil {
		writeProblem(w, r, refused)
		return
	}
	e, refused := s.enter(r, ticketText, p, recorded)
	if refused != nil {
		writeProblem(w, r, refused)
		return
	}
	play, rest := e.play, e.rest
	if !e.found || rest == "" {
		w.Header().Set("Cache-Control", "max-age=1")
		writeProblem(w, r, s.noPlayback(p, e.found, recorded))
		return
	}
	inner := *r
	inner.URL = &url.URL{Path: rest, RawQuery: r.URL.RawQuery}
	counted := s.meter(w, r, s.count(r, &e), e.private)
	defer func() { // also when the handler aborts the answer by a panic
		counted.done()
		s.metrics.playback(kindOf(rest), time.Since(started))
	}()
	if counted.conn != nil && kindOf(rest) == "segment" {
		counted.conn.cork(1)
		defer counted.conn.cork(0)
	}
	if e.ticket || play.Licensed && rest == manifestName {
		s.rewritten(counted.w, &inner, &e, s.baseOf(r), ticketText)
		return
	}
	if r.Method == http.MethodPost {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTimeout)) // a license is asked for in a few bytes
	}
	play.Handler.ServeHTTP(counted.w, &inner)
}

// count counts a viewer of a live stream, and returns what counts the bytes.
func (s *Server) count(r *http.Request, e *entrance) *atomic.Uint64 {
	if e.play.Recording != "" {
		return &s.replayed
	}
	client := s.client(r)
	one, first := s.audiences.of(e.play.Path)
	if first {
		s.forgetGone()
	}
	if !e.ticket { // else the viewer is who uses the ticket
		s.audiences.see(one, s.audiences.key(e.token, client.Addr, r.UserAgent()), e.play.Target, viewerOf(client, r))
	}
	return &one.sent
}

// mediaPath takes the part of a URL that names a stream and what is below it.
// Only the plain form of a path is served, so that a cache or proxy in front
// and this server never disagree about what a URL means.
func mediaPath(u *url.URL, prefix string) (string, *Problem) {
	p := strings.TrimPrefix(u.Path, prefix)
	if strings.ContainsRune(u.EscapedPath(), '%') {
		return "", problem(http.StatusBadRequest, "bad_path", "bad path: nothing in it may be percent-encoded", "")
	}
	if len(p) > 2*access.MaxPathLength {
		return "", problem(http.StatusBadRequest, "bad_path", "bad path: too long", "")
	}
	if err := access.CheckElements(p); err != nil {
		return "", asProblem(err)
	}
	return p, nil
}

// noPlayback says in words why there is nothing to play.
func (s *Server) noPlayback(p string, found, recorded bool) *Problem {
	switch {
	case recorded && found:
		return problem(http.StatusNotFound, "not_found", "this is a recording, not a file", "its playlist is /rec/"+p+"/index.m3u8")
	case recorded:
		return problem(http.StatusNotFound, "not_found", "there is no such recording", "the API lists them: "+apiPrefix+"/recordings")
	case found:
		return problem(http.StatusNotFound, "not_found", "this is a stream, not a file", "its playlist is "+hlsPrefix+p+"/"+multivariantName)
	}
	return problem(http.StatusNotFound, "not_found", "nothing is published here", fmt.Sprintf("waiting for a publisher of %q", path.Dir(p)))
}

// kindOf sorts playback requests for the metrics.
func kindOf(rest string) string {
	if strings.HasSuffix(rest, ".m3u8") || strings.HasSuffix(rest, ".mpd") {
		return "playlist"
	}
	return "segment"
}

// metered counts what one answer sends.
type metered struct {
	w     http.ResponseWriter
	conn  *conn
	since uint64
	sent  *atomic.Uint64
}

// meter chooses how to count: by the connection on HTTP/1, exact but for what
// net/http still buffers at the end (at most 4 KiB, counted with the next
// answer), by a writer on HTTP/2.
func (s *Server) meter(w http.ResponseWriter, r *http.Request, sent *atomic.Uint64, private bool) metered {
	m := metered{w: w, sent: sent}
	if r.ProtoMajor == 1 {
		if m.conn = connOf(r.Context()); m.conn != nil {
			m.since = m.conn.sent.Load()
		}
	}
	switch {
	case m.conn == nil:
		m.w = &writer{ResponseWriter: w, sent: sent, private: private}
	case private:
		m.w = &writer{ResponseWriter: w, private: true}
	}
	return m
}

func (m metered) done() {
	if m.conn != nil {
		m.sent.Add(m.conn.sent.Load() - m.since)
	}
}
