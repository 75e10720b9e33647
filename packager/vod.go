package packager

import (
	"errors"
	"fmt"
	"strings"

	"github.com/millrace/millrace/packager/playlist"
)

// errNoMedia is what an empty VOD presentation ends with.
var errNoMedia = errors.New("there was no media")

// End closes everything and writes EXT-X-ENDLIST. A VOD presentation with an
// Output is published there; only then can End fail. All stays fetchable until
// Close, but for what was moved into an Output.
func (p *Presentation) End() error {
	p.change.Lock()
	defer p.change.Unlock()
	if err := p.closedOrEnded(); err != nil {
		return err
	}
	err := p.note(p.settle())
	p.state.Store(stateEnded)
	names := *p.names.Load()
	for _, r := range names {
		r.end()
	}
	p.mu.Lock()
	if p.cfg.VOD {
		p.measure()
	}
	p.refresh()
	if p.broken != nil {
		err = p.broken
	}
	p.mu.Unlock()
	if p.cfg.Output == nil {
		return nil
	}
	if err == nil {
		err = p.writeOutput(names)
	}
	if err != nil {
		return fmt.Errorf("finish presentation: %w", err)
	}
	return nil
}

// measure replaces what was declared by what is known at the end (Apple 1.26,
// 1.27). The caller holds p.mu and nobody writes any more.
func (p *Presentation) measure() {
	for _, r := range p.order {
		r.shown.average = r.meter.average()
		r.shown.bandwidth = max(r.meter.peak, r.shown.average)
		r.shown.iframeAverage = r.iframes.average()
		r.shown.iframePeak = max(r.iframes.peak, r.shown.iframeAverage)
		r.shown.final = true
	}
}

// writeOutput writes the playlists and initialization sections beside the
// segments and moves all of it into place.
func (p *Presentation) writeOutput(names map[string]*rendition) error {
	multi := p.multi.Load()
	if multi == nil {
		return errNoMedia
	}
	out := p.cfg.Output
	if err := p.writeStory(); err != nil { // while the segments can be read here
		return err
	}
	for name, r := range names {
		w := r.window.Load()
		if w.doc == nil {
			continue
		}
		for _, section := range w.inits {
			if section.inBand {
				continue
			}
			if err := out.WriteFile(name+"/"+section.name, section.bytes); err != nil {
				return err
			}
		}
		if err := out.WriteFile(name+"/index.m3u8", w.doc.text); err != nil {
			return err
		}
		if doc, _ := w.documents(iframesFile); doc != nil {
			if err := out.WriteFile(name+"/"+iframesFile, doc().text); err != nil {
				return err
			}
		}
		for _, s := range w.held {
			if s.file != nil {
				s.file.Release()
			}
		}
	}
	if err := out.WriteFile("index.m3u8", multi.text); err != nil {
		return err
	}
	if text, err := out.Existing("index.m3u8"); err == nil {
		out.Supersede(foldersOf(string(text))...)
	}
	return out.Publish("index.m3u8")
}

// foldersOf lists the folders of the renditions in a multivariant playlist, as
// far as it can be read.
func foldersOf(text string) []string {
	m, err := playlist.ParseMultivariant(text)
	if err != nil {
		return nil
	}
	var folders []string
	add := func(uri string) {
		if name, file, ok := strings.Cut(uri, "/"); ok && file == "index.m3u8" {
			folders = append(folders, name)
		}
	}
	for _, v := range m.Variants {
		add(v.URI)
	}
	for _, r := range m.Renditions {
		add(r.URI)
	}
	return folders
}
