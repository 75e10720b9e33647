package compile

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Fault is one mistake in a script.
type Fault struct {
	File         string // absolute; empty where none is to blame
	Line, Column int    // from 1
	Text         string
	Code         string // the line of the file
	Notes        []string
}

// String is the fault on one line.
func (f Fault) String() string {
	if f.File == "" {
		return f.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Error is why a script does not compile.
type Error struct{ Faults []Fault }

// Error has a line for each mistake.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// unresolved is how esbuild begins to say that a file or package is missing.
const unresolved = "Could not resolve"

// Unresolved tells whether a file or package is missing.
func (e *Error) Unresolved() bool {
	for _, f := range e.Faults {
		if strings.HasPrefix(f.Text, unresolved) {
			return true
		}
	}
	return false
}

func newError(dir string, messages []api.Message) *Error {
	e := &Error{}
	for _, m := range messages {
		f := Fault{Text: m.Text}
		if l := m.Location; l != nil {
			f.File, f.Line, f.Column, f.Code = l.File, l.Line, l.Column+1, l.LineText
			if !filepath.IsAbs(f.File) {
				f.File = filepath.Join(dir, f.File)
			}
		}
		for _, n := range m.Notes {
			f.Notes = append(f.Notes, n.Text)
		}
		e.Faults = append(e.Faults, f)
	}
	return e
}
