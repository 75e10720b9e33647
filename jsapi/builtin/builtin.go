// Package builtin holds the JavaScript of the modules that scripts find
// without installing anything: Node's, and millrace.
//
// The sources are an npm project in this folder, bundled by `npm run build`
// into dist, which is embedded. modules.json is the table of modules and of
// the globals that come from them. One compiled program serves every runtime,
// and a module is evaluated when it is first required. In the sources,
// internalBinding('x') is the native module "internal:x", which another
// package provides.
package builtin

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// The folder holds a placeholder, so that this package compiles where the
// bundle was not built.
//
//go:embed all:dist
var dist embed.FS

//go:embed modules.json
var table []byte

// ErrNotBuilt is why no script can run: the bundle was not made.
var ErrNotBuilt = errors.New("the built-in modules are not part of this build: run `make builtins`, then build again")

const bundle = "dist/builtin.js"

// Name is the file that stack traces name for code of the built-in modules.
const Name = "node:internal"

var program = sync.OnceValues(func() (*goja.Program, error) {
	source, err := dist.ReadFile(bundle)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, fmt.Errorf("read the built-in modules: %w", err)
	}
	ast, err := goja.Parse(Name, string(source), parser.WithDisableSourceMaps)
	if err != nil {
		return nil, fmt.Errorf("parse the built-in modules: %w", err)
	}
	p, err := goja.CompileAST(ast, false)
	if err != nil {
		return nil, fmt.Errorf("compile the built-in modules: %w", err)
	}
	return p, nil
})

var listed = sync.OnceValue(func() (t struct {
	Modules map[string]string   `json:"modules"`
	Globals map[string][]string `json:"globals"`
},
) {
	if err := json.Unmarshal(table, &t); err != nil {
		panic(err) // a test reads it too
	}
	return t
})

// Modules are the names that scripts may require or import, in order. Those
// of Node have the prefix node:.
func Modules() []string {
	var names []string
	for name := range listed().Modules {
		if !isInternal(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
