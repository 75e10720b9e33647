package main

import (
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// world is everything outside the program. Nothing in this package reaches for
// os.Args, os.Stdout or the environment by another way.
type world struct {
	args []string // without the program's name
	env  func(name string) string
	vars func() []string // NAME=value; nil: none

	stdin          io.Reader
	stdout, stderr io.Writer

	// outTerminal and errTerminal say that a person reads along.
	outTerminal, errTerminal bool
	width                    int // of the terminal, 0 unknown

	// signals starts delivery of SIGINT, SIGTERM and SIGHUP, until stop.
	signals func() (c <-chan os.Signal, stop func())

	// executable is the path of this program, for the processes that it starts
	// of itself; arguments are put before theirs.
	executable func() (string, error)
}

func osWorld() *world {
	w := &world{
		args:        os.Args[1:],
		env:         os.Getenv,
		vars:        os.Environ,
		stdin:       os.Stdin,
		stdout:      os.Stdout,
		stderr:      os.Stderr,
		outTerminal: isTerminal(os.Stdout),
		errTerminal: isTerminal(os.Stderr),
		executable:  os.Executable,
	}
	if width, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil {
		w.width = width
	}
	w.signals = func() (<-chan os.Signal, func()) {
		c := make(chan os.Signal, 4)
		signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		return c, func() { signal.Stop(c) }
	}
	return w
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && !strings.EqualFold(os.Getenv("TERM"), "dumb")
}
