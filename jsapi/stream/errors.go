package stream

import (
	"errors"
	"regexp"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/transcode/wire"
)

// early is the error of a script that is done though its source goes on.
func early() error {
	return &wire.Error{Class: wire.ClassScript, Message: "the script has ended, though its source goes on: await the pipeline that it builds"}
}

// rejected is what the script's own function came to.
type rejected struct{ text string }

func (r *rejected) Error() string { return r.text }

// saying is an error as the parent is told: with the place in the script that
// it comes from.
func saying(err error) *wire.Error {
	var known *wire.Error
	if errors.As(err, &known) {
		return known
	}
	text := described(err)
	message, _, _ := strings.Cut(text, "\n")
	e := &wire.Error{Class: wire.ClassScript, Node: place(text), Message: clip(message)}
	if e.Node != "" && strings.Contains(e.Message, e.Node) {
		e.Node = ""
	}
	return e
}

// described is an error with the script's stack where there is one.
func described(err error) string {
	var exception *goja.Exception
	var rejection *loop.UnhandledRejection
	switch {
	case errors.As(err, &rejection):
		return loop.Describe(rejection.Reason)
	case errors.As(err, &exception):
		if text := loop.Describe(exception.Value()); strings.Contains(text, "\n") {
			return text
		}
		return exception.String()
	}
	return err.Error()
}

// frame is one line of a stack: "at f (/etc/front.js:12:3)".
var frame = regexp.MustCompile(`(?:\(|at )((?:file://)?/[^():\n]+:\d+:\d+)`)

// place is the innermost place of the user's files in a stack.
func place(text string) string {
	if m := frame.FindStringSubmatch(text); m != nil {
		return strings.TrimPrefix(m[1], "file://")
	}
	return ""
}

func clip(s string) string {
	const most = 2 << 10
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
