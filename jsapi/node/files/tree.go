package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// kinds are Node's numbers for what a directory's entry is.
func kind(m fs.FileMode) int {
	switch m & fs.ModeType {
	case 0:
		return 1
	case fs.ModeDir:
		return 2
	case fs.ModeSymlink:
		return 3
	case fs.ModeNamedPipe:
		return 4
	case fs.ModeSocket:
		return 5
	case fs.ModeDevice | fs.ModeCharDevice:
		return 6
	case fs.ModeDevice:
		return 7
	}
	return 0
}

// readdir(path): the names, and what each of them is.
func readdir(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) {
		entries, err := os.ReadDir(at)
		if err != nil {
			return nil, failed(err, "scandir", path)
		}
		names, kinds := make([]string, len(entries)), make([]any, len(entries))
		for i, e := range entries {
			names[i], kinds[i] = e.Name(), kind(e.Type())
		}
		return []any{names, kinds}, nil
	}
}

// mkdir(path, mode, recursive): the first directory that was made, where
// recursive is set.
func mkdir(r *room, a native.Args) (int, func() (any, error)) {
	path, mode, recursive := a.String(0), uint32(a.Int(1)), a.Bool(2)
	at := r.place(path)
	return 3, func() (any, error) {
		if !recursive {
			return nil, failed(unix.Mkdir(at, mode), "mkdir", path)
		}
		first, err := mkdirAll(at, mode)
		if err != nil || first == "" {
			return nil, failed(err, "mkdir", path)
		}
		return first, nil
	}
}

func mkdirAll(path string, mode uint32) (first string, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	switch err := unix.Mkdir(absolute, mode); {
	case err == nil:
		return absolute, nil
	case errors.Is(err, unix.ENOENT) && filepath.Dir(absolute) != absolute:
		above, aboveErr := mkdirAll(filepath.Dir(absolute), mode)
		if aboveErr != nil {
			return "", aboveErr
		}
		if err := unix.Mkdir(absolute, mode); err != nil && !errors.Is(err, unix.EEXIST) {
			return "", err
		}
		return above, nil
	default:
		if info, statErr := os.Stat(absolute); statErr == nil && info.IsDir() {
			return "", nil
		}
		return "", err
	}
}

// mkdtemp(prefix): the directory's name, the prefix and something that nobody has.
func mkdtemp(r *room, a native.Args) (int, func() (any, error)) {
	prefix := a.String(0)
	at := r.place(prefix)
	return 1, func() (any, error) {
		if !strings.Contains(at, "/") {
			at = "./" + at // an empty directory would mean the system's for temporary files
		}
		dir, base := filepath.Split(at)
		made, err := os.MkdirTemp(dir, strings.ReplaceAll(base, "*", "")+"*")
		if err != nil {
			return nil, failed(err, "mkdtemp", prefix+"XXXXXX")
		}
		return prefix + strings.TrimPrefix(made, at), nil
	}
}

func rmdir(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) { return nil, failed(unix.Rmdir(at), "rmdir", path) }
}

// rm(path, recursive, force)
func rm(r *room, a native.Args) (int, func() (any, error)) {
	path, recursive, force := a.String(0), a.Bool(1), a.Bool(2)
	at := r.place(path)
	return 3, func() (any, error) {
		info, err := os.Lstat(at)
		if err != nil {
			if force && errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, failed(err, "lstat", path)
		}
		if info.IsDir() && !recursive {
			return nil, &loop.Error{
				Name: "Error", Code: "ERR_FS_EISDIR", Message: "Path is a directory: rm returned EISDIR (is a directory) " + path,
				Fields: map[string]any{"errno": int(unix.EISDIR), "syscall": "rm", "path": path},
			}
		}
		return nil, failed(os.RemoveAll(at), "rm", path)
	}
}

func unlink(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) { return nil, failed(unix.Unlink(at), "unlink", path) }
}

func rename(r *room, a native.Args) (int, func() (any, error)) {
	from, to := a.String(0), a.String(1)
	in, out := r.place(from), r.place(to)
	return 2, func() (any, error) { return nil, failed(unix.Rename(in, out), "rename", from, to) }
}

// copyFile(from, to, mode): with mode 1 to must not exist.
func copyFile(r *room, a native.Args) (int, func() (any, error)) {
	from, to, exclusive := a.String(0), a.String(1), a.Int(2)&1 != 0
	in, out := r.place(from), r.place(to)
	return 3, func() (any, error) { return nil, failed(copyContent(in, out, exclusive), "copyfile", from, to) }
}

func copyContent(from, to string, exclusive bool) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return unix.EISDIR
	}
	flags := os.O_WRONLY | os.O_CREATE
	if exclusive {
		flags |= os.O_EXCL
	}
	out, err := os.OpenFile(to, flags, info.Mode().Perm())
	if err != nil {
		return err
	}
	if target, err := out.Stat(); err == nil && os.SameFile(info, target) {
		return out.Close()
	}
	if err := out.Truncate(0); err != nil {
		_ = out.Close()
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

func link(r *room, a native.Args) (int, func() (any, error)) {
	from, to := a.String(0), a.String(1)
	in, out := r.place(from), r.place(to)
	return 2, func() (any, error) { return nil, failed(unix.Link(in, out), "link", from, to) }
}

func symlink(r *room, a native.Args) (int, func() (any, error)) {
	target, path := a.String(0), a.String(1)
	at := r.place(path)
	return 2, func() (any, error) { return nil, failed(unix.Symlink(target, at), "symlink", target, path) }
}

func readlink(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) {
		target, err := os.Readlink(at)
		return target, failed(err, "readlink", path)
	}
}

func realpath(r *room, a native.Args) (int, func() (any, error)) {
	path := a.String(0)
	at := r.place(path)
	return 1, func() (any, error) {
		resolved, err := filepath.EvalSymlinks(at)
		if err == nil {
			resolved, err = filepath.Abs(resolved)
		}
		return resolved, failed(err, "realpath", path)
	}
}
