package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/webvtt"
)

// finish makes the playlists of a recording that nobody writes any more. What
// has nothing in it is removed. verify says that its last segments may be torn.
func (l *Library) finish(e *entry, verify bool) error {
	err := l.complete(e, verify)
	if errors.Is(err, errEmpty) {
		l.mu.Lock()
		delete(l.entries, e.Path+"/"+e.ID)
		l.mu.Unlock()
		return l.erase(e.folder)
	}
	l.mu.Lock()
	e.broken = err != nil
	e.Writing = err != nil
	done := e.Recording
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("finish recording: %w", err)
	}
	l.log.Info("recorded", "stream", done.Path, "recording", done.ID, "duration", done.Duration, "bytes", done.Size)
	l.tell("recording:finished", done.Path, map[string]any{"id": done.ID, "seconds": done.Duration.Seconds(), "bytes": done.Size})
	return nil
}

func (l *Library) complete(e *entry, verify bool) error {
	c, release, err := readJournal(string(e.folder))
	if err != nil {
		return err
	}
	defer release()
	if verify {
		c.verify(e.folder)
	}
	p, err := compose(c)
	if err != nil {
		return err
	}
	for name, m := range p.media {
		if err := e.folder.write(name+"/"+indexFile, m.Append(nil)); err != nil {
			return err
		}
		if list := p.iframes[name]; list != nil {
			if err := e.folder.write(name+"/"+iframesFile, list.Append(nil)); err != nil {
				return err
			}
		}
	}
	if err := e.folder.dropOthers(p); err != nil {
		return err
	}
	text, err := json.Marshal(summary{e.Path, p.start, p.duration, p.size, c.keyFiles()})
	if err == nil {
		err = e.folder.write(summaryFile, text)
	}
	if err == nil {
		err = e.folder.write(indexFile, p.multi.Append(nil))
	}
	if err == nil {
		err = os.Remove(e.folder.of(journalFile))
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Start, e.Duration, e.Size = p.start, p.duration, p.size
	return nil
}

// dropOthers removes the renditions that are not listed.
func (f folder) dropOthers(p *composed) error {
	files, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, d := range files {
		if d.IsDir() && p.media[d.Name()] == nil {
			if err := os.RemoveAll(f.of(d.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// torn is how many segments of each rendition are read to see whether they are
// whole: those that the system may not have written before the power failed.
const torn = 8

// verify makes gaps of segments that are not there, or not whole.
func (c *chronicle) verify(f folder) {
	read := map[string]int{}
	for i := len(c.segments) - 1; i >= 0; i-- {
		s := &c.segments[i]
		if s.gap() {
			continue
		}
		read[s.Rendition]++
		if !s.whole(f, c.keys[s.Key], read[s.Rendition] <= torn) {
			s.Init, s.Size, s.IFrame = "", 0, 0
		}
	}
}

func (s *segmentNote) whole(f folder, key keyNote, read bool) bool {
	name := f.of(s.Rendition, s.file())
	if info, err := os.Stat(name); err != nil || info.Size() != s.Size {
		return false
	}
	if info, err := os.Stat(f.of(s.Rendition, s.Init)); s.sectioned() && (err != nil || info.Size() == 0) {
		return false
	}
	if !read {
		return true
	}
	b, err := os.ReadFile(name)
	if err == nil && s.Key != "" {
		section := func() ([]byte, error) { return os.ReadFile(f.of(s.Rendition, s.Init)) }
		b, err = f.decrypt(b, section, key.file(), key.tag(), s.Number)
	}
	if err != nil {
		return false
	}
	switch {
	case s.Text:
		_, err := webvtt.Read(b)
		return err == nil
	case s.TS:
		_, err := mpegts.Read(b)
		return err == nil
	}
	fragments, err := fmp4.ReadFragments(b)
	return err == nil && len(fragments) > 0
}

// repair finishes what nobody writes and has no playlists yet.
func (l *Library) repair() {
	l.mu.Lock()
	var broken []*entry
	for _, e := range l.entries {
		if e.broken {
			broken = append(broken, e)
		}
	}
	l.mu.Unlock()
	for _, e := range broken {
		switch err := l.finish(e, true); {
		case err == nil, errors.Is(err, errBusy):
		case errors.Is(err, fs.ErrNotExist) && !e.folder.has(journalFile):
			l.mu.Lock()
			delete(l.entries, e.Path+"/"+e.ID)
			l.mu.Unlock()
		default:
			l.log.Warn("a recording cannot be finished", "stream", e.Path, "recording", e.ID, "err", err)
		}
	}
}
