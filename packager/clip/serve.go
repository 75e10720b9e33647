package clip

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// File is the name of clips beside a multivariant playlist.
const File = "clip.mp4"

// maxAtOnce is how many clips of one presentation are cut at a time: each holds
// a segment of each track in memory.
const maxAtOnce = 8

// ErrNoRendition says that there is no rendition of that name.
var ErrNoRendition = errors.New("no such rendition")

// Server answers requests for clips of one presentation. The zero value is
// usable.
type Server struct{ busy chan struct{} }

// NewServer makes one.
func NewServer() *Server { return &Server{make(chan struct{}, maxAtOnce)} }

// Serve answers GET and HEAD of clip.mp4?from=…&to=…. find returns the tracks
// of a rendition, or of the best one where the name is empty, with the sound
// that belongs to it. end is what seconds count back from, and where a clip
// ends that names no end.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, end time.Time, find func(rendition string) ([]Track, error)) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	q := r.URL.Query()
	from, to, err := span(q, end)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	tracks, err := find(q.Get("rendition"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		h.Set("Retry-After", "5")
		http.Error(w, "too many clips are being cut; try again later", http.StatusServiceUnavailable)
		return
	}
	c, err := Cut(tracks, from, to)
	if err != nil {
		refuse(w, err, tracks)
		return
	}
	h.Set("Content-Type", "video/mp4")
	h.Set("Accept-Ranges", "none")
	h.Set("Content-Disposition", `attachment; filename="clip-`+c.Start.UTC().Format("2006-01-02T15-04-05Z")+`.mp4"`)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := c.WriteTo(w); err != nil {
		// Nobody is to take a part for the whole.
		panic(http.ErrAbortHandler)
	}
}

func refuse(w http.ResponseWriter, err error, tracks []Track) {
	status, text := http.StatusNotFound, "the media cannot be read any more" // it has left the window meanwhile
	switch {
	case errors.Is(err, ErrTooLong):
		status, text = http.StatusBadRequest, err.Error()
	case errors.Is(err, ErrChanges):
		status, text = http.StatusConflict, err.Error()
	case errors.Is(err, ErrNothing):
		status, text = http.StatusRequestedRangeNotSatisfiable, err.Error()
		if len(tracks) > 0 && len(tracks[0].Segments) > 0 {
			all := tracks[0].Segments
			text += fmt.Sprintf("; it lasts from %s to %s", all[0].Start.UTC().Format(time.RFC3339), all[len(all)-1].end().UTC().Format(time.RFC3339))
		}
	}
	http.Error(w, text, status)
}

// span reads from and to.
func span(q url.Values, end time.Time) (from, to time.Time, err error) {
	if !q.Has("from") {
		return from, to, errors.New("from is missing: " + meaning)
	}
	if from, err = moment(q.Get("from"), end); err != nil {
		return from, to, fmt.Errorf("from %w", err)
	}
	to = end
	if q.Has("to") {
		if to, err = moment(q.Get("to"), end); err != nil {
			return from, to, fmt.Errorf("to %w", err)
		}
	}
	if !from.Before(to) {
		return from, to, errors.New("from is not before to")
	}
	return from, to, nil
}

const meaning = "seconds before the end, or a date like 2026-01-31T20:15:00Z"

// moment reads a point in time: seconds before end, or RFC 3339.
func moment(s string, end time.Time) (time.Time, error) {
	if back, err := strconv.ParseFloat(s, 64); err == nil {
		if back != back || back < 0 || back > 366*24*3600 {
			return time.Time{}, errors.New("is out of range: " + meaning)
		}
		return end.Add(-time.Duration(back * float64(time.Second))), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errors.New("is neither " + meaning)
	}
	return t, nil
}
