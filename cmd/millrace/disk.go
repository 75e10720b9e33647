package main

import (
	"path/filepath"
	"sync"

	"github.com/millrace/millrace/packager/store"
)

// shiftDisk is the folder of the media that viewers can seek back in, below
// the data folder. It is made when the first stream wants it and removed with
// the server.
type shiftDisk struct {
	dir string

	mu      sync.Mutex
	scratch *store.Scratch
}

func newShiftDisk(data string) *shiftDisk { return &shiftDisk{dir: filepath.Join(data, "dvr")} }

// of makes the store of one stream.
func (d *shiftDisk) of(path string) (*store.Disk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.scratch == nil {
		scratch, err := store.NewScratch(d.dir)
		if err != nil {
			return nil, err
		}
		d.scratch = scratch
	}
	return d.scratch.Disk(path)
}

func (d *shiftDisk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.scratch == nil {
		return nil
	}
	return d.scratch.Close()
}
