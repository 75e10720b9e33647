package packager

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/millrace/millrace/packager/store"
)

// diskRest is how long a disk that took no more is left alone.
const diskRest = 30 * time.Second

// create makes the open segment's file: in the presentation's store, or in
// memory while that is a disk that takes no more. A full disk costs time
// shift, not the stream.
func (r *rendition) create(cur *open) error {
	if r.p.cfg.DVR > 0 && time.Now().UnixNano() < r.p.restsUntil.Load() {
		return r.spill(cur, nil)
	}
	f, err := r.p.store.Create(r.name + "/" + cur.uri)
	if err != nil {
		return r.spill(cur, err)
	}
	cur.file = f
	return nil
}

// spill moves the open segment, as far as it is complete, into memory. why is
// what the store failed with; where there is no time shift it is final.
func (r *rendition) spill(cur *open, why error) error {
	if r.p.cfg.DVR == 0 {
		return why
	}
	f, err := store.Memory{}.Create(cur.uri)
	if err != nil {
		return errors.Join(why, err)
	}
	if old := cur.file; old != nil {
		if err := move(f, old, cur.size); err != nil {
			f.Remove()
			return errors.Join(why, err)
		}
		old.Remove()
	}
	cur.file, cur.spilled = f, true
	if why != nil {
		r.p.restsUntil.Store(time.Now().Add(diskRest).UnixNano())
		r.p.trouble(r.name, fmt.Errorf("the disk takes no more, so that viewers can only seek within the window: %w", why))
	}
	return nil
}

// move copies the first bytes of a file into another one.
func move(to, from *store.File, size int64) error {
	b, err := firstBytes(from, size)
	if err != nil {
		return fmt.Errorf("read what is there: %w", err)
	}
	_, err = to.Append(b)
	return err
}

// firstBytes reads so many bytes of a file.
func firstBytes(f *store.File, n int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return b, err
}
