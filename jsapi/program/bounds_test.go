package program_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

// What goes beyond its bounds is told as Node tells of errors: the line of the
// script, why, and the calls.
func TestReportOfBounds(t *testing.T) {
	limits := guard.Strict()
	limits.Heap = 128 << 20
	limits.Timers, limits.Output = 1000, 1<<10
	for _, c := range []struct{ name, source, want string }{
		{"loop", "let i = 0;\nexport function spin() {\n  for (;;) i++;\n}\nspin();", "for (;;) i++"},
		{"regular expression", "const s = 'a'.repeat(40) + '!';\nconsole.log(/(?=a)^(a+)+$/.test(s));", "RangeError: A regular expression took longer"},
		{"repeat", "\nconsole.log('x'.repeat(2 ** 40));", "RangeError: Invalid string length"},
		{"buffer", "\nBuffer.alloc(1e9);", "RangeError: Array buffer allocation failed"},
		{"array", "\nnew Float64Array(2 ** 40);", "RangeError: Array buffer allocation failed"},
		{"recursion", "function f(n) {\n  return f(n + 1) + 1;\n}\nf(0);", "RangeError: Maximum call stack size exceeded"},
		{"timers", "for (;;)\n  setTimeout(() => {}, 1e6);", "1000 timers are set"},
		{"output", "for (;;)\n  console.log('x'.repeat(100));", "ERR_SCRIPT_OUTPUT"},
		{"rejection", "\nPromise.reject(new Error('lost'));", "Error: lost"},
		{"transform", "import { Transform, Readable } from 'node:stream';\nReadable.from(['a']).pipe(new Transform({ transform(c, e, done) {\n  c.nothing.here; } }));", "TypeError"},
		{"in another file", "import './other.js';", "other.js:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bomb.mjs")
			write(t, path, c.source)
			write(t, filepath.Join(filepath.Dir(path), "other.js"), "\nfor (let i = 0;;) i++;")
			script, err := compile.File(path, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			p, err := program.New(program.Options{
				Host:  node.Host{Script: path, Stdout: &out, Stderr: &out},
				Guard: &guard.Options{Limits: limits},
			})
			if err != nil {
				t.Fatal(err)
			}
			err = p.Run(t.Context(), script, nil)
			if err == nil {
				t.Fatal("it ended well")
			}
			got := p.Report(err)
			if !strings.Contains(got, c.want) || !strings.Contains(got, filepath.Base(path)+":") && c.name != "in another file" {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
