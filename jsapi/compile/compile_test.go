package compile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dop251/goja"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/compile"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		// In one step, as editors do: a watcher must not see half of it.
		if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Fatal(err)
		}
	}
}

// script compiles the first file.
func script(t *testing.T, main string, files map[string]string) (*compile.Program, string, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	p, err := compile.File(filepath.Join(dir, main), compile.Options{})
	return p, dir, err
}

func TestInputs(t *testing.T) {
	p, dir, err := script(t, "main.ts", map[string]string{
		"main.ts":                       `import a from './a'; import dep from 'dep'; import 'node:fs'; console.log(a, dep);`,
		"a.ts":                          `export default 1 as number;`,
		"node_modules/dep/package.json": `{"name": "dep", "main": "lib/index.js"}`,
		"node_modules/dep/lib/index.js": `module.exports = require('./other');`,
		"node_modules/dep/lib/other.js": `module.exports = 2;`,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"main.ts", "a.ts", "node_modules/dep/lib/index.js", "node_modules/dep/lib/other.js"}
	for i, name := range want {
		want[i] = filepath.Join(dir, name)
	}
	if strings.Join(p.Inputs, "\n") != strings.Join(want, "\n") {
		t.Errorf("made of\n%s\nwant\n%s", strings.Join(p.Inputs, "\n"), strings.Join(want, "\n"))
	}
	if !p.Module || p.Async {
		t.Errorf("module %v, async %v", p.Module, p.Async)
	}
}

func TestKinds(t *testing.T) {
	for name, c := range map[string]struct {
		file, text    string
		module, async bool
	}{
		"CommonJS":        {"a.js", `exports.a = 1`, false, false},
		"nothing said":    {"a.js", `console.log(1)`, false, false},
		"import":          {"a.js", `import 'node:fs'`, true, false},
		"top-level await": {"a.mjs", `await 1`, true, true},
		"await inside":    {"a.mjs", `export default async () => { await 1 }`, true, false},
		"async generator": {"a.mjs", `export async function* f() { for await (const x of f()) yield x }`, true, false},
		"property class":  {"a.js", `exports.r = /\p{L}/u`, false, false},
		"hashbang":        {"a.js", "#!/usr/bin/env millrace\nexports.a = __filename", false, false},
		"TypeScript":      {"a.cts", `const a: number = 1; export = a`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, err := script(t, c.file, map[string]string{c.file: c.text})
			if err != nil {
				t.Fatal(err)
			}
			if p.Module != c.module || p.Async != c.async {
				t.Errorf("module %v, async %v; want %v, %v", p.Module, p.Async, c.module, c.async)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	_, dir, err := script(t, "main.js", map[string]string{
		"main.js":  "import './other.js';\nimport 'left-pad';\n",
		"other.js": "export const x = 1;\n\n  let y = ;\n",
	})
	var bad *compile.Error
	if !errors.As(err, &bad) {
		t.Fatalf("got %v", err)
	}
	text := err.Error()
	for _, want := range []string{
		filepath.Join(dir, "other.js") + `:3:11: Unexpected ";"`,
		filepath.Join(dir, "main.js") + `:2:8: Could not resolve "left-pad"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got\n%s\nwant %s in it", text, want)
		}
	}
	for _, path := range []string{filepath.Join(dir, "nothing.js"), dir} {
		if _, err := compile.File(path, compile.Options{}); err == nil {
			t.Errorf("%s compiles", path)
		}
	}
}

func TestCompiledOnce(t *testing.T) {
	p, dir, err := script(t, "a.js", map[string]string{"a.js": "exports.a = 1"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := compile.File(filepath.Join(dir, "a.js"), compile.Options{})
	if err != nil || again.Code != p.Code {
		t.Errorf("compiled twice, %v", err)
	}
	write(t, dir, map[string]string{"a.js": "exports.a = 2"})
	again, err = compile.File(filepath.Join(dir, "a.js"), compile.Options{})
	if err != nil || again.Code == p.Code {
		t.Errorf("not compiled after a change, %v", err)
	}
}

// A program runs in many runtimes at the same time; the race detector looks.
func TestManyRuntimes(t *testing.T) {
	p, dir, err := script(t, "a.mts", map[string]string{
		"a.mts": "\n\n  const f = (): void => { null!.x };\nexport const r = f();\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			rt := goja.New()
			v, err := rt.RunProgram(p.Code)
			if err != nil {
				t.Error(err)
				return
			}
			f, _ := goja.AssertFunction(v)
			_, err = f(nil, nil, nil, nil)
			// Positions are those of the file.
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "a.mts")+":3:33") {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
}

func TestWatch(t *testing.T) {
	p, dir, err := script(t, "main.js", map[string]string{
		"main.js": "import './part.js'", "part.js": "console.log(1)",
	})
	if err != nil {
		t.Fatal(err)
	}
	type change struct {
		program *compile.Program
		err     error
	}
	changes := make(chan change)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		compile.Watch(ctx, p, compile.Options{}, 5*time.Millisecond, func(next *compile.Program, err error) {
			select {
			case changes <- change{next, err}:
			case <-ctx.Done():
			}
		})
	}()
	write(t, dir, map[string]string{"part.js": "console.log(22)"})
	if c := <-changes; c.err != nil || c.program.Code == p.Code {
		t.Errorf("a change of an imported file: %+v", c)
	}
	write(t, dir, map[string]string{"main.js": "import './new.js'"})
	if c := <-changes; c.err == nil || !strings.Contains(c.err.Error(), `main.js:1:8: Could not resolve "./new.js"`) {
		t.Errorf("a script that does not compile: %+v", c)
	}
	write(t, dir, map[string]string{"new.js": "export const a = ;"})
	write(t, dir, map[string]string{"main.js": "import './new.js'; // now it is there"})
	if c := <-changes; c.err == nil || !strings.Contains(c.err.Error(), "new.js:1:18") {
		t.Errorf("a mistake in a new file: %+v", c)
	}
	write(t, dir, map[string]string{"new.js": "export const a = 1;"})
	if c := <-changes; c.err != nil {
		t.Errorf("a script that is mended: %+v", c)
	}
	cancel()
	<-done
}
