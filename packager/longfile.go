package packager

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

// serveLong answers for the multivariant playlist of the long media playlists.
// The query's start says where players should begin: how many seconds before
// the live edge, or a date as RFC 3339 writes it.
func (p *Presentation) serveLong(w http.ResponseWriter, r *http.Request, doc *document) {
	text := []byte(longURIs.Replace(string(doc.text)))
	if start := r.URL.Query().Get("start"); start != "" {
		back, err := readStart(start, time.Now())
		if err != nil {
			w.Header().Set("Cache-Control", cacheMissing)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if back = min(back, p.cfg.DVR); back > 0 {
			// §4.4.2.2: from the end of the playlist.
			s := playlist.Start{TimeOffset: -back, Precise: true}
			head := bytes.IndexByte(text, '\n') + 1
			text = append(s.Append(bytes.Clone(text[:head])), text[head:]...)
		}
	}
	servePlaylist(w, r, newDocument(text), p.cacheMulti)
}

// readStart is how far before now a player should begin.
func readStart(s string, now time.Time) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if seconds != seconds || max(seconds, -seconds) > 366*24*3600 {
			return 0, errors.New("start is too far away")
		}
		return time.Duration(max(seconds, -seconds) * float64(time.Second)), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, errors.New("start is neither seconds before now nor a date like 2026-01-31T20:15:00Z")
	}
	return max(now.Sub(at), 0), nil
}
