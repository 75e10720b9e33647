package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	module  = "github.com/millrace/millrace"
	root    = "../.." // the repository, seen from this package's folder
	address = "docs/architecture.md, Rooms"
)

// pkg is what `go list` tells of one package. Imports is what the package
// itself needs, TestImports what its tests need besides.
type pkg struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
	CgoFiles     []string
	CFiles       []string
}

// room is the package's address below the module.
func (p pkg) room() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// everything is all that the package and its tests import.
func (p pkg) everything() []string {
	all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	slices.Sort(all)
	return slices.Compact(all)
}

// local is the room that an import path names, and whether it is one of ours.
func local(importPath string) (string, bool) { return strings.CutPrefix(importPath, module+"/") }

// standard tells the standard library by its first element, which has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != "C"
}

// inside reports whether a room is the one that pattern names, or, for
// "room/...", that room or one below it.
func inside(room, pattern string) bool {
	if top, ok := strings.CutSuffix(pattern, "/..."); ok {
		return room == top || strings.HasPrefix(room, top+"/")
	}
	return room == pattern
}

func insideAny(room string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return inside(room, p) })
}

// list asks Go once for all packages; cgo is on, so that files that use it are told.
var list = sync.OnceValues(func() ([]pkg, error) {
	out, err := run([]string{"CGO_ENABLED=1"}, "go", "list", "-e",
		"-json=ImportPath,Name,Imports,TestImports,XTestImports,CgoFiles,CFiles", "./...")
	if err != nil {
		return nil, err
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}

// run answers what a command printed; where it fails, the error holds all that it said.
func run(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, complaint.String())
	}
	return string(out), nil
}
