package files

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

const watched = unix.IN_ATTRIB | unix.IN_CREATE | unix.IN_MODIFY | unix.IN_DELETE | unix.IN_DELETE_SELF |
	unix.IN_MOVE_SELF | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// watcher is one fs.watch: a file, or a directory's entries.
type watcher struct {
	file    *os.File
	name    string // what events are named after where the watched thing is a file
	pending *loop.Pending
	once    sync.Once
}

// provideWatch adds watch(path, callback(event, name)): an object with close()
// and ref(keep).
func (r *room) provideWatch(o native.Object) {
	o.Func("watch", func(a native.Args) (any, error) {
		path, callback := a.String(0), a.Callback(1)
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return nil, failed(err, "watch", path)
		}
		if _, err := unix.InotifyAddWatch(fd, r.place(path), watched); err != nil {
			_ = unix.Close(fd)
			return nil, failed(err, "watch", path)
		}
		w := &watcher{file: os.NewFile(uintptr(fd), path), name: filepath.Base(path), pending: a.Loop.Pending()}
		go w.run(a.Loop, callback)
		handle := native.New(a.Loop)
		handle.Func("close", func(native.Args) (any, error) {
			w.close()
			return nil, nil
		})
		handle.Func("ref", func(a native.Args) (any, error) {
			w.pending.Ref(a.Bool(0))
			return nil, nil
		})
		return handle, nil
	})
}

func (w *watcher) close() { w.once.Do(func() { _ = w.file.Close() }) }

func (w *watcher) run(l *loop.Loop, callback native.Callback) {
	stop := context.AfterFunc(l.Context(), w.close)
	defer w.pending.Settle(func() {})
	defer stop()
	buffer := make([]byte, 16<<10)
	for {
		n, err := w.file.Read(buffer)
		if err != nil {
			return
		}
		for b := buffer[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(b[4:])
			length := int(binary.NativeEndian.Uint32(b[12:]))
			name := string(bytes.TrimRight(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length], "\x00"))
			b = b[unix.SizeofInotifyEvent+length:]
			if mask&unix.IN_IGNORED != 0 {
				continue
			}
			if name == "" {
				name = w.name
			}
			event := "rename"
			if mask&^uint32(unix.IN_ISDIR)&^uint32(unix.IN_ATTRIB|unix.IN_MODIFY) == 0 {
				event = "change"
			}
			l.Post(func() { callback.Call(event, name) })
		}
	}
}
