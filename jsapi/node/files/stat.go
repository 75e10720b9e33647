package files

import (
	"fmt"
	"math/big"

	"github.com/dop251/goja"
	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// maxFile is the largest file that is read in one piece: Node's limit.
const maxFile = 2 << 30

func tooLarge(size int64) error {
	return &loop.Error{
		Name: "RangeError", Code: "ERR_FS_FILE_TOO_LARGE",
		Message: fmt.Sprintf("File size (%d) is greater than 2 GiB; read it with fs.createReadStream", size),
	}
}

func access(r *room, a native.Args) (int, func() (any, error)) {
	path, mode := a.String(0), uint32(a.Int(1))
	at := r.place(path)
	return 2, func() (any, error) { return nil, failed(unix.Access(at, mode), "access", path) }
}

// stat(path, bigint), as lstat and fstat: the numbers in the order of figures.
func stat(r *room, a native.Args) (int, func() (any, error)) {
	path, large := a.String(0), a.Bool(1)
	at := r.place(path)
	return 2, func() (any, error) {
		return figures(large, "stat", func(x *unix.Statx_t) error {
			return unix.Statx(unix.AT_FDCWD, at, 0, unix.STATX_BASIC_STATS|unix.STATX_BTIME, x)
		}, path)
	}
}

func lstat(r *room, a native.Args) (int, func() (any, error)) {
	path, large := a.String(0), a.Bool(1)
	at := r.place(path)
	return 2, func() (any, error) {
		return figures(large, "lstat", func(x *unix.Statx_t) error {
			return unix.Statx(unix.AT_FDCWD, at, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, x)
		}, path)
	}
}

func fstat(_ *room, a native.Args) (int, func() (any, error)) {
	fd, large := int(a.Int(0)), a.Bool(1)
	return 2, func() (any, error) {
		return figures(large, "fstat", func(x *unix.Statx_t) error {
			return unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_BTIME, x)
		})
	}
}

// figures is dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks and
// the four times: in milliseconds, or nanoseconds where bigints are asked for.
func figures(large bool, call string, ask func(*unix.Statx_t) error, path ...string) (any, error) {
	var x unix.Statx_t
	if err := again(func() error { return ask(&x) }); err != nil {
		return nil, failed(err, call, path...)
	}
	numbers := []uint64{
		unix.Mkdev(x.Dev_major, x.Dev_minor), uint64(x.Mode), uint64(x.Nlink), uint64(x.Uid), uint64(x.Gid),
		unix.Mkdev(x.Rdev_major, x.Rdev_minor), uint64(x.Blksize), x.Ino, x.Size, x.Blocks,
	}
	times := []unix.StatxTimestamp{x.Atime, x.Mtime, x.Ctime, x.Btime}
	return func(rt *goja.Runtime) goja.Value {
		all := make([]any, 0, len(numbers)+len(times))
		for _, n := range numbers {
			if large {
				all = append(all, new(big.Int).SetUint64(n))
			} else {
				all = append(all, float64(n))
			}
		}
		for _, t := range times {
			if large {
				ns := new(big.Int).Mul(big.NewInt(t.Sec), big.NewInt(1e9))
				all = append(all, ns.Add(ns, big.NewInt(int64(t.Nsec))))
			} else {
				all = append(all, float64(t.Sec)*1000+float64(t.Nsec)/1e6)
			}
		}
		return rt.NewArray(all...)
	}, nil
}

// statfs(path): type, bsize, blocks, bfree, bavail, files, ffree.
func statfs(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) {
		var s unix.Statfs_t
		if err := again(func() error { return unix.Statfs(at, &s) }); err != nil {
			return nil, failed(err, "statfs", path)
		}
		return []any{
			float64(s.Type), float64(s.Bsize), float64(s.Blocks), float64(s.Bfree),
			float64(s.Bavail), float64(s.Files), float64(s.Ffree),
		}, nil
	}
}
