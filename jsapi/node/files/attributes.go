package files

import (
	"math"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/native"
)

func chmod(r *room, a native.Args) (int, func() (any, error)) {
	path, mode := a.String(0), uint32(a.Int(1))
	at := r.place(path)
	return 2, func() (any, error) { return nil, failed(unix.Chmod(at, mode), "chmod", path) }
}

func fchmod(_ *room, a native.Args) (int, func() (any, error)) {
	fd, mode := int(a.Int(0)), uint32(a.Int(1))
	return 2, func() (any, error) { return nil, failed(unix.Fchmod(fd, mode), "fchmod") }
}

func chown(r *room, a native.Args) (int, func() (any, error)) {
	path, uid, gid := a.String(0), int(a.Int(1)), int(a.Int(2))
	at := r.place(path)
	return 3, func() (any, error) { return nil, failed(unix.Chown(at, uid, gid), "chown", path) }
}

func lchown(r *room, a native.Args) (int, func() (any, error)) {
	path, uid, gid := a.String(0), int(a.Int(1)), int(a.Int(2))
	at := r.place(path)
	return 3, func() (any, error) { return nil, failed(unix.Lchown(at, uid, gid), "lchown", path) }
}

func fchown(_ *room, a native.Args) (int, func() (any, error)) {
	fd, uid, gid := int(a.Int(0)), int(a.Int(1)), int(a.Int(2))
	return 3, func() (any, error) { return nil, failed(unix.Fchown(fd, uid, gid), "fchown") }
}

// times are two arguments in seconds, as the system takes them.
func times(a native.Args) []unix.Timespec {
	at := func(i int) unix.Timespec {
		whole, part := math.Modf(a.Float(i))
		return unix.NsecToTimespec(int64(whole)*1e9 + int64(math.Round(part*1e9)))
	}
	return []unix.Timespec{at(1), at(2)}
}

func utimes(r *room, a native.Args) (int, func() (any, error)) {
	path, t := a.String(0), times(a)
	at := r.place(path)
	return 3, func() (any, error) {
		return nil, failed(unix.UtimesNanoAt(unix.AT_FDCWD, at, t, 0), "utime", path)
	}
}

func lutimes(r *room, a native.Args) (int, func() (any, error)) {
	path, t := a.String(0), times(a)
	at := r.place(path)
	return 3, func() (any, error) {
		return nil, failed(unix.UtimesNanoAt(unix.AT_FDCWD, at, t, unix.AT_SYMLINK_NOFOLLOW), "lutime", path)
	}
}

func futimes(_ *room, a native.Args) (int, func() (any, error)) {
	fd, t := int(a.Int(0)), times(a)
	return 3, func() (any, error) {
		tv := []unix.Timeval{unix.NsecToTimeval(t[0].Nano()), unix.NsecToTimeval(t[1].Nano())}
		return nil, failed(unix.Futimes(fd, tv), "futime")
	}
}
