// Package files is the natives behind node:fs, over the system's own calls.
//
// Every operation stands twice in the module "internal:fs": name(…, callback)
// does its work on another goroutine, nameSync(…) does it at once. File
// descriptors are the system's, as scripts expect of Node; those still open
// when the loop ends are closed with it.
package files

import (
	"context"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"

	"github.com/dop251/goja"
)

// Module is the name of the natives.
const Module = "internal:fs"

// atOnce is how many operations may be under way: each may hold a thread of
// the system.
const atOnce = 64

// room is one loop's files.
type room struct {
	slots chan struct{}
	dir   func() string

	mu   sync.Mutex
	open map[int]struct{}
	over bool
}

// Options is where a script's files are.
type Options struct {
	// Dir is what relative paths start from at the time of the call; nil or empty is the
	// process's own directory.
	Dir func() string
}

// Provide gives a loop the natives of node:fs.
func Provide(l *loop.Loop, opts Options) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		r := &room{slots: make(chan struct{}, atOnce), open: make(map[int]struct{}), dir: opts.Dir}
		context.AfterFunc(l.Context(), r.end)
		o := native.New(l)
		for name, op := range operations {
			r.register(o, name, op)
		}
		r.describe(o)
		r.provideWatch(o)
		return o.Object
	})
}

// operation reads its arguments on the loop and gives the work.
type operation func(r *room, a native.Args) (arity int, work func() (any, error))

var operations = map[string]operation{
	"access": access, "stat": stat, "lstat": lstat, "fstat": fstat, "statfs": statfs,
	"open": open, "close": closeFile, "read": read, "write": write, "readFile": readFile, "writeFile": writeFile,
	"ftruncate": ftruncate, "fsync": fsync, "fdatasync": fdatasync,
	"readdir": readdir, "mkdir": mkdir, "mkdtemp": mkdtemp, "rmdir": rmdir, "rm": rm,
	"unlink": unlink, "rename": rename, "copyFile": copyFile, "link": link, "symlink": symlink,
	"readlink": readlink, "realpath": realpath,
	"chmod": chmod, "fchmod": fchmod, "chown": chown, "lchown": lchown, "fchown": fchown,
	"utimes": utimes, "lutimes": lutimes, "futimes": futimes,
}

func (r *room) register(o native.Object, name string, op operation) {
	o.Func(name, func(a native.Args) (any, error) {
		arity, work := op(r, a)
		a.Later(arity, func(ctx context.Context) (any, error) {
			select {
			case r.slots <- struct{}{}:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			defer func() { <-r.slots }()
			return work()
		})
		return nil, nil
	})
	o.Func(name+"Sync", func(a native.Args) (any, error) {
		_, work := op(r, a)
		return work()
	})
}

// place is where a path of the script's lies. Errors tell the path as it was
// given.
func (r *room) place(path string) string {
	if r.dir == nil || filepath.IsAbs(path) || path == "" {
		return path
	}
	if dir := r.dir(); dir != "" {
		return dir + string(filepath.Separator) + path
	}
	return path
}

// opened notes a descriptor; where the loop is over it is closed instead.
func (r *room) opened(fd int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		_ = unix.Close(fd)
		return
	}
	r.open[fd] = struct{}{}
}

// closed forgets a descriptor before it is closed: its number may be given to
// somebody else at once.
func (r *room) closed(fd int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, fd)
}

// end closes what the script left open.
func (r *room) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for fd := range r.open {
		_ = unix.Close(fd)
	}
	r.open = nil
}
