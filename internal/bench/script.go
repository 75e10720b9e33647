package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// chain is a plain-stream program that prints how many objects a second it
// moves; Node runs it as it is.
const chain = `import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
const n = 200000;
let i = 0, seen = 0;
const start = performance.now();
await pipeline(
  new Readable({ objectMode: true, read() { this.push(i < n ? { n: i++ } : null) } }),
  new Transform({ objectMode: true, transform(o, _, done) { done(null, o) } }),
  new Writable({ objectMode: true, write(o, _, done) { seen++; done() } }));
console.log(Math.round(seen / (performance.now() - start) * 1000));
`

// Pipeline scripts of a stream: one that only wires, one that sees each packet.
const (
	wires = `import { hls } from 'millrace';
export default async function (source) { source.pipe(hls()); }
`
	looks = `import { Transform } from 'node:stream';
import { hls } from 'millrace';
export default async function (source) {
  source.pipe(new Transform({ objectMode: true, transform(packet, _, done) { done(null, packet); } })).pipe(hls());
}
`
)

// benchScript measures what JavaScript costs: plain streams beside Node, and an
// identity Transform on a live 1080p30 stream.
func benchScript(ctx context.Context, e *env) error {
	file := filepath.Join(e.dir, "chain.mjs")
	if err := os.WriteFile(file, []byte(chain), 0o600); err != nil {
		return err
	}
	var t table
	t.add("Readable, Transform, Writable", "objects a second")
	for _, by := range []struct{ name, command, argument string }{{"millrace run", e.millrace, "run"}, {"node", "node", ""}} {
		if _, err := exec.LookPath(by.command); err != nil {
			continue
		}
		rate, err := chainRate(ctx, e, by.command, by.argument, file)
		if err != nil {
			return err
		}
		t.add(by.name, strconv.Itoa(rate))
	}
	t.print()
	fmt.Println()
	return identity(ctx, e)
}

func chainRate(ctx context.Context, e *env, command, argument, file string) (int, error) {
	var rates []int
	for range e.runs {
		args := []string{file}
		if argument != "" {
			args = []string{argument, file}
		}
		out, err := exec.CommandContext(ctx, command, args...).Output()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", command, err)
		}
		rate, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			return 0, fmt.Errorf("%s printed %q", command, out)
		}
		rates = append(rates, rate)
	}
	return median(rates), nil
}

// identity measures a stream's whole process tree without a script, with one
// that wires, and with one that sees each packet.
func identity(ctx context.Context, e *env) error {
	clip, err := testmedia.Recipe{
		Name: "live-1080p30", Duration: 20 * time.Second, Audio: &testmedia.AudioRecipe{Codec: "aac"},
		Video: &testmedia.VideoRecipe{
			Codec: "h264", Width: 1920, Height: 1080, Rate: testmedia.FPS30, Bitrate: 5_000_000, Detail: 0.6,
			GOP: int(testmedia.FPS30.Frame(2 * time.Second)),
		},
	}.Make(ctx)
	if err != nil {
		return err
	}
	var t table
	t.add("one 1080p30 source of 5 Mbit/s, passed through", "cores", "memory")
	for _, kind := range []struct{ name, script string }{
		{"no script", ""}, {"a script that wires", wires}, {"an identity Transform", looks},
	} {
		stream := "ladder: passthrough"
		if kind.script != "" {
			file := filepath.Join(e.dir, strings.ReplaceAll(kind.name, " ", "-")+".mjs")
			if err := os.WriteFile(file, []byte(kind.script), 0o600); err != nil {
				return err
			}
			stream += "\n    pipeline: " + file
		}
		u, err := sizeOf(ctx, e, clip, stream)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		t.add(kind.name, fmt.Sprintf("%.4f", u.cpu.Seconds()/u.wall.Seconds()), mebibytes(u.memory))
	}
	t.print()
	return nil
}
