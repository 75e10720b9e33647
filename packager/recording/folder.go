package recording

import (
	"errors"
	"os"
	"path/filepath"
)

// folder is where one recording lies.
type folder string

func (f folder) of(name ...string) string {
	return filepath.Join(append([]string{string(f)}, name...)...)
}

// write makes a small file that is there whole or not at all.
func (f folder) write(name string, b []byte) error {
	final := f.of(name)
	hidden := filepath.Join(filepath.Dir(final), "."+filepath.Base(final)+".part")
	err := os.WriteFile(hidden, b, 0o644) //nolint:gosec // media that viewers get
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(final), 0o755); err == nil {
			err = os.WriteFile(hidden, b, 0o644) //nolint:gosec // as above
		}
	}
	if err == nil {
		err = os.Rename(hidden, final)
	}
	if err != nil {
		_ = os.Remove(hidden)
	}
	return err
}

// recorded reports whether the folder is a recording, whole or not.
func (f folder) recorded() bool { return f.has(journalFile) || f.has(summaryFile) }

func (f folder) has(name string) bool {
	_, err := os.Lstat(f.of(name))
	return err == nil
}
