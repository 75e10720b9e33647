package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// keySuffix is how the names of keys end.
const keySuffix = ".key"

// keyNote is a key without its value: that has a file of its own, which nobody
// but this server's user can read.
type keyNote struct {
	Name     string `json:"name"`
	Method   string `json:"method"` // of EXT-X-KEY
	URI      string `json:"uri"`
	Format   string `json:"format,omitempty"`
	Versions string `json:"versions,omitempty"`
	Served   bool   `json:"served,omitempty"` // viewers get it from here
}

func (k keyNote) tag() playlist.Key {
	return playlist.Key{Method: k.Method, URI: k.URI, Format: k.Format, Versions: k.Versions}
}

// file is where the value is. A hidden one is for clips alone: viewers get it
// elsewhere, or not.
func (k keyNote) file() string {
	if k.Served {
		return k.Name + keySuffix
	}
	return "." + k.Name + keySuffix
}

func keyNoteOf(l *packager.Listed) keyNote {
	t := l.KeyTag
	return keyNote{Name: l.Key.Name(), Method: t.Method, URI: t.URI, Format: t.Format, Versions: t.Versions, Served: l.Served}
}

// saveKey keeps the key of a segment, once.
func (w *writing) saveKey(l *packager.Listed) error {
	if l.Key == nil || w.keys[l.Key.Name()] {
		return nil
	}
	n := keyNoteOf(l)
	if err := w.entry.folder.writeSecret(n.file(), l.Key); err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	if err := w.journal.add(note{Key: &n}); err != nil {
		return fmt.Errorf("note key: %w", err)
	}
	w.keys[n.Name] = true
	return nil
}

// writeSecret puts a key's value into a new file.
func (f folder) writeSecret(name string, k *protect.Key) error {
	file, err := os.OpenFile(f.of(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(k.Value[:])
	return errors.Join(err, file.Close())
}

// keyFiles tells where the values of the keys are that playlists name, by URI.
func (c *chronicle) keyFiles() map[string]string {
	if len(c.keys) == 0 {
		return nil
	}
	files := map[string]string{}
	for _, k := range c.keys {
		files[k.URI] = k.file()
	}
	return files
}

// keyFiles are those of a finished recording.
func (e *entry) keyFiles() map[string]string {
	var s summary
	if b, err := os.ReadFile(e.folder.of(summaryFile)); err != nil || json.Unmarshal(b, &s) != nil {
		return nil
	}
	return s.Keys
}

// reader is read with what it yields in the clear.
func (e *entry) reader(read, section func() ([]byte, error), files map[string]string, keys playlist.InForce, number uint64) func() ([]byte, error) {
	if len(keys) == 0 {
		return read
	}
	return func() ([]byte, error) {
		b, err := read()
		if err != nil {
			return nil, err
		}
		return e.folder.decrypt(b, section, files[keys[0].URI], keys[0], number)
	}
}

// inClear is an initialization section as it is without encryption.
func inClear(read func() ([]byte, error)) func() ([]byte, error) {
	return func() ([]byte, error) {
		b, err := read()
		if err != nil {
			return nil, err
		}
		return fmp4.Unprotect(b)
	}
}

// plain tells initialization sections apart by what they are in the clear: each
// key has its own.
func (e *entry) plain(rendition, file string) string {
	b, err := inClear(func() ([]byte, error) { return os.ReadFile(e.folder.of(rendition, file)) })()
	if err != nil {
		return file
	}
	return string(b)
}

// decrypt makes a segment's bytes readable; it may alter them. section reads
// its initialization section.
func (f folder) decrypt(b []byte, section func() ([]byte, error), file string, tag playlist.Key, number uint64) ([]byte, error) {
	if file == "" {
		return nil, errors.New("the key is not there")
	}
	value, err := protect.ReadValue(f.of(file))
	if err != nil {
		return nil, err
	}
	k := &protect.Key{Value: value}
	if tag.Method != playlist.MethodSampleAES {
		return k.Open(b, tag.IVOf(number))
	}
	init, err := section()
	if err != nil {
		return nil, err
	}
	return k.OpenSamples(b, init)
}

// keepKey keeps the key of a segment, once. s.mu is held.
func (s *Shift) keepKey(l *packager.Listed) error {
	if l.Key == nil {
		return nil
	}
	n := keyNoteOf(l)
	if _, there := s.keys[n.Name]; there {
		return nil
	}
	if err := s.folder.writeSecret(n.file(), l.Key); err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	if err := s.journal.add(note{Key: &n}); err != nil {
		return fmt.Errorf("note key: %w", err)
	}
	s.keys[n.Name] = n
	return nil
}

// unlock gives a segment of the past its key, and reports whether it could;
// known has those that others have.
func (s *Shift) unlock(l *packager.Listed, name string, known map[string]*protect.Key) bool {
	if name == "" {
		return true
	}
	n, ok := s.keys[name]
	k := known[name]
	if k == nil {
		value, err := protect.ReadValue(s.folder.of(n.file()))
		id, bad := protect.Parse128(name)
		if !ok || err != nil || bad != nil {
			return false
		}
		k = &protect.Key{ID: id, Value: value}
		known[name] = k
	}
	l.Key, l.KeyTag, l.Served = k, n.tag(), n.Served
	return true
}

// dropKeys removes the keys of segments that are all gone. s.mu is held.
func (s *Shift) dropKeys() {
	if len(s.keys) == 0 {
		return
	}
	needed := map[string]bool{}
	for _, list := range s.notes {
		for i := range list {
			needed[list[i].Key] = true
		}
	}
	for name, n := range s.keys {
		if !needed[name] {
			_ = os.Remove(s.folder.of(n.file())) // sweep removes what stays
			delete(s.keys, name)
		}
	}
}
