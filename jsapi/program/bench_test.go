package program_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/builtin"
	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

func compiled(b *testing.B, text string) *compile.Program {
	b.Helper()
	path := filepath.Join(b.TempDir(), "script.mjs")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	script, err := compile.File(path, compile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return script
}

func started(b *testing.B, script *compile.Program, out io.Writer) *program.Program {
	b.Helper()
	p, err := program.New(program.Options{Host: node.Host{Script: script.Path, Cwd: filepath.Dir(script.Path), Stdout: out}})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Run(b.Context(), script, nil); err != nil {
		b.Fatal(p.Report(err))
	}
	return p
}

// BenchmarkRuntime makes a further runtime: one with nothing but what every
// script gets, and one with all modules loaded. The limits are 10 ms and 4 MB;
// cpu-ms/op is what the processor spent, its collector included, whatever else
// the machine did.
func BenchmarkRuntime(b *testing.B) {
	var all strings.Builder
	for _, name := range builtin.Modules() {
		fmt.Fprintf(&all, "require(%q);\n", name)
	}
	for name, text := range map[string]string{"bare": "", "all": all.String()} {
		b.Run(name, func(b *testing.B) {
			script := compiled(b, text)
			started(b, script, nil) // compiles the bundle
			var kept [8]*program.Program
			before := heap()
			for i := range kept {
				kept[i] = started(b, script, nil)
			}
			each := float64(heap()-before) / float64(len(kept))
			runtime.KeepAlive(kept)
			spent := processor()
			for b.Loop() {
				started(b, script, nil)
			}
			b.ReportMetric(float64((processor()-spent).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
			b.ReportMetric(each/1e6, "MB/runtime")
		})
	}
}

// processor is the time that this process has spent so far, by getrusage(2).
func processor() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // cannot fail for the process itself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const chain = `
	import { Readable, Transform, Writable } from 'node:stream';
	import { pipeline } from 'node:stream/promises';
	const n = 20000;
	let i = 0, seen = 0;
	const start = performance.now();
	await pipeline(
		new Readable({ objectMode: true, read() { this.push(i < n ? { n: i++ } : null) } }),
		new Transform({ objectMode: true, transform(o, _, done) { done(null, o) } }),
		new Writable({ objectMode: true, write(o, _, done) { seen++; done() } }));
	console.log(Math.round(seen / (performance.now() - start) * 1000));`

// BenchmarkChain is objects per second through Readable, Transform and
// Writable, beside Node in the same run where there is one.
func BenchmarkChain(b *testing.B) {
	script := compiled(b, chain)
	rate := func(text string) float64 {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			b.Fatalf("the script printed %q", text)
		}
		return n
	}
	b.Run("millrace", func(b *testing.B) {
		best := 0.0
		for b.Loop() {
			var out strings.Builder
			started(b, script, &out)
			best = max(best, rate(out.String()))
		}
		b.ReportMetric(best, "objects/s")
	})
	bin, err := exec.LookPath("node")
	if err != nil {
		return
	}
	b.Run("node", func(b *testing.B) {
		best := 0.0
		for b.Loop() {
			out, err := exec.CommandContext(b.Context(), bin, script.Path).Output()
			if err != nil {
				b.Fatal(err)
			}
			best = max(best, rate(string(out)))
		}
		b.ReportMetric(best, "objects/s")
	})
}
