package media_test

import (
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// Timers advance in media time, and fire at the same packets in every run.
func TestClock(t *testing.T) {
	script := `
		import { pipeline } from 'node:stream/promises';
		import { setTimeout as later } from 'node:timers/promises';
		import { Transform, Writable } from 'node:stream';
		import fs from 'node:fs/promises';
		export default async function (source) {
			const log = [];
			const every = setInterval(() => log.push('tick ' + Date.now()), 100);
			setTimeout(() => log.push('far'), 1e9).unref();
			await pipeline(source.video, new Transform({ objectMode: true, async transform(p, _, done) {
				if (p.pts === 7200) await fs.writeFile('file', 'text');
				if (p.pts === 10800) await later(50);
				log.push('packet ' + p.time * 1000);
				done(null, p);
			} }), new Writable({ objectMode: true, write(p, _, done) { log.push('at ' + performance.now()); done() } }));
			clearInterval(every);
			console.log(log.join(', '), Math.random());
		}`
	want := "packet 0, at 0, packet 40, at 40, packet 80, at 80, tick 100, packet 120"
	var first string
	for range 3 {
		got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(10), Clock: media.NewClock()}, script)
		if err != nil || len(got) < len(want) || got[:len(want)] != want {
			t.Fatalf("got %q, want it to begin with %q; error %v", got, want, err)
		}
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("got %q, and %q before", got, first)
		}
	}
	t.Log(first)
}
