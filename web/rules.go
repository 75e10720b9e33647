package web

import (
	"strings"

	"github.com/millrace/millrace/internal/access"
)

// Rules are what of a Config may change while the server runs; its comments
// say what each means.
type Rules struct {
	Origins []string
	Proxies access.Proxies
	Token   string
	View    access.Rules
	App     bool // see Config.AppGuarded
}

// SetRules puts other rules into force: requests that come from here on are
// judged by them. It may be called from any goroutine.
func (s *Server) SetRules(r Rules) {
	in := &inForce{Rules: r, anyOrigin: r.Origins == nil}
	for _, origin := range r.Origins {
		in.anyOrigin = in.anyOrigin || origin == "*"
		in.origins = append(in.origins, strings.ToLower(strings.TrimSuffix(origin, "/")))
	}
	s.rules.Store(in)
}

// inForce are Rules, ready to be applied.
type inForce struct {
	Rules
	anyOrigin bool
	origins   []string // lower case, without a slash at the end
}
