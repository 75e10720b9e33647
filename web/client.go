package web

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/millrace/millrace/internal/access"
)

// viewCookie carries a view token for players that can send neither header
// nor query (native HLS). It is set by the player page only: media GETs have
// no side effects, so that a CDN may stand in front of them.
const viewCookie = "millrace_view"

// client judges who sent r; see access.Client.
func (s *Server) client(r *http.Request) access.Client {
	c := s.rules.Load().Proxies.Client(r)
	if c.Loopback && s.cfg.NoLoopback {
		c.Loopback = false
		c.Reason = "this server was told that nobody is"
	}
	return c
}

// admitAPI decides whether r may use the API: from loopback, or with the
// token. A token that is wrong is refused from loopback too, since whoever
// sends one wants to know.
func (s *Server) admitAPI(r *http.Request) *Problem {
	if token := apiToken(r); token != "" {
		if access.Equal(s.rules.Load().Token, token) {
			return nil
		}
		return problem(http.StatusUnauthorized, "wrong_token", "the API token is wrong", "the right one is auth.api.token in the server's config")
	}
	c := s.client(r)
	if c.Loopback {
		return nil
	}
	if s.rules.Load().Token == "" {
		return problem(http.StatusForbidden, "loopback_only",
			"the API answers this machine only, and this request does not count as local: "+c.Reason,
			"set auth.api.token in the server's config and send it as 'Authorization: Bearer TOKEN'")
	}
	return problem(http.StatusUnauthorized, "token_needed",
		"the API needs a token, since this request does not count as local: "+c.Reason,
		"send it as 'Authorization: Bearer TOKEN'")
}

// apiToken takes the token from the Authorization header or, for WebSockets
// of browsers, which cannot set one, from a subprotocol "bearer.BASE64URL".
// Never from the URL: URLs end up in logs, histories and Referers.
func apiToken(r *http.Request) string {
	if token, ok := bearer(r); ok {
		return token
	}
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for item := range strings.SplitSeq(line, ",") {
			encoded, ok := strings.CutPrefix(strings.TrimSpace(item), "bearer.")
			if !ok {
				continue
			}
			if token, err := base64.RawURLEncoding.DecodeString(encoded); err == nil && len(token) > 0 {
				return string(token)
			}
			return "\x00" // offered, but no token: it must not pass as "none"
		}
	}
	return ""
}

// bearer takes the token from the Authorization header. Any other scheme, and
// an empty token, is a token that nobody has, rather than none.
func bearer(r *http.Request) (token string, offered bool) {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "bearer") || token == "" {
		return "\x00", true
	}
	return token, true
}

// viewToken takes a view token from the query, the header or the cookie, in
// that order; empty where none was sent.
func viewToken(r *http.Request) string {
	if r.URL.RawQuery != "" {
		if token := r.URL.Query().Get("token"); token != "" {
			return token
		}
	}
	if token, ok := bearer(r); ok {
		return token
	}
	if c, err := r.Cookie(viewCookie); err == nil {
		return c.Value
	}
	return ""
}

// admitView decides whether r may watch. path is the stream's where there is
// one; else what the URL asks for, and then a rule that covers any leading part of it
// must be satisfied first, so that nobody learns which guarded streams exist.
// token is what let the viewer in, empty where nothing guards the stream.
func (s *Server) admitView(r *http.Request, path string, exists bool) (token string, guarded bool, refused *Problem) {
	view := s.rules.Load().View
	if len(view) == 0 {
		return "", false, nil
	}
	guard := path
	if !exists {
		guard = ""
		for i := 0; i <= len(path) && guard == ""; i++ {
			if (i == len(path) || path[i] == '/') && view.Cover(path[:i]) {
				guard = path[:i]
			}
		}
	}
	if guard == "" || !view.Cover(guard) {
		return "", false, nil
	}
	token = viewToken(r)
	switch view.Decide(guard, access.Is(token)) {
	case access.Allowed:
		return token, true, nil
	case access.WrongKey:
		return "", true, problem(http.StatusForbidden, "wrong_token", "this token does not open this stream", "")
	default:
		return "", true, problem(http.StatusUnauthorized, "token_needed", "this stream needs a token", "append ?token=TOKEN, or send 'Authorization: Bearer TOKEN'")
	}
}
