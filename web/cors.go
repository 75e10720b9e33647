package web

import (
	"net/http"
	"slices"
	"strings"
)

// What pages of other origins may send and read when they play our media.
const (
	corsMethods = "GET, HEAD, OPTIONS"
	corsHeaders = "Range, Authorization, If-None-Match, If-Modified-Since, Content-Type, Cache-Control"
	corsExpose  = "Content-Length, Content-Range, Accept-Ranges, Date, Age, ETag, Last-Modified, Cache-Control"
)

// allowOrigin lets other origins' pages play: playback only, never the API.
// Credentials are not allowed: a token that a page knows, it can send itself.
func (s *Server) allowOrigin(h http.Header, r *http.Request) {
	rules := s.rules.Load()
	if rules.anyOrigin {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !slices.Contains(rules.origins, strings.ToLower(origin)) {
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
	}
	h.Set("Access-Control-Expose-Headers", corsExpose)
	h.Set("Timing-Allow-Origin", h.Get("Access-Control-Allow-Origin"))
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// preflight answers OPTIONS for playback, or for licenses.
func (s *Server) preflight(w http.ResponseWriter, license bool) {
	h, methods := w.Header(), corsMethods
	if license {
		methods = licenseMethods
	}
	h.Set("Allow", methods)
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "86400")
	}
	w.WriteHeader(http.StatusNoContent)
}
