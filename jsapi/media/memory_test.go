package media_test

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// What a script does not keep is freed as soon as its stream is done with it;
// what it keeps counts against its budget.
func TestFramesOfScripts(t *testing.T) {
	head := `
		import { pipeline } from 'node:stream/promises';
		import { Transform, Writable } from 'node:stream';
		import { decode, encode, mux, Frame } from 'millrace';
		const drain = async (bytes) => { for await (const b of bytes); };
		const tell = (f) => { try { return f() } catch (e) { return e.code ?? e.message } };
		`
	for name, c := range map[string]struct{ script, want string }{
		"passed on": {`export default async (source) => {
			const seen = [];
			await pipeline(source.video, decode(), new Transform({ objectMode: true, transform(f, _, done) {
				seen.push([f, f.planes[0].data]);
				done(null, f);
			} }), encode({ codec: 'libx264' }), mux('mp4'), drain);
			const [f, data] = seen[0];
			console.log(tell(() => f.width), tell(() => f.planes), data.length, tell(() => data.toString()), data[0]);
		}`, "ERR_MEDIA_CLOSED ERR_MEDIA_CLOSED 0  undefined\n"},
		"dropped": {`export default async (source) => {
			let last;
			await pipeline(source.video, decode(), new Transform({ objectMode: true, transform(f, _, done) { last = f; done() } }),
				encode({ codec: 'libx264' }), mux('mp4'), drain);
			console.log(tell(() => last.pts));
		}`, "ERR_MEDIA_CLOSED\n"},
		"written": {`export default async (source) => {
			let last;
			await pipeline(source.video, decode(), new Writable({ objectMode: true, write(f, _, done) { last = f; setImmediate(done) } }));
			console.log(tell(() => last.pts));
		}`, "ERR_MEDIA_CLOSED\n"},
		"retained": {`export default async (source) => {
			const kept = [];
			await pipeline(source.video, decode(), new Transform({ objectMode: true, transform(f, _, done) {
				kept.push(f.retain());
				done(null, f);
			} }), encode({ codec: 'libx264' }), mux('mp4'), drain);
			console.log(kept.map((f) => f.planes[0].data.toString()).join());
			for (const f of kept) f.close();
			console.log(tell(() => kept[0].width));
		}`, "p0,p2,p4\nERR_MEDIA_CLOSED\n"},
		"closed": {`export default async (source) => {
			await pipeline(source.video, decode(), new Writable({ objectMode: true, write(f, _, done) {
				f.close();
				if (f.pts === undefined) {}
				done();
			} })).catch((e) => console.log(e.code));
		}`, ""},
		"helpers": {`export default async (source) => {
			const f = new Frame({ width: 4, height: 2, time: 2 });
			const [jpeg, png, half, diff, histogram, levels] = await Promise.all(
				[f.toJPEG(), f.toPNG(), f.scale(2, 1), f.diff(f), f.histogram(), f.levels()]);
			console.log(String(jpeg), String(png), half.width, diff, histogram.length, levels.rms, levels.peak, f.pts, f.time);
			half.close();
			const g = f.clone();
			g.writable().planes[0].data.fill(7);
			console.log(f.planes[0].data[0], g.planes[0].data[0], f.clone() instanceof Frame, String(f));
			source.destroy();
		}`, "jpeg png 2 0.5 256 [ -20 ] [ -3 ] 180000 2\n0 7 true [object Frame]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &standIn{}
			got, err := run(t, media.Options{Engine: e, Source: newClip(6)}, head+c.script)
			if name == "closed" {
				if err == nil || !strings.Contains(err.Error(), "this frame was closed") {
					t.Errorf("a closed frame was read: %v", err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %q, want %q; error %v", got, c.want, err)
			}
			if n := e.open.Load(); n != 0 && name != "helpers" {
				t.Errorf("%d frames were not freed", n)
			}
		})
	}
}

// A script that hoards gets an error, and everything is freed after it.
func TestBudget(t *testing.T) {
	e := &standIn{}
	c := newClip(400)
	c.payload = func(int) string { return strings.Repeat("x", 1000) }
	got, err := run(t, media.Options{Engine: e, Source: c, Budget: 50_000}, `
		import { pipeline } from 'node:stream/promises';
		import { Transform } from 'node:stream';
		import { decode, encode, mux } from 'millrace';
		export default async (source) => {
			const kept = [];
			try {
				await pipeline(source.video, decode(), new Transform({ objectMode: true, transform(f, _, done) { kept.push(f.retain()); done(null, f) } }),
					encode({ codec: 'libx264' }), mux('mp4'), async (bytes) => { for await (const b of bytes); });
			} catch (e) { console.log(e.code, kept.length) }
			for (const f of kept) f.close();
		}`)
	if want := "ERR_MEDIA_BUDGET 50\n"; err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
	if n := e.open.Load(); n != 0 {
		t.Errorf("%d frames were not freed", n)
	}
}

// What a script forgets the garbage collector finds before the budget is used
// up.
func TestForgotten(t *testing.T) {
	c := newClip(1000)
	c.payload = func(int) string { return strings.Repeat("x", 1000) }
	got, err := run(t, media.Options{Engine: &standIn{}, Source: c, Budget: 50_000}, `
		import { decode } from 'millrace';
		export default async (source) => {
			let n = 0;
			for await (const f of source.video.pipe(decode())) if (f.planes[0].data.length === 1000) n++;
			console.log(n);
		}`)
	if want := "500\n"; err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}
