package loop

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	"github.com/dop251/goja"
)

// Error is an error as Node's are: with a code that programs can ask for.
type Error struct {
	Name    string // the constructor: Error unless set (TypeError, RangeError)
	Code    string // ERR_INVALID_ARG_TYPE, ENOENT …
	Message string
	Fields  map[string]any // further properties: errno, syscall, path …
	Cause   error
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Reason is an error as a value to throw or reject with: an exception's own
// value, an Error with its code, a system error as Node words it.
func (l *Loop) Reason(err error) goja.Value {
	var exception *goja.Exception
	if errors.As(err, &exception) {
		return exception.Value()
	}
	var own *Error
	if !errors.As(err, &own) {
		own = system(err)
	}
	name := own.Name
	if name == "" {
		name = "Error"
	}
	constructor := l.rt.Get(name)
	o, newErr := l.rt.New(constructor, l.rt.ToValue(own.Message))
	if newErr != nil {
		return l.rt.ToValue(own.Message)
	}
	// As Node orders them: people read them in logs.
	set := func(k string) {
		if v, ok := own.Fields[k]; ok {
			_ = o.Set(k, v)
		}
	}
	set("errno")
	if own.Code != "" {
		_ = o.Set("code", own.Code)
	}
	for _, k := range ordered {
		set(k)
	}
	for _, k := range slices.Sorted(maps.Keys(own.Fields)) {
		if k != "errno" && !slices.Contains(ordered, k) {
			set(k)
		}
	}
	return o
}

var ordered = []string{"syscall", "path", "dest", "address", "port", "hostname"}

// Throw panics with an error as goja wants it of a Go function that a script
// called: as an exception that the script can catch.
func (l *Loop) Throw(err error) {
	panic(l.Reason(err))
}

// system words an error of the operating system as Node does.
func system(err error) *Error {
	e := &Error{Message: err.Error(), Cause: err}
	var no syscall.Errno
	if !errors.As(err, &no) {
		return e
	}
	code, text := ErrnoText(no)
	e.Code = code
	e.Fields = map[string]any{"errno": -int(no)}
	e.Message = code + ": " + text
	var path *fs.PathError
	if errors.As(err, &path) {
		e.Fields["syscall"], e.Fields["path"] = path.Op, path.Path
		e.Message += ", " + path.Op + " '" + path.Path + "'"
	}
	return e
}
