package compile

import (
	"github.com/dop251/goja"
)

// Program is a compiled script.
type Program struct {
	Path   string        // of the script, absolute
	Code   *goja.Program // evaluates to the function that runs the script: see Start
	Inputs []string      // every file that it was made of, absolute, the script first
	// Module says that the script is an ES module: Node runs those from a
	// promise job, so that their promise jobs come before their ticks.
	Module bool
	// Async says that the script awaits at its top level; Start's function
	// then gives a promise.
	Async bool

	source string // what goja runs
	maps   []byte // its source map
}

// The parameters of the function that Code evaluates to, in order: require
// for modules of the runtime, the receiver of the script's exports, and what
// takes the module object of a CommonJS script (require.main).
const parameters = "require, __millraceExports, __millraceMain"
