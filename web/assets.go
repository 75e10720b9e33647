package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// The front-end is built by Vite into ui/dist. The folder holds a placeholder,
// so that this package compiles where it was not built.
//
//go:embed all:ui/dist
var dist embed.FS

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Millrace</title>` +
	`<h1>The UI is not built</h1><p>Run <code>make ui</code>, then build the server again. ` +
	`The API, playback and everything else work without it.</p></html>`

// Content security policies. No page runs a script that is not a file of ours.
const (
	consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
		"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	// The player may be framed by anybody. media-chrome writes the styles of
	// its shadow trees inline, and hls.js feeds the video through blob URLs
	// and demuxes in a blob worker.
	watchPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; " +
		"media-src 'self' blob: data:; worker-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors *"
)

// assets are the embedded files, ready to be sent.
type assets struct{ files map[string]*file }

type file struct {
	contentType string
	plain       []byte
	gzip        func() []byte // made when first asked for; nil where it would not help
	etag        string
	immutable   bool // its name carries its hash
}

// embeddedUI is the same for every Server.
var embeddedUI = sync.OnceValues(func() (*assets, error) {
	root, err := fs.Sub(dist, "ui/dist")
	if err != nil {
		return nil, fmt.Errorf("open embedded files: %w", err)
	}
	return loadAssets(root)
})

func loadAssets(root fs.FS) (*assets, error) {
	a := &assets{files: map[string]*file{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		a.files[name] = newFile(name, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("walk: %w", err)
	}
	return a, nil
}

func newFile(name string, b []byte) *file {
	sum := sha256.Sum256(b)
	f := &file{
		plain: b, etag: `"` + hex.EncodeToString(sum[:8]) + `"`,
		contentType: orElse(mime.TypeByExtension(path.Ext(name)), "application/octet-stream"),
		// Vite names what it bundles NAME-HASH.EXT.
		immutable: strings.HasPrefix(name, "assets/") && strings.Contains(path.Base(name), "-"),
	}
	f.gzip = sync.OnceValue(func() []byte { return compress(b) })
	return f
}

func compress(b []byte) []byte {
	var zipped bytes.Buffer
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // fails on a bad level only
	_, _ = z.Write(b)                                          // memory takes everything
	_ = z.Close()
	if zipped.Len() > len(b)*9/10 {
		return nil
	}
	return zipped.Bytes()
}

// asset answers the files that pages load.
func (s *Server) asset(c echo.Context) error {
	f := s.ui.files[strings.TrimPrefix(c.Request().URL.Path, "/")]
	if f == nil {
		return echo.ErrNotFound
	}
	control := "max-age=60"
	if f.immutable {
		control = "public, max-age=31536000, immutable"
	}
	return f.send(c, http.StatusOK, control)
}

func (f *file) send(c echo.Context, code int, control string) error {
	h := c.Response().Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", control)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if code == http.StatusOK && etagMatches(c.Request().Header.Get("If-None-Match"), f.etag) {
		return c.NoContent(http.StatusNotModified)
	}
	body := f.plain
	if acceptsGzip(c.Request().Header.Get("Accept-Encoding")) {
		if zipped := f.gzip(); zipped != nil {
			h.Set("Content-Encoding", "gzip")
			body = zipped
		}
	}
	return c.Blob(code, f.contentType, body)
}

// acceptsGzip reads Accept-Encoding well enough: gzip named and not refused.
func acceptsGzip(header string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

func pageHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}

// page answers an HTML file of the UI, or says how to get one.
func (s *Server) page(c echo.Context, code int, name, policy string) error {
	pageHeaders(c.Response().Header(), policy)
	f := s.ui.files[name]
	if f == nil {
		return c.HTML(http.StatusNotFound, notBuilt)
	}
	return f.send(c, code, "private, no-cache") // it may carry a viewer's cookie
}

func (s *Server) console(c echo.Context) error {
	return s.page(c, http.StatusOK, "index.html", consolePolicy)
}
