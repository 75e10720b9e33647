package storyboard

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// patience is how long a sheet may take.
const patience = 20 * time.Second

// ContentType is that of File.
const ContentType = "text/vtt; charset=utf-8"

// Serve answers GET and HEAD of a sheet. A sheet that may still change is kept
// for a moment, others for an hour.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, b *Board, number uint64) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	text, final, err := s.Sheet(ctx, b, number)
	h := w.Header()
	switch {
	case errors.Is(err, ErrNoSheet):
		h.Set("Cache-Control", "public, max-age=1")
		http.Error(w, "not found", http.StatusNotFound)
		return
	case err != nil:
		h.Set("Cache-Control", "no-store")
		h.Set("Retry-After", "5")
		http.Error(w, "the pictures cannot be made in time", http.StatusServiceUnavailable)
		return
	}
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "public, max-age=5")
	if final {
		h.Set("Cache-Control", "public, max-age=3600")
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the client may be gone
	}
}
