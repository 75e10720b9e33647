package recording

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/storyboard"
)

// stories is what draws the storyboard of one recording, nil where nobody makes
// pictures.
func (l *Library) stories() *storyboard.Server {
	if l.picture == nil {
		return nil
	}
	return storyboard.NewServer(l.picture)
}

// serveStory answers for the storyboard, and reports false where name is none
// of its files, or there is none.
func (e *entry) serveStory(w http.ResponseWriter, r *http.Request, name string) bool {
	number, sheet := storyboard.SheetNumber(name)
	if e.story == nil || !sheet && name != storyboard.File {
		return false
	}
	b, err := e.board()
	switch {
	case err != nil:
		return false
	case sheet:
		e.story.Serve(w, r, b, number)
	default:
		text := b.VTT()
		h := w.Header()
		h.Set("Content-Type", storyboard.ContentType)
		h.Set("Cache-Control", cachePlaylist)
		h.Set("Content-Length", strconv.Itoa(len(text)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(text) // the client may be gone
		}
	}
	return true
}

// board reads what pictures can be made of: the smallest of the I-frame
// playlists.
func (e *entry) board() (*storyboard.Board, error) {
	text, err := os.ReadFile(e.folder.of(indexFile))
	if err != nil {
		return nil, err
	}
	multi, err := playlist.ParseMultivariant(string(text))
	if err != nil {
		return nil, err
	}
	var lead *playlist.Variant
	for i := range multi.IFrames {
		if v := &multi.IFrames[i]; lead == nil || v.Height < lead.Height {
			lead = v
		}
	}
	if lead == nil {
		return nil, errors.New("there is no I-frame playlist")
	}
	rendition := path.Dir(lead.URI)
	if text, err = os.ReadFile(e.folder.of(rendition, iframesFile)); err != nil {
		return nil, err
	}
	m, err := playlist.ParseMedia(string(text))
	if err != nil {
		return nil, err
	}
	for _, s := range m.Segments {
		if len(s.Keys) > 0 || s.Map != nil && len(s.Map.Keys) > 0 {
			return nil, errors.New("it is encrypted, and pictures of it would not be")
		}
	}
	b := &storyboard.Board{Width: lead.Width, Height: lead.Height}
	section := ""
	for i, s := range m.Segments {
		if s.Map != nil {
			section = s.Map.URI
		}
		from := storyboard.Segment{Number: m.MediaSequence + uint64(i), Start: b.Lasts}
		if s.ByteRange != nil {
			if section != "" {
				from.Section = e.span(path.Join(rendition, section), 0, -1)
			}
			from.IFrame = e.span(path.Join(rendition, s.URI), max(s.ByteRange.Offset, 0), s.ByteRange.Length)
		}
		b.Segments = append(b.Segments, from)
		b.Lasts += s.Duration
	}
	b.Every = storyboard.Every(b.Lasts, b.Lasts/time.Duration(max(len(m.Segments), 1)))
	return b, nil
}

// span reads a range of a file of the recording, to its end where the length is
// negative.
func (e *entry) span(name string, offset, length int64) func() ([]byte, error) {
	return func() ([]byte, error) {
		f, err := os.Open(e.folder.of(name))
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		if length < 0 {
			length = 1 << 20 // more than any initialization section
		}
		return io.ReadAll(io.NewSectionReader(f, offset, length))
	}
}
