package store

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reader reads a File from a position of its own. It is an io.ReadSeeker for
// one goroutine that must Release it, and a syscall.Conn so that net's connections send it by
// sendfile: io.CopyN(w, reader, n) copies nothing through this process when w
// is a plain HTTP/1 response.
type Reader struct {
	file     *File
	fd       int
	size     int64
	released atomic.Bool
}

var (
	_ io.ReadSeeker = (*Reader)(nil)
	_ syscall.Conn  = (*Reader)(nil)
)

// Size is the number of bytes the file had when it was opened.
func (r *Reader) Size() int64 { return r.size }

// Read reads from the position.
func (r *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := unix.Read(r.fd, b)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("read file: %w", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Seek moves the position. A new Reader's position is anywhere: seek first.
// The end is Size, not what was appended later.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		offset, whence = offset+r.size, io.SeekStart
	}
	n, err := unix.Seek(r.fd, offset, whence)
	if err != nil {
		return 0, fmt.Errorf("seek in file: %w", err)
	}
	return n, nil
}

// Release gives the description back. It may be called twice.
func (r *Reader) Release() {
	if !r.released.Swap(true) {
		r.file.giveBack(r.fd)
	}
}

// SyscallConn lets net send the file by sendfile.
func (r *Reader) SyscallConn() (syscall.RawConn, error) {
	if r.released.Load() {
		return nil, fmt.Errorf("use file: %w", ErrRemoved)
	}
	return rawConn(r.fd), nil
}

// rawConn is a descriptor that never blocks, as those of regular files.
type rawConn int

func (c rawConn) Control(f func(uintptr)) error { f(uintptr(c)); return nil }

func (c rawConn) Read(f func(uintptr) bool) error {
	for !f(uintptr(c)) {
	}
	return nil
}

func (rawConn) Write(func(uintptr) bool) error { return errors.ErrUnsupported }
