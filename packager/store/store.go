package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Errors a caller may branch on.
var (
	ErrRemoved  = errors.New("file was removed")
	ErrFinished = errors.New("file is finished")
)

// Store makes files. It may be used by any number of goroutines.
type Store interface {
	// Create makes an empty file. The name is relative, of one or more
	// elements: "720p/1764000000.m4s". The caller must Remove the File, or
	// Release it to leave what is on disk there.
	Create(name string) (*File, error)
}

var (
	_ Store = Memory{}
	_ Store = (*Disk)(nil)
	_ Store = (*Output)(nil)
)

// Memory keeps files in anonymous memory of the kernel (memfd_create): neither
// on Go's heap nor on a disk, and freed when the last descriptor is closed.
// The pages count for the process's cgroup, not for its resident set.
type Memory struct{}

// Create makes a file in memory; the name is for humans who look at
// /proc/self/fd.
func (Memory) Create(name string) (*File, error) {
	fd, err := unix.MemfdCreate(filepath.Base(name), unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create memory file: %w", err)
	}
	return newFile(fd, "", ""), nil
}

// Disk keeps files under a folder. A file has its name there once it is
// finished, and a hidden one before.
type Disk struct{ dir string }

// NewDisk uses a folder, which is made if it is missing.
func NewDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make media folder: %w", err)
	}
	return &Disk{dir: dir}, nil
}

// Remove removes the folder with all that is in it.
func (d *Disk) Remove() error {
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove media folder: %w", err)
	}
	return nil
}

// Create makes a file and the folders above it.
func (d *Disk) Create(name string) (*File, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("create %q: name leaves its folder", name)
	}
	path := filepath.Join(d.dir, name)
	hidden := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_CLOEXEC
	fd, err := open(hidden, flags)
	if errors.Is(err, unix.ENOENT) {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			fd, err = open(hidden, flags)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	return newFile(fd, hidden, path), nil
}

// Existing takes up a finished file that is there already, of that size in
// bytes.
func (d *Disk) Existing(name string, size int64) (*File, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("open %q: name leaves its folder", name)
	}
	path := filepath.Join(d.dir, name)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", name, err)
	case !info.Mode().IsRegular() || info.Size() != size:
		return nil, fmt.Errorf("open %s: it is not the file that was written", name)
	}
	f := newFile(-1, path, path)
	f.finished = true
	f.size.Store(size)
	return f, nil
}

func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags, 0o644)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
