package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBombs runs scripts that go too far, as a user would: each ends soon, with
// status 1 and an error that says what it was and where.
func TestBombs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, script, want, at string }{
		{"loop", "let i = 0;\nfor (;;) i++;", "without coming back to its event loop", ":2:"},
		{"regular expression", "const s = 'a'.repeat(40) + '!';\n/(?=a)^(a+)+$/.test(s);", "A regular expression took longer", ":2:"},
		{"repeat", "\n'x'.repeat(2 ** 40);", "Invalid string length", ":2:"},
		{"fill", "\nArray(2 ** 31).fill(0);", "Invalid array length", ":2:"},
		{"spread", "const a = Array(1e9);\n[...a];", "ERR_SCRIPT_", ":2:"},
		{"buffer", "\nBuffer.alloc(1e9);", "allocation failed", ":2:"},
		{"array buffer", "\nnew ArrayBuffer(2 ** 40);", "allocation failed", ":2:"},
		// It takes so few steps that the sampler may not have seen it.
		{"doubling", "let s = 'x';\nfor (;;) s += s;", "ERR_SCRIPT_MEMORY", ""},
		{"growth", "const all = [];\nfor (;;) all.push({ n: all.length });", "ERR_SCRIPT_", ":2:"},
		{"json", "const all = [];\nfor (;;) all.push(JSON.parse(JSON.stringify({ a: [1, 2, 3], b: 'x'.repeat(1000) })));", "ERR_SCRIPT_", ":2:"},
		{"replace", "const s = 'x'.repeat(1e6);\ns.replace(/x/g, s);", "ERR_SCRIPT_", ":2:"},
		{"big number", "const n = 10n ** 9n;\nconst m = 2n ** n * 3n ** n;", "ERR_SCRIPT_", ":2:"},
		{"recursion", "function f(n) {\n  return f(n + 1) + 1;\n}\nf(0);", "Maximum call stack size exceeded", ":2:"},
		{"timers", "for (;;)\n  setTimeout(() => {}, 1e6);", "timers are set", ":2:"},
		{"output", "for (;;)\n  console.log('x'.repeat(10000));", "ERR_SCRIPT_OUTPUT", ":2:"},
		{"rejection", "\nPromise.reject(new Error('lost'));", "Error: lost", ":2:"},
		{"transform", "import { Readable, Transform } from 'node:stream';\nReadable.from(['a']).pipe(new Transform({ transform(c) { c.nothing.here; } }));", "TypeError", ":2:"},
		{"listener", "import { EventEmitter } from 'node:events';\nnew EventEmitter().emit('error', new Error('unheard'));", "unheard", ":2:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bomb.mjs")
			writeFile(t, file, c.script)
			began := time.Now()
			cmd := exec.CommandContext(t.Context(), binary, "run", "--limits", "strict", file)
			said, err := lastOf(cmd)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			if !strings.Contains(said, c.want) || c.at != "" && !strings.Contains(said, file+c.at) {
				t.Errorf("want %q at %s%s; it said\n%s", c.want, file, c.at, said)
			}
			if took := time.Since(began); took > 15*time.Second { // on an idle machine it is 3 at most
				t.Errorf("it took %v", took)
			}
		})
	}
}

// lastOf runs a command and gives the end of what it says.
func lastOf(cmd *exec.Cmd) (string, error) {
	var said tailOf
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	return string(said), err
}

type tailOf []byte

func (t *tailOf) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	if n := len(*t) - 64<<10; n > 0 {
		*t = (*t)[n:]
	}
	return len(b), nil
}
