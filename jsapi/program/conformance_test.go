package program_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

// The tests of node:stream as readable-stream publishes them: a folder with
// test/parallel in it, unchanged.
const conformanceTests = "READABLE_STREAM_TESTS"

// failing are the tests that do not pass, each with its reason. The list may
// only shrink: a test in it that passes is an error.
var failing = map[string]string{
	"test-stream-base-prototype-accessors-enumerability.js": "asks for process.binding, Node's own insides",
	"test-stream-pipeline-process.js":                       "starts a process: scripts start none",
	"test-stream-writable-samecb-singletick.js":             "counts ticks by async_hooks.createHook, which slows every callback down",
}

// least is the share of the tests that passes at least.
const least = 0.98

// perTest is how long one may take: under -race, on a busy machine, the slowest needs more than a minute.
const perTest = 2 * time.Minute

// errTooLong is why a test was stopped.
var errTooLong = errors.New("it takes too long")

func TestConformance(t *testing.T) {
	dir := os.Getenv(conformanceTests)
	if dir == "" {
		t.Logf("%s names no folder with readable-stream's tests: nothing was run", conformanceTests)
		return
	}
	var tests []string
	for _, pattern := range []string{"*.js", "*.mjs"} {
		found, err := filepath.Glob(filepath.Join(dir, "test", "parallel", pattern))
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, found...)
	}
	if len(tests) == 0 {
		t.Fatalf("%s=%s: no tests there", conformanceTests, dir)
	}
	results := make(map[string]error)
	var mu sync.Mutex
	queue := make(chan string)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for path := range queue {
				err := conform(t.Context(), path)
				mu.Lock()
				results[filepath.Base(path)] = err
				mu.Unlock()
			}
		})
	}
	for _, path := range tests {
		queue <- path
	}
	close(queue)
	workers.Wait()
	judge(t, results)
}

func judge(t *testing.T, results map[string]error) {
	t.Helper()
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(results)) {
		err, reason := results[name], failing[name]
		switch {
		case err == nil:
			passed++
			if reason != "" {
				t.Errorf("%s passes now: take it off the list", name)
			}
		case reason == "":
			t.Errorf("%s fails: %v", name, err)
		}
	}
	for name := range failing {
		if _, ok := results[name]; !ok {
			t.Errorf("%s is on the list of those that fail, and is not among the tests", name)
		}
	}
	t.Logf("%d of %d pass", passed, len(results))
	if share := float64(passed) / float64(len(results)); share < least {
		t.Errorf("%.1f %% pass, fewer than %.0f %%", share*100, least*100)
	}
}

// stand is what the tests ask for of what they were written beside: the
// library's files, which are the runtime's modules here, and a test runner.
func stand(name, _ string) string {
	name = strings.TrimSuffix(name, ".js")
	if _, file, ok := strings.Cut(name, "/lib/"); ok {
		switch file {
		case "ours/index", "stream":
			return "node:stream"
		case "stream/promises":
			return "node:stream/promises"
		case "_stream_readable", "_stream_writable", "_stream_duplex", "_stream_transform", "_stream_passthrough":
			return "node:" + file
		}
		return "test:" + file
	}
	if slices.Contains([]string{"tap", "abort-controller", "event-target-shim", "child_process"}, name) {
		return "test:" + name
	}
	return ""
}

// stands are the modules behind those names.
func stands(l *loop.Loop) error {
	from := func(module, key string) loop.Factory {
		return func(l *loop.Loop) goja.Value {
			v, err := l.Require(module)
			if err != nil {
				panic(l.Reason(err))
			}
			if key == "" {
				return v
			}
			return v.ToObject(l.Runtime()).Get(key)
		}
	}
	l.Provide("test:abort-controller", from("internal:abort", ""))
	l.Provide("test:event-target-shim", from("internal:event-target", ""))
	l.Provide("test:internal/streams/buffer_list", from("internal:streams", "BufferList"))
	l.Provide("test:internal/streams/compose", from("internal:streams", "compose"))
	l.Provide("test:internal/streams/add-abort-signal", from("internal:streams", "addAbortSignal"))
	l.Provide("test:ours/primordials", from("internal:streams", "primordials"))
	l.Provide("test:tap", func(l *loop.Loop) goja.Value {
		tap := l.Runtime().NewObject()
		for _, name := range []string{"pass", "fail"} {
			_ = tap.Set(name, func() {})
		}
		return tap
	})
	// The tests' common part asks whether openssl's program is there.
	l.Provide("test:child_process", func(l *loop.Loop) goja.Value {
		o := l.Runtime().NewObject()
		_ = o.Set("spawnSync", func() map[string]any { return map[string]any{"status": 1} })
		return o
	})
	return nil
}

// conform runs one test as millrace run would.
func conform(ctx context.Context, path string) error {
	script, err := compile.File(path, compile.Options{Resolve: stand})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, perTest, errTooLong)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	p, err := program.New(program.Options{
		Extra: stands, Compile: compile.Options{Resolve: stand},
		Host: node.Host{
			Exec: exe, Script: path, Cwd: filepath.Dir(path), Stdout: &out, Stderr: &out,
			Stdin: strings.NewReader(""),
		},
	})
	if err != nil {
		return err
	}
	if err := p.Run(ctx, script, nil); err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, p.Report(err), out.String())
	}
	return nil
}
