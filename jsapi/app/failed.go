package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/host/wire"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

// broken is a script that cannot be started at all.
type broken struct {
	err    error
	script string
}

func (b *broken) Error() string { return b.err.Error() }
func (b *broken) Unwrap() error { return b.err }

// fatal is what ended a script, as it is told.
type fatal struct {
	err    error
	report string // with the script's line and the stack
}

func (f *fatal) Error() string { return f.err.Error() }
func (f *fatal) Unwrap() error { return f.err }

// described adds what a person wants to know of an error that ended the
// script. It is called when the loop is over.
func (a *app) described(err error) error {
	if err == nil {
		return &fatal{err: errors.New("the script ended by itself"), report: ""}
	}
	var exit *node.Exit
	if errors.As(err, &exit) {
		return &fatal{err: fmt.Errorf("the script called process.exit(%d)", exit.Code)}
	}
	return &fatal{err: err, report: a.program.Report(err)}
}

// at finds a position in a file of the user's.
var at = regexp.MustCompile(`(?m)(?:^|[ (])((?:/|[A-Za-z]:)[^\s():]*:\d+(?::\d+)?)`)

// failedBy is an error as the server is told of it.
func failedBy(err error) *wire.Failed {
	f := &wire.Failed{Message: headline(err)}
	var bad *compile.Error
	var b *broken
	if errors.As(err, &b) {
		f.Code, f.Inputs = codeCompile, []string{b.script}
	}
	if errors.As(err, &bad) {
		f.Stack = program.Faults(bad)
		for _, fault := range bad.Faults {
			if fault.File != "" {
				f.Inputs = append(f.Inputs, fault.File)
			}
		}
		if first := bad.Faults[0]; first.File != "" {
			f.Message = first.Text
			f.Position = fmt.Sprintf("%s:%d:%d", first.File, first.Line, first.Column)
		}
	}
	var over *guard.Exceeded
	if errors.As(err, &over) {
		if over.Code == guard.Memory {
			f.Code = codeMemory
		}
		f.Message = over.What
		if over.Where.File != "" {
			f.Position = over.Where.String()
		}
	}
	var stopped *loop.Interrupted
	if errors.As(err, &stopped) && f.Stack == "" {
		f.Stack = program.Stack(stopped.Stack)
	}
	var told *fatal
	if errors.As(err, &told) && f.Stack == "" {
		f.Stack = told.report
	}
	if f.Position == "" {
		if m := at.FindStringSubmatch(f.Stack); m != nil {
			f.Position = m[1]
		}
	}
	return f
}

// headline is an error in one line.
func headline(err error) string {
	var exception *goja.Exception
	var rejection *loop.UnhandledRejection
	text := err.Error()
	switch {
	case errors.As(err, &exception):
		text = exception.Value().String()
	case errors.As(err, &rejection):
		text = "unhandled rejection: " + rejection.Reason.String()
	}
	first, _, _ := strings.Cut(text, "\n")
	return first
}
