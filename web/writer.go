package web

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// writer stands between a media handler and net/http only where it has to: on
// HTTP/2, where the connection cannot tell one answer's bytes from another's,
// and for guarded streams, whose answers no shared cache may keep. It passes
// ReadFrom on, so that sendfile works through it where it works at all.
type writer struct {
	http.ResponseWriter
	sent    *atomic.Uint64 // nil: counted elsewhere
	private bool
	wrote   bool
}

func (w *writer) WriteHeader(code int) {
	if w.private && !w.wrote && code >= 200 {
		h := w.Header()
		h.Set("Cache-Control", privateCache(h.Get("Cache-Control")))
		h.Add("Vary", "Authorization, Cookie")
	}
	w.wrote = w.wrote || code >= 200
	w.ResponseWriter.WriteHeader(code)
}

func (w *writer) Write(b []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.count(int64(n))
	return n, err
}

func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.count(n)
	return n, err
}

func (w *writer) count(n int64) {
	if w.sent != nil && n > 0 {
		w.sent.Add(uint64(n))
	}
}

// Flush is for handlers that ask for http.Flusher; others use Unwrap.
func (w *writer) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // unsupported: nothing to flush

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// privateCache keeps how long something may be kept and takes away that
// everybody may keep it.
func privateCache(control string) string {
	kept := []string{"private"}
	for directive := range strings.SplitSeq(control, ",") {
		directive = strings.TrimSpace(directive)
		name, _, _ := strings.Cut(strings.ToLower(directive), "=")
		switch name {
		case "", "public", "private", "s-maxage":
		default:
			kept = append(kept, directive)
		}
	}
	return strings.Join(kept, ", ")
}
