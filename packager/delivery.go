package packager

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/millrace/millrace/packager/store"
)

// servePart sends a part; one that is hinted is waited for and then sent whole
// (RFC 8216bis §6.2.6).
func (r *rendition) servePart(w http.ResponseWriter, req *http.Request, serial uint64) {
	win := r.window.Load()
	s, pt := win.part(serial)
	if pt == nil && serial == win.serial && !win.ended {
		late := time.NewTimer(holdBackTargets * r.p.target)
		defer late.Stop()
		_, err := r.wait(req.Context().Done(), late.C, func(w *window) (bool, <-chan struct{}) {
			s, pt = w.part(serial)
			return pt != nil || w.serial > serial || w.ended, w.changed
		})
		if err != nil {
			unavailable(w, err)
			return
		}
	}
	if pt == nil {
		notFound(w)
		return
	}
	if pt.text != nil {
		serveText(w, req, pt.text, typeSubtitles, forever)
		return
	}
	file := s.file
	if s.partsFile != nil {
		file = s.partsFile
	}
	f, err := file.Open()
	if err != nil {
		notFound(w) // it was removed between the look-up and now
		return
	}
	defer f.Release()
	r.send(w, req, &section{f, pt.offset, pt.size}, pt.size, length(int(pt.size)))
}

// section is a range of a file as a file of its own.
type section struct {
	*store.Reader
	offset, size int64
}

// Seek moves within the range.
func (s *section) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		offset, whence = s.size+offset, io.SeekStart
	}
	if whence == io.SeekStart {
		offset += s.offset
	}
	n, err := s.Reader.Seek(offset, whence)
	return n - s.offset, err
}

// serveOpen sends a segment that is still being filled: each part when it is
// complete, by chunked transfer. A segment that is given up breaks the answer
// off, so that nobody takes what came for the whole.
func (r *rendition) serveOpen(w http.ResponseWriter, req *http.Request, s *segment) {
	f, err := s.file.Open()
	if err != nil {
		notFound(w)
		return
	}
	defer f.Release()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		notFound(w)
		return
	}
	r.mediaHeader(w.Header())
	w.Header().Del("Accept-Ranges")
	if req.Method == http.MethodHead {
		return
	}
	flush := http.NewResponseController(w)
	for sent, number := int64(0), s.number; ; {
		whole := s.number == number && s.length != nil
		size := s.size
		if n, err := io.CopyN(w, f, size-sent); err != nil {
			return // the client is gone
		} else if sent += n; n > 0 {
			r.p.bytesOut.Add(uint64(n))
		}
		if whole {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
		var next *segment
		_, err := r.wait(req.Context().Done(), nil, func(w *window) (bool, <-chan struct{}) {
			next = nil
			if done := w.segment(number); done != nil {
				next = done
			} else if w.open != nil && w.open.number == number {
				if next = w.open; next.size == sent {
					return false, w.changed
				}
			}
			return true, w.changed
		})
		if errors.Is(err, errGone) {
			return
		}
		if next == nil {
			panic(http.ErrAbortHandler)
		}
		s = next
	}
}
