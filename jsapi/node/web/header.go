package web

import (
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// appendHeader adds names and values in turn.
func appendHeader(flat []any, h http.Header) []any {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			flat = append(flat, name, v)
		}
	}
	return flat
}

// headerOf is a header of names and values in turn.
func headerOf(flat []string) http.Header {
	h := make(http.Header, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		name := textproto.CanonicalMIMEHeaderKey(flat[i])
		h[name] = append(h[name], flat[i+1])
	}
	return h
}

// hasToken tells whether a comma-separated field names a token.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
