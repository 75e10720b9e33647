package media_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// A live source is not held up by a script that never takes anything; what is
// lost is counted, and what goes on begins with a keyframe.
func TestOverflow(t *testing.T) {
	for _, c := range []struct{ overflow, want string }{
		{"", "all read true, lost true, after a gap a key true"},
		{"dropToKey", "all read true, lost true, after a gap a key true"},
		{"dropNonRef", "all read true, lost true, after a gap a key true"},
		{"latest", "all read true, lost true, after a gap a key true"},
		{"block", "all read true, lost false, after a gap a key true"},
	} {
		t.Run(c.overflow, func(t *testing.T) {
			clip := newClip(2000)
			set := "let held = true;" // the reader, until something was lost
			if c.overflow != "" {
				set = fmt.Sprintf("source.overflow = '%s'; let held = %t;", c.overflow, c.overflow != "block")
			}
			got, err := run(t, media.Options{Engine: &standIn{}, Source: clip, Live: true}, `
				import { pipeline } from 'node:stream/promises';
				import { Writable } from 'node:stream';
				export default async (source) => {
					`+set+`
					let last = -3600, fine = true, n = 0;
					await pipeline(source.video, new Writable({ objectMode: true, highWaterMark: 1, write(p, _, done) {
						if (p.pts !== last + 3600 && !p.key) fine = false;
						last = p.pts;
						n++;
						const go = () => {
							held &&= source.dropped === 0;
							if (held) setTimeout(go, 1);
							else if (n % 50 === 0) setTimeout(done, 2);
							else done();
						};
						go();
					} }));
					console.log('all read ' + (n + source.video.dropped === 1000) + ', lost ' + (source.dropped > 0) + ', after a gap a key ' + fine);
				}`)
			if err != nil || strings.TrimSpace(got) != c.want {
				t.Errorf("got %q, want %q; error %v", got, c.want, err)
			}
		})
	}
}

// A slow branch of a lossy tee loses packets, and the other one none.
func TestLossyTee(t *testing.T) {
	got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(2000)}, `
		import { pipeline } from 'node:stream/promises';
		import { Writable } from 'node:stream';
		import { tee, mux } from 'millrace';
		export default async (source) => {
			const branches = tee({ lossy: true });
			let slow = 0, bytes = '';
			const stuck = new Writable({ objectMode: true, write() { slow++ } });
			branches.pipe(stuck);
			await pipeline(source.video, branches, mux('mp4'), async (b) => { for await (const x of b) bytes += x });
			console.log(slow, bytes.split('\n').length);
			stuck.destroy();
		}`)
	if want := "1 1002\n"; err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}

// An error that can be recovered from restarts its stage, with a
// discontinuity; where the script sees to errors of the stage it does not.
func TestRestart(t *testing.T) {
	script := func(listen string) string {
		return `
		import { pipeline } from 'node:stream/promises';
		import { Writable } from 'node:stream';
		import { decode } from 'millrace';
		export default async (source) => {
			const d = decode();
			d.on('restart', (e) => console.log('restart', e.code, e.stage, e.stream, e.recoverable));
			` + listen + `
			const got = [];
			await pipeline(source.video, d, new Writable({ objectMode: true, write(f, _, done) { got.push(f.pts / 3600 + ':' + f.epoch); done() } }))
				.catch((e) => console.log('failed', e.code));
			console.log(got.join(' '));
		}`
	}
	clip := func() *clip {
		c := newClip(60)
		c.payload = func(n int) string {
			if n == 6 {
				return "bad"
			}
			return "good"
		}
		return c
	}
	got, err := run(t, media.Options{Engine: &standIn{}, Source: clip(), Stream: "cam"}, script(""))
	want := "restart ERR_MEDIA_DECODE decode cam true\n0:0 1:0 2:0 10:1 11:1 12:1 13:1 14:1 15:1 16:1 17:1 18:1 19:1 20:1 21:1 22:1 23:1 24:1 25:1 26:1 27:1 28:1 29:1\n"
	if err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
	got, err = run(t, media.Options{Engine: &standIn{}, Source: clip(), Stream: "cam"},
		script(`d.on('error', (e) => console.log('seen', e.code, e.recoverable));`))
	if want := "seen ERR_MEDIA_DECODE true\nfailed ERR_MEDIA_DECODE\n"; err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}

// A source that waits ends at once when it is destroyed, and so does all that
// hangs on it.
func TestDestroy(t *testing.T) {
	c := newClip(100)
	c.pace = func(ctx context.Context, n int) error {
		if n < 10 {
			return nil
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	got, err := run(t, media.Options{Engine: &standIn{}, Source: c, Live: true}, `
		import { pipeline } from 'node:stream/promises';
		import { decode, encode, mux } from 'millrace';
		export default async (source) => {
			const ac = new AbortController();
			setTimeout(() => ac.abort(), 20);
			try {
				await pipeline(source.video, decode(), encode({ codec: 'libx264' }), mux('mp4'), async (b) => { for await (const x of b); }, { signal: ac.signal });
			} catch (e) { console.log(e.name) }
		}`)
	if want := "AbortError\n"; err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
	if !c.closed.Load() {
		t.Error("the source was not closed")
	}
}

// What is known of a source stays known when it has ended.
func TestEnded(t *testing.T) {
	got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(10)}, `
		import { Writable } from 'node:stream';
		import { pipeline } from 'node:stream/promises';
		export default async (source) => {
			const done = pipeline(source.video, new Writable({ objectMode: true, write(p, _, done) { setTimeout(done, 2) } }));
			for (let i = 0; i < 5; i++) {
				console.log(source.tracks.length, source.duration, source.dropped);
				await new Promise((go) => setTimeout(go, 4));
			}
			await done;
		}`)
	if want := strings.Repeat("2 0.2 0\n", 5); err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}

// A link may be undone and made anew while it runs; nothing is lost.
func TestUnpipe(t *testing.T) {
	c := newClip(4000) // more than goes through before the script has seen the first of it
	got, err := run(t, media.Options{Engine: &standIn{}, Source: c}, `
		import { Transform, Writable, finished } from 'node:stream';
		import { mux } from 'millrace';
		export default async (source) => {
			const video = source.video;
			let lines = 0;
			const sink = () => {
				const m = mux('mp4');
				m.on('data', (b) => { lines += b.toString().split('\n').length - 1 });
				return m;
			};
			const first = sink();
			const same = new Transform({ objectMode: true, transform(p, _, done) { done(null, p) } });
			const second = sink();
			const end = (s) => new Promise((go) => finished(s, go));
			video.pipe(first);
			await new Promise((go) => first.once('data', go));
			video.unpipe(first);
			first.end();
			video.pipe(same).pipe(second);
			await new Promise((go) => second.once('data', go));
			same.unpipe(second);
			same.resume();                     // what comes now goes nowhere
			same.on('data', () => { lines++ });
			second.end();
			await Promise.all([end(first), end(second), end(same)]);
			console.log(lines);
		}`)
	if want := "2002\n"; err != nil || got != want { // 2,000 packets and two ends
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}

// A track that nobody reads any more waits for its next reader, and does not
// hold up the others: what there is no room for it loses, up to a keyframe.
func TestUnpipeOne(t *testing.T) {
	got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(4000)}, `
		import { Writable } from 'node:stream';
		import { pipeline } from 'node:stream/promises';
		import { mux } from 'millrace';
		export default async (source) => {
			let audio = 0, video = 1, last = 0, fine = true, heardMuch;
			const much = new Promise((go) => { heardMuch = go });
			const heard = pipeline(source.audio, mux('mp4'), async (b) => {
				for await (const x of b) if ((audio += x.toString().split('\n').length - 1) >= 900) heardMuch();
			});
			let first;
			await new Promise((go) => { // it takes one and is stuck
				first = new Writable({ objectMode: true, highWaterMark: 1, write: go });
				source.video.pipe(first);
			});
			source.video.unpipe(first);
			first.destroy();
			await much;
			await pipeline(source.video, new Writable({ objectMode: true, write(p, _, done) {
				if (p.pts !== last + 3600 && !p.key) fine = false;
				last = p.pts;
				video++;
				setImmediate(done);
			} }));
			await heard;
			console.log(audio, fine, source.video.dropped > 0, video + source.video.dropped);
		}`)
	if want := "2001 true true 2000\n"; err != nil || got != want { // each packet of sound and an end
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}
