package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Scratch is a folder for media that is of no use once this process has ended.
// What a killed one left behind is removed by the next.
type Scratch struct {
	staging string
	lock    *os.File
}

// NewScratch makes a folder of its own inside dir, which is made if it is
// missing.
func NewScratch(dir string) (_ *Scratch, err error) {
	s := &Scratch{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("prepare media folder: %w", err), s.Close())
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s.staging, s.lock, err = stage(dir)
	return s, err
}

// Disk makes a store in a new subfolder; name tells humans what it is for.
func (s *Scratch) Disk(name string) (*Disk, error) {
	above := filepath.Join(s.staging, filepath.FromSlash(name))
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("make media folder: %q leaves its folder", name)
	}
	if err := os.MkdirAll(above, 0o755); err != nil {
		return nil, fmt.Errorf("make media folder: %w", err)
	}
	dir, err := os.MkdirTemp(above, "")
	if err != nil {
		return nil, fmt.Errorf("make media folder: %w", err)
	}
	return &Disk{dir: dir}, nil
}

// Close removes the folder with all that is in it.
func (s *Scratch) Close() error {
	var err error
	if s.staging != "" {
		err = os.RemoveAll(s.staging)
		s.staging = ""
	}
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
	if err != nil {
		return fmt.Errorf("remove media folder: %w", err)
	}
	return nil
}
