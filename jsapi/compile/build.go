package compile

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/millrace/millrace/jsapi/builtin"
)

// entryName is the file that imports the script and hands over its exports.
const entryName = "node:internal/start"

// namespace is esbuild's for modules that the runtime brings.
const namespace = "runtime"

// entry is what esbuild starts from.
type entry struct {
	text string
	path string // the script, or the file that asks
}

// build runs esbuild once. With async the output may await at its top level.
func build(in entry, o Options, async bool) api.BuildResult {
	function, format := "(function (", api.FormatCommonJS
	if async {
		function, format = "(async function (", api.FormatESModule
	}
	dir := filepath.Dir(in.path)
	result := api.Build(api.BuildOptions{
		Stdin:         &api.StdinOptions{Contents: in.text, ResolveDir: dir, Sourcefile: entryName},
		AbsWorkingDir: dir,
		Outfile:       filepath.Join(dir, "millrace.js"),
		Bundle:        true,
		Metafile:      true,
		Sourcemap:     api.SourceMapExternal,
		Banner:        map[string]string{"js": function + parameters + ") {"},
		Footer:        map[string]string{"js": "})"},
		Format:        format,
		// Node's way to find a package's file, with the entry for Node; a
		// browser's build would miss what the runtime has.
		Platform:   api.PlatformNode,
		MainFields: []string{"main", "module"},
		Conditions: []string{"millrace"},
		Target:     api.ES2022,
		Supported: map[string]bool{
			"async-generator": false, "for-await": false, "top-level-await": async, "using": false,
			// goja has neither; the runtime's RegExp knows them.
			"regexp-unicode-property-escapes": false, "regexp-set-notation": false,
			// esbuild does not look for \p{…} inside of [ ], so all literals with
			// the flag u are handed over.
			"regexp-sticky-and-unicode-flags": false,
			"import-meta":                     true, "dynamic-import": false,
			"hashbang": false,
		},
		Define:   map[string]string{"require.main": "__millraceMain.module", "import.meta": "__millraceMeta"},
		Charset:  api.CharsetUTF8,
		LogLevel: api.LogLevelSilent,
		Loader:   map[string]api.Loader{".node": api.LoaderEmpty},
		Plugins:  []api.Plugin{{Name: "millrace", Setup: func(b api.PluginBuild) { plug(b, in.path, o) }}},
	})
	return result
}

// What a file says when it asks where it is.
var (
	importMeta = regexp.MustCompile(`\bimport\s*\.\s*meta\b`)
	mainModule = regexp.MustCompile(`\brequire\s*\.\s*main\b`)
)

// plug leaves the runtime's own modules to require, and tells each file where
// it is.
func plug(b api.PluginBuild, script string, o Options) {
	b.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		if a.PluginData == asked || a.Kind == api.ResolveEntryPoint || filepath.IsAbs(a.Path) {
			return api.OnResolveResult{}, nil
		}
		name := resolve(a, o)
		switch {
		case name != "" || !late(a.Kind) || found(b, a):
		case strings.HasSuffix(a.Importer, entryName): // it was asked for while the script runs: nobody else has it
			return api.OnResolveResult{Errors: []api.Message{{Text: fmt.Sprintf("%s %q", unresolved, a.Path)}}}, nil
		default:
			name = a.Path
		}
		if name == "" {
			return api.OnResolveResult{}, nil
		}
		return api.OnResolveResult{Path: name, Namespace: namespace}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: namespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		// esbuild would look for the module again were the call plain.
		contents := fmt.Sprintf("module.exports = (0, require)(%q);\n", a.Path)
		return api.OnLoadResult{Contents: &contents, Loader: api.LoaderJS}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: `\.[cm]?[jt]sx?$`}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		bytes, err := os.ReadFile(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := string(bytes)
		contents := located(text, a.Path, script)
		if contents == text {
			return api.OnLoadResult{}, nil
		}
		return api.OnLoadResult{Contents: &contents, Loader: api.LoaderDefault, ResolveDir: filepath.Dir(a.Path)}, nil
	})
}

// asked marks a question of ours to esbuild, lest we answer it.
const asked = "asked"

// late tells what fails when it runs and not before: a package may try one
// module and go on without it.
func late(k api.ResolveKind) bool {
	return k == api.ResolveJSRequireCall || k == api.ResolveJSDynamicImport || k == api.ResolveJSRequireResolve
}

func found(b api.PluginBuild, a api.OnResolveArgs) bool {
	r := b.Resolve(a.Path, api.ResolveOptions{
		Importer: a.Importer, Namespace: a.Namespace, ResolveDir: a.ResolveDir, Kind: a.Kind, PluginData: asked, With: a.With,
	})
	return len(r.Errors) == 0 && !r.External // external is what Node has, and the runtime has not
}

// resolve is the module of the runtime that a file asks for; empty where it
// is another file.
func resolve(a api.OnResolveArgs, o Options) string {
	if o.Resolve != nil {
		if name := o.Resolve(a.Path, a.Importer); name != "" {
			return name
		}
	}
	if strings.HasPrefix(a.Path, ".") || strings.HasPrefix(a.Path, "/") {
		return ""
	}
	return builtin.Resolve(a.Path)
}

// located gives a file what Node gives each module of its own, on its first
// line, so that no line moves.
func located(text, path, script string) string {
	var before strings.Builder
	if path == script && mainModule.MatchString(text) {
		before.WriteString("__millraceMain.module = module; ")
	}
	if strings.Contains(text, "__filename") || strings.Contains(text, "__dirname") {
		fmt.Fprintf(&before, "var __filename = %q, __dirname = %q; ", path, filepath.Dir(path))
	}
	if importMeta.MatchString(text) {
		fmt.Fprintf(&before, "var __millraceMeta = { url: %q, filename: %q, dirname: %q, main: %t, resolve: (to) => new URL(to, %[1]q).href }; ",
			fileURL(path), path, filepath.Dir(path), path == script)
	}
	if before.Len() == 0 {
		return text
	}
	if strings.HasPrefix(text, "#!") {
		line, rest, _ := strings.Cut(text, "\n")
		return "// " + line[2:] + "\n" + before.String() + rest
	}
	return before.String() + text
}

func fileURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }
