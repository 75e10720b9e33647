package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Door decides about viewers beside the view rules.
type Door interface {
	// Asks reports whether there is anybody to ask. It must be quick.
	Asks() bool
	// Admit decides about a viewer who satisfies the rules, and returns the
	// path of the stream to be shown. An error that is no *NotAdmitted is one
	// of the server's.
	Admit(ctx context.Context, v Viewer) (path string, err error)
}

// Viewer is somebody who asks for a multivariant playlist.
type Viewer struct {
	Path      string // of the stream
	IP        string
	UserAgent string
	Query     url.Values
	Local     bool // on this machine
}

// NotAdmitted is a Door's no.
type NotAdmitted struct {
	Status int // of HTTP
	Reason string
}

func (n *NotAdmitted) Error() string { return n.Reason }

// What a viewer begins with: the multivariant playlists, of the live stream or
// a recording and of what one may seek back in, and the MPD.
const (
	multivariantName = "index.m3u8"
	longName         = "dvr.m3u8"
	manifestName     = "manifest.mpd"
)

// cutMultivariant takes the name of a multivariant playlist, or of an MPD, off
// a path.
func cutMultivariant(p string) (stream, name string, ok bool) {
	for _, name := range []string{multivariantName, longName, manifestName} {
		if stream, ok := strings.CutSuffix(p, "/"+name); ok {
			return stream, name, true
		}
	}
	return p, "", false
}

// entrance is who a playback request is for, once it was let in.
type entrance struct {
	play    Playback
	found   bool
	rest    string // what follows the stream's path
	token   string // tells viewers apart; empty for address and user agent
	private bool   // the answer is for this viewer only
	ticket  bool   // the playlist must carry a ticket
	rule    string // key of the view rule that let the viewer in
}

// enter decides about a playback request for p, which ticket precedes in the
// URL where it is not empty.
func (s *Server) enter(r *http.Request, ticketText, p string, recorded bool) (entrance, *Problem) {
	play, found := s.find(p, recorded)
	e := entrance{play: play, found: found, rest: strings.TrimPrefix(strings.TrimPrefix(p, play.place()), "/")}
	if ticketText != "" {
		return e, s.enterByTicket(&e, ticketText)
	}
	guard := p
	if found {
		guard = play.Path
	}
	var refused *Problem
	if e.token, e.private, refused = s.admitView(r, guard, found); refused != nil {
		return e, refused
	}
	e.rule = e.token
	asks := s.cfg.Door != nil && s.cfg.Door.Asks()
	stream, name, first := cutMultivariant(p)
	first = first && (!found && !recorded || found && e.rest == name)
	if found {
		stream = play.Path
	}
	switch {
	case asks && first:
		return e, s.ask(r, &e, stream, name)
	case asks && found:
		return e, problem(http.StatusForbidden, "no_ticket", "the app decides who may watch this",
			"begin with "+play.base()+multivariantName+" and follow its URLs")
	}
	e.ticket = first && e.private
	return e, nil
}

func (s *Server) enterByTicket(e *entrance, text string) *Problem {
	if !e.found {
		return nil // nothing to be seen, whoever asks
	}
	k, ok := s.tickets.open(text, e.play.Path, s.audiences.now())
	if !ok || !s.holds(k, e.play.Path) {
		return problem(http.StatusForbidden, "bad_ticket", "this URL is no longer good",
			"begin again with "+e.play.base()+multivariantName)
	}
	e.token, e.private = text, true
	return nil
}

// ask has the door decide.
func (s *Server) ask(r *http.Request, e *entrance, stream, name string) *Problem {
	c := s.client(r)
	path, err := s.cfg.Door.Admit(r.Context(), Viewer{
		Path: stream, IP: c.Addr.String(), UserAgent: r.UserAgent(), Query: r.URL.Query(), Local: c.Loopback,
	})
	var no *NotAdmitted
	switch {
	case errors.As(err, &no):
		return problem(no.Status, codeOf(no.Status), no.Reason, "")
	case err != nil:
		return asProblem(err)
	}
	if path != e.play.Path && e.play.Recording != "" {
		return problem(http.StatusNotFound, "not_found", "the app shows another stream, of which this is no recording", "")
	}
	if path != e.play.Path || !e.found {
		e.play, e.found = s.cfg.Backend.Playback(path + "/" + name)
		e.found = e.found && e.play.Path == path
		e.rest, e.rule = name, s.ruleOf(path)
	}
	e.private, e.ticket = true, true
	return nil
}

// ruleOf is the key of a view rule that covers a path: who is sent there by
// the app needs none.
func (s *Server) ruleOf(path string) string {
	key := ""
	s.rules.Load().View.Decide(path, func(k string) bool {
		key = k
		return true
	})
	return key
}
