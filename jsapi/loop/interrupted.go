package loop

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/dop251/goja"
)

// Interrupted is a script that was stopped from outside, or by the engine
// where it recursed too deeply.
type Interrupted struct {
	Reason error
	Stack  string // where it was, a line a call, as in an Error's stack
}

// Error says why, and where the script was.
func (e *Interrupted) Error() string {
	return strings.TrimRight(fmt.Sprintf("%v\n%s", e.Reason, e.Stack), "\n")
}

// Unwrap is the reason.
func (e *Interrupted) Unwrap() error { return e.Reason }

// shown is how many calls of a stack are told.
const shown = 16

// innermost is the text of a stack's innermost calls.
func innermost(stack []goja.StackFrame) string {
	var b bytes.Buffer
	for i, frame := range stack {
		if i == shown {
			fmt.Fprintf(&b, "\tand %d more\n", len(stack)-shown)
			break
		}
		b.WriteString("\tat ")
		frame.Write(&b)
		b.WriteByte('\n')
	}
	return b.String()
}
