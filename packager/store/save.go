package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// SaveAs puts the whole content into a new file: as another name of the same
// bytes where both lie on one file system, else as a copy. It fails where the
// file exists, and leaves none behind then. Nobody may append any more.
func (r *Reader) SaveAs(path string) error {
	from := "/proc/self/fd/" + strconv.Itoa(r.fd)
	err := unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("save as %s: %w", path, err)
	}
	if err := r.copyTo(path); err != nil {
		return fmt.Errorf("save as %s: %w", path, err)
	}
	return nil
}

func (r *Reader) copyTo(path string) (err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if _, err := io.CopyN(f, r, r.size); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
