package packager

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/webvtt"
)

// Names of playlists, at both levels.
const (
	mediaFile = "index.m3u8"
	longFile  = "dvr.m3u8"
)

// What a CDN may do with each kind of answer. Segments and initialization
// sections are named by number and by content, so they never change. A media
// playlist may be as old as half a segment, the multivariant one as old as a
// segment, and that something is missing is remembered for a moment only.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheMissing = "public, max-age=1"
)

// Content types (RFC 8216bis §4, Apple 10.4). Segments have the type of their
// initialization section: every player and cache knows video/mp4, not all know
// video/iso.segment. The slices are shared by all answers.
var (
	typePlaylist  = []string{"application/vnd.apple.mpegurl"}
	typeVideo     = []string{"video/mp4"}
	typeAudio     = []string{"audio/mp4"}
	typeTS        = []string{"video/mp2t"}
	typeSubtitles = []string{webvtt.ContentType}
	varyEncoding  = []string{"Accept-Encoding"}
	encodingGzip  = []string{"gzip"}
	acceptBytes   = []string{"bytes"}
	forever       = []string{cacheForever}
)

// ServeHTTP serves the presentation. The URL's path is relative to the
// stream: index.m3u8, {key}.key, {rendition}/index.m3u8, {rendition}/iframes.m3u8, {rendition}/{number}.m4s,
// {rendition}/part{serial}.m4s and {rendition}/init-{hash}.mp4, in TS .ts and no
// initialization sections, for subtitles .vtt; anything else is 404. It answers GET and HEAD, ranges of media, gzip for playlists, and
// where latency is low the delivery directives of RFC 8216bis §6.2.5, and POST
// of LicenseFile. Media goes out by sendfile where w
// is net/http's own HTTP/1 writer, which a wrapper hides unless it passes
// ReadFrom through.
func (p *Presentation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.TrimPrefix(r.URL.Path, "/") == LicenseFile {
		p.requests.Add(1)
		p.serveLicense(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	p.requests.Add(1)
	name, file, inside := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !inside {
		p.serveMultivariant(w, r, name)
		return
	}
	rend := (*p.names.Load())[name]
	if rend == nil {
		notFound(w)
		return
	}
	rend.serve(w, r, file)
}

// serveMultivariant answers for what stands beside the renditions.
func (p *Presentation) serveMultivariant(w http.ResponseWriter, r *http.Request, name string) {
	doc := p.multi.Load()
	switch {
	case doc != nil && name == mediaFile:
		servePlaylist(w, r, doc, p.cacheMulti)
	case doc != nil && name == longFile && p.cfg.DVR > 0:
		p.serveLong(w, r, doc)
	case name == manifestFile:
		p.serveManifest(w, r, doc)
	case name == clockFile:
		serveClock(w, r)
	case doc != nil && name == clip.File:
		p.serveClip(w, r)
	case strings.HasSuffix(name, keySuffix):
		p.serveKey(w, r, strings.TrimSuffix(name, keySuffix))
	case doc != nil && p.serveStory(w, r, name):
	default:
		notFound(w)
	}
}

// serve answers for one rendition.
func (r *rendition) serve(w http.ResponseWriter, req *http.Request, file string) {
	win := r.window.Load()
	switch file {
	case mediaFile, longFile, iframesFile, longIFramesFile:
		r.servePlaylist(w, req, file)
		return
	}
	if base, ok := strings.CutSuffix(file, r.extension()); ok {
		if serial, isPart := strings.CutPrefix(base, "part"); isPart {
			if n, ok := readNumber(serial); ok && r.p.cfg.LowLatency {
				r.servePart(w, req, n)
				return
			}
		} else if number, ok := readNumber(base); ok {
			if s := win.segment(number); s != nil {
				r.serveSegment(w, req, s)
				return
			}
			if s := win.open; s != nil && s.number == number && r.p.cfg.LowLatency && r.text == nil {
				r.serveOpen(w, req, s)
				return
			}
		}
	}
	for _, section := range win.inits {
		if section.name == file && !section.inBand {
			r.mediaHeader(w.Header())
			http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(section.bytes))
			return
		}
	}
	notFound(w)
}

// readNumber reads a media sequence number as it is written in URLs: "07" is
// not another name of 7.
func readNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && (s[0] != '0' || s == "0")
}

func (r *rendition) mediaHeader(h http.Header) {
	switch {
	case r.text != nil:
		h["Content-Type"] = typeSubtitles
	case r.p.cfg.Container == TS:
		h["Content-Type"] = typeTS
	case r.kind == media.Audio:
		h["Content-Type"] = typeAudio
	default:
		h["Content-Type"] = typeVideo
	}
	h["Cache-Control"] = forever
	h["Accept-Ranges"] = acceptBytes
}

// serveSegment sends a segment's file, whole or in part.
func (r *rendition) serveSegment(w http.ResponseWriter, req *http.Request, s *segment) {
	if s.text != nil {
		serveText(w, req, s.text, typeSubtitles, forever)
		return
	}
	f, err := s.file.Open()
	if err != nil {
		// It was removed between the look-up and now.
		notFound(w)
		return
	}
	defer f.Release()
	r.send(w, req, f, s.size, s.length)
}

// send answers with a file, whole or a range of it.
func (r *rendition) send(w http.ResponseWriter, req *http.Request, f io.ReadSeeker, size int64, length []string) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		notFound(w)
		return
	}
	h := w.Header()
	r.mediaHeader(h)
	if req.Header["Range"] != nil {
		counted := &countingWriter{ResponseWriter: w}
		http.ServeContent(counted, req, "", time.Time{}, f)
		r.p.bytesOut.Add(uint64(counted.n))
		return
	}
	h["Content-Length"] = length
	if req.Method == http.MethodHead {
		return
	}
	n, _ := io.CopyN(w, f, size) // an error means that the client is gone
	r.p.bytesOut.Add(uint64(n))
}

// countingWriter counts the body and keeps sendfile.
type countingWriter struct {
	http.ResponseWriter
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += int64(n)
	return n, err
}

func (c *countingWriter) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(c.ResponseWriter, src)
	c.n += n
	return n, err
}

// servePlaylist sends a playlist's text.
func servePlaylist(w http.ResponseWriter, r *http.Request, doc *document, cache []string) {
	serveText(w, r, doc, typePlaylist, cache)
}

// serveText sends a text, compressed for who accepts that.
func serveText(w http.ResponseWriter, r *http.Request, doc *document, kind, cache []string) {
	h := w.Header()
	h["Content-Type"] = kind
	h["Cache-Control"] = cache
	h["Vary"] = varyEncoding
	if acceptsGzip(r.Header) {
		h["Content-Encoding"] = encodingGzip
		doc = doc.zipped()
	}
	h["Content-Length"] = doc.length
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(doc.text) // an error means that the client is gone
}

// maxAge is the value of Cache-Control for something that may be so old, in
// whole seconds and at least one.
func maxAge(d time.Duration) []string {
	return []string{"public, max-age=" + strconv.Itoa(max(int(d/time.Second), 1))}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(h http.Header) bool {
	star := false
	for _, line := range h["Accept-Encoding"] {
		for line != "" {
			var item string
			item, line, _ = strings.Cut(line, ",")
			coding, weight, _ := strings.Cut(item, ";")
			ok := !refused(weight)
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				return ok
			case "*":
				star = ok
			}
		}
	}
	return star
}

// refused reports whether a weight is zero.
func refused(weight string) bool {
	name, q, ok := strings.Cut(strings.TrimSpace(weight), "=")
	if !ok || strings.TrimSpace(strings.ToLower(name)) != "q" {
		return false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
	return err == nil && v == 0
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", cacheMissing)
	http.Error(w, "not found", http.StatusNotFound)
}
