package recording

import (
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/webvtt"
)

// What a cache may do: media never changes, playlists are gone when somebody
// removes the recording.
const (
	cacheForever  = "public, max-age=31536000, immutable"
	cachePlaylist = "public, max-age=60"
	cacheKey      = "no-store"
	cacheMissing  = "public, max-age=1"
)

// Find returns the recording that a path, {stream}/{id}/…, is in: its stream's
// path, its ID and what serves the rest of the path.
func (l *Library) Find(urlPath string) (streamPath, id string, h http.Handler, ok bool) {
	for at := len(urlPath); ; {
		i := strings.LastIndexByte(urlPath[:at], '/')
		if i < 0 {
			return "", "", nil, false
		}
		at = i
		streamPath, id = path.Split(urlPath[:at])
		streamPath = strings.Trim(streamPath, "/")
		if e := l.get(streamPath, id); e != nil {
			return streamPath, id, e, true
		}
	}
}

// ServeHTTP serves a recording; the URL's path is relative to it.
func (e *entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	e.lib.mu.Lock()
	writing := e.Writing
	e.lib.mu.Unlock()
	if writing {
		h.Set("Cache-Control", cacheMissing)
		http.Error(w, "this is being recorded; it can be played when it is finished", http.StatusNotFound)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == clip.File {
		e.serveClip(w, r)
		return
	}
	if e.serveStory(w, r, name) {
		return
	}
	kind, cache := kindOf(name)
	f, err := e.open(name, kind)
	if err != nil {
		h.Set("Cache-Control", cacheMissing)
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	defer f.Close()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// kindOf tells the type of a file by its name; none for what is not served.
func kindOf(name string) (kind, cache string) {
	base := path.Base(name)
	switch {
	case base == indexFile, base == iframesFile:
		return "application/vnd.apple.mpegurl", cachePlaylist
	case strings.HasPrefix(base, "."):
	case name == base && strings.HasSuffix(base, keySuffix):
		return "application/octet-stream", cacheKey
	case strings.HasSuffix(base, ".ts"):
		return "video/mp2t", cacheForever
	case strings.HasSuffix(base, ".vtt"):
		return webvtt.ContentType, cacheForever
	case strings.HasSuffix(base, ".m4s"), strings.HasPrefix(base, "init-") && strings.HasSuffix(base, ".mp4"):
		return "video/mp4", cacheForever
	}
	return "", ""
}

// open opens a file that is a recording's own: nothing outside of its folder,
// whatever the name is.
func (e *entry) open(name, kind string) (*os.File, error) {
	if kind == "" || strings.Count(name, "/") > 1 {
		return nil, os.ErrNotExist
	}
	root, err := os.OpenRoot(string(e.folder))
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	return root.Open(name)
}
