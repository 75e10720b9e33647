package packager

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/storyboard"
)

var typeStoryboard = []string{storyboard.ContentType}

// serveStory answers for the storyboard, and reports false where name is none
// of its files, or there is none.
func (p *Presentation) serveStory(w http.ResponseWriter, r *http.Request, name string) bool {
	number, sheet := storyboard.SheetNumber(name)
	if p.story == nil || !sheet && name != storyboard.File && (name != storyboard.LongFile || p.cfg.DVR == 0) {
		return false
	}
	// The sheets are the same for both files.
	b := p.board(sheet || name == storyboard.LongFile)
	switch {
	case b == nil:
		return false
	case sheet:
		p.story.Serve(w, r, b, number)
	default:
		serveText(w, r, newDocument(b.VTT()), typeStoryboard, p.cacheMedia)
	}
	return true
}

// board is what pictures can be made of: the smallest video, which is the
// cheapest to decode. Nil where there is none. long says that the long playlist
// counts, where there is one.
func (p *Presentation) board(long bool) *storyboard.Board {
	var lead *rendition
	b := &storyboard.Board{Growing: p.state.Load() == stateOpen}
	p.mu.Lock()
	for _, r := range p.order {
		sh := &r.shown
		if r.kind == media.Video && !sh.retired && sh.iframePeak > 0 && (lead == nil || sh.height < b.Height) {
			lead, b.Width, b.Height = r, sh.width, sh.height
		}
	}
	p.mu.Unlock()
	if lead == nil || p.dependent.Load() || p.cfg.Protection != nil { // its pictures would not be encrypted
		return nil
	}
	w := lead.window.Load()
	listed := w.listed
	if long {
		listed = max(listed, w.long)
	}
	b.Segments = make([]storyboard.Segment, 0, listed)
	for _, s := range w.held[len(w.held)-listed:] {
		e := storyboard.Segment{Number: s.number, Start: b.Lasts}
		if s.iframeSize > 0 {
			if !s.init.inBand {
				e.Section = func() ([]byte, error) { return s.init.bytes, nil }
			}
			e.IFrame = s.readIFrame
		}
		b.Segments = append(b.Segments, e)
		b.Lasts += s.duration
	}
	total := max(p.cfg.DVR, p.cfg.Window)
	if p.cfg.VOD {
		total = b.Lasts
	}
	b.Every = storyboard.Every(total, p.cfg.Segment)
	return b
}

// readIFrame reads the picture that the segment begins with, and its boxes.
func (s *segment) readIFrame() ([]byte, error) { return firstBytes(s.file, s.iframeSize) }

// writeStory writes the storyboard of a presentation that has ended. One that
// cannot be made is no reason to lose the rest.
func (p *Presentation) writeStory() error {
	b := p.board(false)
	if p.story == nil || b == nil {
		return nil
	}
	// It takes some milliseconds a picture, of which there are not many.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, n := range b.Sheets() {
		sheet, final, err := p.story.Sheet(ctx, b, n)
		if err == nil && !final { // a picture could not be made: it is tried twice
			sheet, _, err = p.story.Sheet(ctx, b, n)
		}
		if err != nil {
			p.trouble("", fmt.Errorf("write storyboard: %w", err))
			return nil
		}
		if err := p.cfg.Output.WriteFile(storyboard.SheetName(n), sheet); err != nil {
			return err
		}
	}
	return p.cfg.Output.WriteFile(storyboard.File, b.VTT())
}
