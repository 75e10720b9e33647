package files

import (
	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/native"
)

// open(path, flags, mode)
func open(r *room, a native.Args) (int, func() (any, error)) {
	path, flags, mode := a.String(0), int(a.Int(1)), uint32(a.Int(2))
	at := r.place(path)
	return 3, func() (any, error) {
		fd, err := openPath(at, flags, mode)
		if err != nil {
			return nil, failed(err, "open", path)
		}
		r.opened(fd)
		return fd, nil
	}
}

func openPath(path string, flags int, mode uint32) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// close(fd)
func closeFile(r *room, a native.Args) (int, func() (any, error)) {
	fd := int(a.Int(0))
	r.closed(fd)
	return 1, func() (any, error) { return nil, failed(unix.Close(fd), "close") }
}

// read(fd, length, position): the bytes, fewer where the file ends. A negative
// position is the file's own.
func read(_ *room, a native.Args) (int, func() (any, error)) {
	fd, length, at := int(a.Int(0)), int(a.Int(1)), a.Int(2)
	return 3, func() (any, error) {
		b := make([]byte, length)
		n, err := readAt(fd, b, at)
		if err != nil {
			return nil, failed(err, "read")
		}
		if n < len(b)/2 { // what waits for more must not hold memory it does not need
			return append(make([]byte, 0, n), b[:n]...), nil
		}
		return b[:n], nil
	}
}

func readAt(fd int, b []byte, at int64) (n int, err error) {
	err = again(func() error {
		if at < 0 {
			n, err = unix.Read(fd, b)
		} else {
			n, err = unix.Pread(fd, b, at)
		}
		return err
	})
	return max(n, 0), err
}

// write(fd, bytes, position): how many were written, which is all of them
// unless it fails.
func write(_ *room, a native.Args) (int, func() (any, error)) {
	fd, b, at := int(a.Int(0)), a.Copy(1), a.Int(2)
	return 3, func() (any, error) {
		n, err := writeAll(fd, b, at)
		return n, failed(err, "write")
	}
}

func writeAll(fd int, b []byte, at int64) (int, error) {
	written := 0
	for {
		var n int
		err := again(func() (err error) {
			if at < 0 {
				n, err = unix.Write(fd, b[written:])
			} else {
				n, err = unix.Pwrite(fd, b[written:], at+int64(written))
			}
			return err
		})
		if err != nil {
			return written, err
		}
		if written += n; written == len(b) {
			return written, nil
		}
	}
}

// readFile(path or fd, flags): all of it.
func readFile(r *room, a native.Args) (int, func() (any, error)) {
	path, flags := a.String(0), int(a.Int(1))
	at := r.place(path)
	_, isNumber := native.Held(a.At(0)).(int64)
	given := int(a.Int(0))
	return 2, func() (any, error) {
		fd := given
		if !isNumber {
			var err error
			if fd, err = openPath(at, flags, 0); err != nil {
				return nil, failed(err, "open", path)
			}
			defer func() { _ = unix.Close(fd) }()
		}
		b, err := readWhole(fd)
		return b, failed(err, "read")
	}
}

func readWhole(fd int) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	size := 512
	if st.Mode&unix.S_IFMT == unix.S_IFREG && st.Size > 0 {
		if st.Size > maxFile {
			return nil, tooLarge(st.Size)
		}
		size = int(st.Size) + 1 // the last read finds the end
	}
	b := make([]byte, 0, size)
	for {
		n, err := readAt(fd, b[len(b):cap(b)], -1)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return b, nil
		}
		if b = b[:len(b)+n]; len(b) > maxFile {
			return nil, tooLarge(int64(len(b)))
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// writeFile(path or fd, bytes, flags, mode)
func writeFile(r *room, a native.Args) (int, func() (any, error)) {
	path, b, flags, mode := a.String(0), a.Copy(1), int(a.Int(2)), uint32(a.Int(3))
	at := r.place(path)
	_, isNumber := native.Held(a.At(0)).(int64)
	given := int(a.Int(0))
	return 4, func() (any, error) {
		if isNumber {
			_, err := writeAll(given, b, -1)
			return nil, failed(err, "write")
		}
		fd, err := openPath(at, flags, mode)
		if err != nil {
			return nil, failed(err, "open", path)
		}
		if _, err := writeAll(fd, b, -1); err != nil {
			_ = unix.Close(fd)
			return nil, failed(err, "write")
		}
		return nil, failed(unix.Close(fd), "close")
	}
}

func ftruncate(_ *room, a native.Args) (int, func() (any, error)) {
	fd, size := int(a.Int(0)), a.Int(1)
	return 2, func() (any, error) {
		return nil, failed(again(func() error { return unix.Ftruncate(fd, size) }), "ftruncate")
	}
}

func fsync(_ *room, a native.Args) (int, func() (any, error)) {
	fd := int(a.Int(0))
	return 1, func() (any, error) { return nil, failed(unix.Fsync(fd), "fsync") }
}

func fdatasync(_ *room, a native.Args) (int, func() (any, error)) {
	fd := int(a.Int(0))
	return 1, func() (any, error) { return nil, failed(unix.Fdatasync(fd), "fdatasync") }
}

// describe adds what needs no work elsewhere: exists(path) answers at once and
// never fails, constants are the system's numbers.
func (r *room) describe(o native.Object) {
	o.Func("exists", func(a native.Args) (any, error) {
		return unix.Access(r.place(a.String(0)), unix.F_OK) == nil, nil
	})
	constants := native.New(o.Loop)
	for name, n := range map[string]int{
		"F_OK": unix.F_OK, "R_OK": unix.R_OK, "W_OK": unix.W_OK, "X_OK": unix.X_OK,
		"O_RDONLY": unix.O_RDONLY, "O_WRONLY": unix.O_WRONLY, "O_RDWR": unix.O_RDWR, "O_CREAT": unix.O_CREAT,
		"O_EXCL": unix.O_EXCL, "O_TRUNC": unix.O_TRUNC, "O_APPEND": unix.O_APPEND, "O_SYNC": unix.O_SYNC,
		"O_DSYNC": unix.O_DSYNC, "O_DIRECTORY": unix.O_DIRECTORY, "O_NOFOLLOW": unix.O_NOFOLLOW,
		"O_NONBLOCK": unix.O_NONBLOCK, "O_NOCTTY": unix.O_NOCTTY,
		"S_IFMT": unix.S_IFMT, "S_IFREG": unix.S_IFREG, "S_IFDIR": unix.S_IFDIR, "S_IFCHR": unix.S_IFCHR,
		"S_IFBLK": unix.S_IFBLK, "S_IFIFO": unix.S_IFIFO, "S_IFLNK": unix.S_IFLNK, "S_IFSOCK": unix.S_IFSOCK,
		"S_IRWXU": unix.S_IRWXU, "S_IRUSR": unix.S_IRUSR, "S_IWUSR": unix.S_IWUSR, "S_IXUSR": unix.S_IXUSR,
		"S_IRWXG": unix.S_IRWXG, "S_IRGRP": unix.S_IRGRP, "S_IWGRP": unix.S_IWGRP, "S_IXGRP": unix.S_IXGRP,
		"S_IRWXO": unix.S_IRWXO, "S_IROTH": unix.S_IROTH, "S_IWOTH": unix.S_IWOTH, "S_IXOTH": unix.S_IXOTH,
		"COPYFILE_EXCL": 1, "COPYFILE_FICLONE": 2, "COPYFILE_FICLONE_FORCE": 4,
		"UV_FS_COPYFILE_EXCL": 1, "UV_FS_COPYFILE_FICLONE": 2, "UV_FS_COPYFILE_FICLONE_FORCE": 4,
		"UV_FS_O_FILEMAP": 0, "UV_FS_SYMLINK_DIR": 1, "UV_FS_SYMLINK_JUNCTION": 2,
		"UV_DIRENT_UNKNOWN": 0, "UV_DIRENT_FILE": 1, "UV_DIRENT_DIR": 2, "UV_DIRENT_LINK": 3,
		"UV_DIRENT_FIFO": 4, "UV_DIRENT_SOCKET": 5, "UV_DIRENT_CHAR": 6, "UV_DIRENT_BLOCK": 7,
	} {
		_ = constants.Set(name, n)
	}
	_ = o.Set("constants", constants.Object)
}
