package libav

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"
)

// attach makes a reader FFmpeg's input.
func (d *Demuxer) attach(r io.Reader) error {
	var failed error
	read := func(b []byte) (int, error) {
		if failed != nil {
			return 0, failed
		}
		// FFmpeg takes bytes or an error, a Reader may give both.
		n, err := r.Read(b)
		for n == 0 && err == nil {
			n, err = r.Read(b)
		}
		if err != nil {
			failed = err
		}
		if n > 0 {
			return n, nil
		}
		return 0, err
	}
	var seek astiav.IOContextSeekFunc
	if s, ok := r.(io.Seeker); ok {
		seek = func(offset int64, whence int) (int64, error) {
			const size, force = 0x10000, 0x20000
			whence &^= force
			if whence == size {
				return sizeOf(s)
			}
			failed = nil
			return s.Seek(offset, whence)
		}
	}
	var err error
	if d.io, err = astiav.AllocIOContext(32<<10, false, read, seek, nil); err != nil {
		return fmt.Errorf("attach reader: %w", errors.Join(ErrMemory, err))
	}
	return nil
}

func sizeOf(s io.Seeker) (int64, error) {
	here, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = s.Seek(here, io.SeekStart)
	return end, err
}
