package program

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
)

// Report is what a person is told of an error that ended a script, as Node
// tells it: the line of the script, and the error with its stack. It is empty
// where there is nothing to tell, because the script chose to end.
func (p *Program) Report(err error) string {
	var exit *node.Exit
	var bad *compile.Error
	var exception *goja.Exception
	var rejection *loop.UnhandledRejection
	var interrupted *loop.Interrupted
	switch {
	case err == nil || errors.As(err, &exit):
		return ""
	case errors.As(err, &bad):
		return Faults(bad)
	case errors.As(err, &rejection):
		if !p.isError(rejection.Reason) {
			return fmt.Sprintf("Uncaught (in promise): a promise was rejected with %s, and nothing handled it", p.inspect(rejection.Reason))
		}
		return p.thrown(rejection.Reason, nil)
	case errors.As(err, &exception):
		return p.thrown(exception.Value(), exception)
	case errors.As(err, &interrupted):
		return placed(Stopped(interrupted.Reason), Stack(interrupted.Stack))
	}
	return Stopped(err)
}

// Stopped is a limit that a script met, with its code as Node's errors have it.
func Stopped(err error) string {
	var exceeded *guard.Exceeded
	var own *loop.Error
	switch {
	case errors.As(err, &exceeded):
		return "Error [" + exceeded.Code + "]: " + exceeded.Error()
	case errors.As(err, &own):
		return own.Name + ": " + own.Message
	}
	return err.Error()
}

// placed is a text and a stack, below the line of the script that it is about.
func placed(text, stack string) string {
	if at := calls(stack); at != "" {
		text += "\n" + at
	}
	if file, line, column, ok := place(stack); ok {
		return frame(file, line, column, sourceLine(file, line)) + "\n" + text
	}
	return text
}

// Faults is what a person is told of a script that does not compile.
func Faults(e *compile.Error) string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = "SyntaxError: " + f.Text
		if strings.HasPrefix(f.Text, "Could not resolve") {
			parts[i] = "Error: " + f.Text
		}
		if f.File != "" {
			parts[i] = frame(f.File, f.Line, f.Column, f.Code) + "\n" + parts[i]
		}
	}
	return strings.Join(parts, "\n\n")
}

func (p *Program) thrown(v goja.Value, exception *goja.Exception) string {
	text := p.inspect(v)
	stack := text
	if !p.isError(v) {
		text = "Uncaught " + text
		stack = ""
	}
	if exception != nil && stack == "" {
		stack = Stack(exception.String())
		text += "\n" + calls(stack)
	}
	if file, line, column, ok := place(stack); ok {
		return frame(file, line, column, sourceLine(file, line)) + "\n" + text
	}
	return text
}

func (p *Program) isError(v goja.Value) bool {
	o, ok := v.(*goja.Object)
	if !ok {
		return false
	}
	return o.ClassName() == "Error" || p.Loop.Runtime().InstanceOf(v, p.Loop.Runtime().Get("Error").ToObject(p.Loop.Runtime()))
}

// inspect shows a value as console.log would, or as well as can be where the
// script left util broken.
func (p *Program) inspect(v goja.Value) string {
	rt := p.Loop.Runtime()
	rt.ClearInterrupt()
	if util, err := p.Loop.Require("node:util"); err == nil {
		if f, ok := goja.AssertFunction(util.ToObject(rt).Get("inspect")); ok {
			if text, err := f(goja.Undefined(), v); err == nil {
				return text.String()
			}
		}
	}
	return Stack(loop.Describe(v))
}

var (
	// pc is the position in compiled code that goja adds to each call.
	pc = regexp.MustCompile(`(:\d+:\d+)\(\d+\)`)
	// machinery is calls of esbuild's wrappers, of Go and of the loop.
	machinery = regexp.MustCompile(`^(?:__|github\.com/)|node:internal/`)
	call      = regexp.MustCompile(`^    at (?:.* \()?((?:/|[A-Za-z]:).*?):(\d+):(\d+)\)?(?: \{)?$`)
)

// Stack gives goja's text of a stack the look of Node's.
func Stack(text string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = strings.TrimRight(line, "\n")
		rest, ok := strings.CutPrefix(line, "\tat ")
		if !ok {
			lines = append(lines, line)
			continue
		}
		if machinery.MatchString(rest) {
			continue
		}
		line = pc.ReplaceAllString(rest, "$1")
		if plain, err := url.PathUnescape(line); err == nil {
			line = plain
		}
		lines = append(lines, "    at "+line)
	}
	return strings.Join(lines, "\n")
}

// calls are the lines of a stack that tell of calls.
func calls(stack string) string {
	var kept []string
	for line := range strings.Lines(stack) {
		if strings.HasPrefix(line, "    at ") {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(kept, "\n")
}

// place is the innermost call of a stack that lies in a file of the user's.
func place(stack string) (file string, line, column int, ok bool) {
	for text := range strings.Lines(stack) {
		m := call.FindStringSubmatch(strings.TrimRight(text, "\n"))
		if m == nil || strings.HasPrefix(m[1], builtin.Name) {
			continue
		}
		line, _ = strconv.Atoi(m[2])
		column, _ = strconv.Atoi(m[3])
		return m[1], line, column, true
	}
	return "", 0, 0, false
}

func sourceLine(file string, line int) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if n == line {
			return s.Text()
		}
	}
	return ""
}

// widest is how much of a line is shown: minified files have very long ones.
const widest = 200

// frame is a place in a file, with its line and a mark below it.
func frame(file string, line, column int, code string) string {
	head := fmt.Sprintf("%s:%d:%d", file, line, column)
	if code == "" || len(code) > widest {
		return head + "\n"
	}
	before := code[:min(max(column-1, 0), len(code))]
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return fmt.Sprintf("%s\n%s\n%s^\n", head, code, pad)
}
