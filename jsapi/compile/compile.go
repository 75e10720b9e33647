package compile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
	"github.com/evanw/esbuild/pkg/api"
)

// Options are how a script is compiled; the zero value is for users' scripts.
type Options struct {
	// Resolve gives the runtime's module, by its full name, that a file at
	// importer means by name; empty leaves it to the usual ways. Nil: none.
	Resolve func(name, importer string) string
}

// File compiles the script at path, or gives what it compiled before from the
// same bytes.
func File(path string, o Options) (*Program, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", path, err)
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return nil, fmt.Errorf("open script: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("open script: %s is a folder, name the file in it", path)
	}
	text := fmt.Sprintf("import * as script from %q;\n__millraceExports(script);\n", absolute)
	out, err := bundle(entry{text, absolute}, o)
	if err != nil {
		return nil, err
	}
	return cached(out)
}

// Require compiles what the file at from asks for by name while it runs. The
// error is a *Error where there is no such thing, or it does not compile.
func Require(name, from string, o Options) (*Program, error) {
	text := fmt.Sprintf("__millraceExports(require(%q));\n", name)
	out, err := bundle(entry{text, from}, o)
	if err != nil {
		return nil, err
	}
	return cached(out)
}

// bundled is what esbuild made of a script.
type bundled struct {
	path          string
	source, maps  []byte
	inputs        []string
	module, async bool
}

// bundle tries the script without a top-level await first: one that has none
// runs to its end before anything else does, as in Node.
func bundle(in entry, o Options) (*bundled, error) {
	result := build(in, o, false)
	out := &bundled{path: in.path}
	if awaits(result.Errors) {
		out.async = true
		result = build(in, o, true)
	}
	if len(result.Errors) > 0 {
		return nil, newError(filepath.Dir(in.path), result.Errors)
	}
	for _, f := range result.OutputFiles {
		switch {
		case strings.HasSuffix(f.Path, ".map"):
			out.maps = f.Contents
		default:
			out.source = f.Contents
		}
	}
	if err := out.read(result.Metafile); err != nil {
		return nil, err
	}
	return out, nil
}

func awaits(errors []api.Message) bool {
	return slices.ContainsFunc(errors, func(m api.Message) bool { return strings.Contains(m.Text, "Top-level await") })
}

// read takes from esbuild's account which files went in.
func (b *bundled) read(metafile string) error {
	var meta struct {
		Inputs map[string]struct {
			Format string `json:"format"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return fmt.Errorf("read what went into %s: %w", b.path, err)
	}
	dir := filepath.Dir(b.path)
	for name, in := range meta.Inputs {
		if strings.Contains(name, ":") { // of a plugin, or ours
			continue
		}
		file := name
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		b.inputs = append(b.inputs, file)
		if file == b.path {
			b.module = in.Format == "esm"
		}
	}
	slices.Sort(b.inputs)
	if i := slices.Index(b.inputs, b.path); i > 0 {
		b.inputs = slices.Insert(slices.Delete(b.inputs, i, i+1), 0, b.path)
	}
	return nil
}

const mapName = "millrace.map"

// compile makes goja's program of a bundle.
func (b *bundled) compile() (*Program, error) {
	maps, err := fitMap(b.maps, filepath.Dir(b.path))
	if err != nil {
		return nil, fmt.Errorf("read the source map of %s: %w", b.path, err)
	}
	source := string(b.source) + "\n//# sourceMappingURL=" + mapName + "\n"
	load := func(string) ([]byte, error) { return maps, nil }
	ast, err := goja.Parse(b.path, source, parser.WithSourceMapLoader(load))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path, err)
	}
	code, err := goja.CompileAST(ast, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path, err)
	}
	return &Program{
		Path: b.path, Code: code, Inputs: b.inputs, Module: b.module, Async: b.async,
		source: source, maps: maps,
	}, nil
}
