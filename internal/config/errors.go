package config

import (
	"fmt"
	"sort"
	"strings"
)

// Error is one thing that is wrong with a configuration.
type Error struct {
	// File, Line and Column say where, Line and Column counted from 1. Line is
	// 0 for a flag or variable, which File then names: --http, MILLRACE_HTTP.
	File         string
	Line, Column int
	Key          string // streams[0].hls.part; empty where no key is concerned
	Message      string // what is wrong and what to do, in one line
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Message)
	return b.String()
}

// Errors is everything that was found wrong, in the order of the file; at most
// maxErrors.
type Errors []*Error

const maxErrors = 20

// Error is one line for each error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the single errors.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, one := range e {
		errs[i] = one
	}
	return errs
}

func (e Errors) sort() {
	sort.SliceStable(e, func(i, j int) bool {
		if e[i].Line != e[j].Line {
			return e[i].Line < e[j].Line
		}
		return e[i].Column < e[j].Column
	})
}
