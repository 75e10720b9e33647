package check

import (
	"net/http"
	"strings"

	"github.com/millrace/millrace/packager/playlist"
)

// keyFaults break an encrypted presentation, each in one way.
var keyFaults = []fault{
	{rule: "keys-are-there", keys: true, handle: func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".key") {
				http.Error(w, "who are you?", http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		}
	}},
	{rule: "decrypts", keys: true, media: func(name string, b []byte) []byte {
		if isSegment(name) {
			return b[:len(b)-5]
		}
		return b
	}},
	{rule: "keys-stay", keys: true, plain: true, later: func(_ string, m *playlist.Media) {
		for i := range m.Segments {
			for n := range m.Segments[i].Keys {
				m.Segments[i].Keys[n].URI += "?later"
			}
		}
	}},
	{rule: "section-iv", keys: true, model: func(_ string, m *playlist.Media) {
		if s := &m.Segments[0]; s.Map != nil {
			s.Map.Keys, s.Keys = s.Keys, nil
		}
	}},
}
