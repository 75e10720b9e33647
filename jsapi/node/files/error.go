package files

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
)

// failed words an error as Node's fs does: the call, and the paths it was
// about.
func failed(err error, call string, paths ...string) error {
	if err == nil {
		return nil
	}
	var no syscall.Errno
	if !errors.As(err, &no) {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		no = unix.ENOENT
	}
	code, text := loop.ErrnoText(no)
	e := &loop.Error{
		Code: code, Message: fmt.Sprintf("%s: %s, %s", code, text, call), Cause: err,
		Fields: map[string]any{"errno": -int(no), "syscall": call},
	}
	if len(paths) > 0 {
		e.Message += fmt.Sprintf(" '%s'", paths[0])
		e.Fields["path"] = paths[0]
	}
	if len(paths) > 1 {
		e.Message += fmt.Sprintf(" -> '%s'", paths[1])
		e.Fields["dest"] = paths[1]
	}
	return e
}

// again calls f until no signal interrupts it.
func again(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
