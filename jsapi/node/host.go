// Package node holds the natives behind Node's modules that need no files and
// no sockets: process, timers, stacks, encodings, URLs, async contexts.
//
// The JavaScript that uses them lies in jsapi/builtin; what files, sockets and
// the like need is in the packages below this one.
package node

import (
	"fmt"
	"io"

	"github.com/millrace/millrace/jsapi/loop"
)

// Host is the outside world as one script sees it. A field that is not set is
// a thing that the script does not have: no input, output that goes nowhere,
// an empty environment.
type Host struct {
	Exec   string            // process.execPath
	Script string            // the path of the script: process.argv[1]
	Args   []string          // process.argv from its third element on
	Env    map[string]string // process.env; the map is copied
	Cwd    string            // process.cwd(), and what relative paths start from

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminals      [3]bool // which of stdin, stdout and stderr is a terminal
	Columns, Rows  int     // of the terminal

	// Listen says whether the script may open a port; nil is yes.
	Listen func(network, address string) error
	// Signals starts delivery of a signal of the operating system to deliver,
	// until stop. Nil means that there are none.
	Signals func(name string, deliver func()) (stop func(), err error)
}

// Exit is how a script ended that called process.exit, or that set
// process.exitCode and ran out of work. It is an error unless Code is 0.
type Exit struct{ Code int }

// Error says the code.
func (e *Exit) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Provide makes the natives known to a loop. It is called once, before the
// loop runs.
func Provide(l *loop.Loop, host Host) {
	p := newProcess(l, host)
	l.Provide("internal:process", p.module)
	l.Provide("internal:timers", timersModule)
	l.Provide("internal:clock", clockModule)
	l.Provide("internal:stack", stackModule)
	l.Provide("internal:context", contextModule)
	l.Provide("internal:bytes", bytesModule)
	l.Provide("internal:types", typesModule)
	l.Provide("internal:pattern", patternModule)
	l.Provide("internal:url", urlModule)
	l.Provide("internal:module", moduleModule)
}
