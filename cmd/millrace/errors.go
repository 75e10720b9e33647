package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/millrace/millrace/internal/config"
)

// Exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// notYet is the answer of a feature that this version does not have.
func notYet(what string) error { return fmt.Errorf("%s is not in this version", what) }

// exitCode is decided here and nowhere else.
func exitCode(err error) int {
	var usage usageError
	var bad config.Errors
	var code exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &bad) && !anyInFile(bad):
		return exitUsage
	}
	return exitFailed
}

func anyInFile(errs config.Errors) bool {
	for _, e := range errs {
		if e.Line > 0 {
			return true
		}
	}
	return false
}

// report writes err for a person: one line, or one for each mistake of a
// configuration.
func report(w *world, err error) {
	var bad config.Errors
	var code exitError
	switch {
	case err == nil || errors.As(err, &code): // a worker has told its parent
	case errors.As(err, &bad):
		fmt.Fprintln(w.stderr, bad)
	default:
		fmt.Fprintln(w.stderr, "millrace: "+sentence(err))
	}
}

// sentence makes one line of an error, with what to do where the system's own
// words leave that open.
func sentence(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, h := range []struct {
		is   error
		hint string
	}{
		{syscall.EADDRINUSE, "something else listens there; stop it, or choose another address"},
		{syscall.EADDRNOTAVAIL, "this machine has no such address"},
		{syscall.ENOSPC, "the disk is full; free some space and run it again"},
		{syscall.EDQUOT, "your quota is used up"},
		{syscall.EFBIG, "a limit on the size of files is in the way (ulimit -f)"},
		{syscall.EROFS, "choose a folder that can be written"},
		{fs.ErrPermission, "check the rights of the file or folder, or of the port"},
	} {
		if errors.Is(err, h.is) {
			return text + "; " + h.hint
		}
	}
	return text
}
