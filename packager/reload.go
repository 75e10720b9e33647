package packager

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// directives are the delivery directives of a playlist request (RFC 8216bis
// §6.2.5).
type directives struct {
	blocks bool
	msn    uint64
	part   int // -1: the whole segment
	skip   bool
	dates  bool // skip date ranges too
}

// parseDirectives reads a query. What has nothing to do with directives is
// ignored.
func parseDirectives(query string) (d directives, err error) {
	d.part = -1
	if !strings.Contains(query, "_HLS_") {
		return d, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return d, errors.New("the query cannot be read")
	}
	if values.Has("_HLS_msn") {
		if d.msn, err = strconv.ParseUint(values.Get("_HLS_msn"), 10, 63); err != nil {
			return d, errors.New("_HLS_msn is not a media sequence number")
		}
		d.blocks = true
	}
	if values.Has("_HLS_part") {
		part, err := strconv.ParseUint(values.Get("_HLS_part"), 10, 31)
		switch {
		case err != nil:
			return d, errors.New("_HLS_part is not a part index")
		case !d.blocks:
			return d, errors.New("_HLS_part needs _HLS_msn")
		}
		d.part = int(part)
	}
	skip := values.Get("_HLS_skip")
	d.skip, d.dates = skip == "YES" || skip == "v2", skip == "v2"
	return d, nil
}

// tooFar says why nobody should wait for what a client asks for (§6.2.5.2).
func (w *window) tooFar(d directives) error {
	newest := w.open
	if newest == nil {
		newest = w.last()
	}
	if newest == nil {
		return nil
	}
	if d.msn > newest.number+2 {
		return fmt.Errorf("segment %d is more than two ahead of the newest one, %d", d.msn, newest.number)
	}
	limit := 3
	if w.target > 0 && w.target < time.Second {
		limit = int(3 * time.Second / w.target)
	}
	have := 0
	if d.msn == newest.number {
		have = len(newest.parts)
	}
	if d.msn >= newest.number && d.part >= have+limit {
		return fmt.Errorf("part %d of segment %d is too far ahead", d.part, d.msn)
	}
	return nil
}

// errLate is what ends a wait that took too long.
var errLate = errors.New("it did not come in time")

// errGone ends the wait of a client that has left.
var errGone = errors.New("nobody waits any more")

// await waits until a window has what is asked for, see window.has. late may
// be nil.
func (r *rendition) await(gone <-chan struct{}, late <-chan time.Time, msn uint64, part int) (*window, error) {
	return r.wait(gone, late, func(w *window) (bool, <-chan struct{}) {
		if part < 0 {
			return w.has(msn, part), w.segmented
		}
		return w.has(msn, part), w.changed
	})
}

// wait looks at each window until it is the wanted one; wanted tells by which
// of its channels the next look is due.
func (r *rendition) wait(gone <-chan struct{}, late <-chan time.Time, wanted func(*window) (bool, <-chan struct{})) (*window, error) {
	for {
		w := r.window.Load()
		if r.p.state.Load() == stateClosed {
			return nil, ErrClosed
		}
		ok, next := wanted(w)
		if ok {
			return w, nil
		}
		select {
		case <-next:
		case <-gone:
			return nil, errGone
		case <-late:
			return nil, errLate
		}
	}
}

// servePlaylist answers for a media playlist, which the name tells, at once or
// when what the client waits for is there.
func (r *rendition) servePlaylist(w http.ResponseWriter, req *http.Request, file string) {
	win := r.window.Load()
	if doc, _ := win.documents(file); doc == nil {
		notFound(w)
		return
	}
	cache := r.p.cacheMedia
	if r.p.cfg.LowLatency && !win.ended && (req.URL.RawQuery != "" || win.partsOnly()) {
		d, err := parseDirectives(req.URL.RawQuery)
		if err == nil && d.blocks {
			err = win.tooFar(d)
		}
		if err != nil {
			w.Header().Set("Cache-Control", cacheMissing)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !d.blocks && win.partsOnly() && !acceptsGzip(req.Header) {
			// Players that know parts take gzip (Apple 10.1). Others, ffmpeg
			// for one, give up on a playlist without a segment.
			d = directives{blocks: true, msn: win.open.number, part: -1}
		}
		if file == iframesFile || file == longIFramesFile {
			d.part = -1 // it has no parts; that of which they are counts
		}
		if d.blocks {
			cache = r.p.cacheBlocked
			if win = r.block(w, req, win, d); win == nil {
				return
			}
		}
		_, delta := win.documents(file)
		if d.dates && r.p.cfg.Markers {
			delta = win.datelessDelta(file)
		}
		if d.skip && delta != nil {
			servePlaylist(w, req, delta(), cache)
			return
		}
	}
	if doc, _ := win.documents(file); doc != nil {
		servePlaylist(w, req, doc(), cache)
	} else {
		notFound(w)
	}
}

// partsOnly reports whether there are parts but no segment yet.
func (w *window) partsOnly() bool { return w.listed == 0 && w.open != nil }

// documents are the playlist and its delta update, nil where there are none.
func (w *window) documents(file string) (doc, delta func() *document) {
	switch f := w.iframes; {
	case file == longFile:
		return w.longDoc, w.longDelta
	case file == mediaFile && w.doc != nil:
		return func() *document { return w.doc }, w.delta
	case file == iframesFile && f != nil:
		return f.doc, f.delta
	case file == longIFramesFile && f != nil:
		return f.longDoc, f.longDelta
	}
	return nil, nil
}

// block waits for what a request asks for, at most three target durations. It
// returns nil where the answer was given, or nobody wants one any more.
func (r *rendition) block(w http.ResponseWriter, req *http.Request, win *window, d directives) *window {
	if win.has(d.msn, d.part) {
		return win
	}
	late := time.NewTimer(holdBackTargets * r.p.target)
	defer late.Stop()
	win, err := r.await(req.Context().Done(), late.C, d.msn, d.part)
	if err != nil {
		unavailable(w, err)
		return nil
	}
	return win
}

// unavailable answers a request that was waited with in vain.
func unavailable(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errGone):
	case errors.Is(err, ErrClosed):
		notFound(w)
	default:
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "no new media within three target durations", http.StatusServiceUnavailable)
	}
}

// datelessDelta is the delta update without older date ranges, nil where there
// is none.
func (w *window) datelessDelta(file string) func() *document {
	switch f := w.iframes; {
	case file == longFile:
		return w.longDeltaDates
	case file == mediaFile:
		return w.deltaDates
	case file == iframesFile && f != nil:
		return f.deltaDates
	case file == longIFramesFile && f != nil:
		return f.longDeltaDates
	}
	return nil
}
