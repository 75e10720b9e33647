package program_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

// The clock of the matcher of regular expressions goes on for a second.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// run runs files of a folder, the first one as the script, and gives what it
// wrote.
func run(t *testing.T, files map[string]string, name string, args ...string) (stdout string, err error) {
	t.Helper()
	dir := t.TempDir()
	for file, text := range files {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	script, err := compile.File(path, compile.Options{})
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	p, err := program.New(program.Options{Host: node.Host{
		Exec: "millrace", Script: path, Args: args, Cwd: dir, Stdout: &out, Stderr: &out,
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Run(t.Context(), script, nil)
	return strings.ReplaceAll(out.String(), dir, "DIR"), err
}

func TestModules(t *testing.T) {
	got, err := run(t, map[string]string{
		"main.ts": `
			import { Transform } from 'node:stream';
			import { pipeline } from 'stream/promises';
			import add, { version } from './lib.js';
			import data from './data.json';
			const old = require('./old.cjs');
			type T = { a: number };
			const t: T = { a: add(1, 2) };
			console.log(t, version, data.name, old.kind, import.meta.filename, import.meta.dirname);
			const { late } = await import('./late.mjs');
			console.log(late, typeof import.meta.url);
			const out: string[] = [];
			await pipeline(['a', 'b'], new Transform({ objectMode: true, transform(c, _, done) { done(null, c.toUpperCase()) } }),
				async function (source) { for await (const c of source) out.push(c) });
			console.log(out);`,
		"lib.js":    `export default (a, b) => a + b; export const version = '1';`,
		"data.json": `{"name": "json"}`,
		"old.cjs":   `exports.kind = typeof module.exports`,
		"late.mjs":  `export const late = await Promise.resolve('late')`,
	}, "main.ts")
	want := `{ a: 3 } 1 json object DIR/main.ts DIR
late string
[ 'A', 'B' ]
`
	if err != nil || got != want {
		t.Errorf("got %s\nwant %s\nerror %v", got, want, err)
	}
}
