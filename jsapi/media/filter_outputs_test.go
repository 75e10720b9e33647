package media_test

import (
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// Each output of a filter is a stream of its own: what nobody reads is lost, one
// that ends early holds up no other, and the filter itself gives nothing.
func TestFilterOutputs(t *testing.T) {
	head := `
		import { pipeline } from 'node:stream/promises';
		import { Transform, Writable } from 'node:stream';
		import { decode, encode, filter, mux } from 'millrace';
		const text = async (from, ...by) => {
			const out = [];
			await pipeline(from, ...by, encode({ codec: 'libx264' }), mux('mp4'), async (bytes) => { for await (const b of bytes) out.push(b); });
			return Buffer.concat(out).toString();
		};
		`
	for name, c := range map[string]struct{ script, want string }{
		"both": {`export default async (source) => {
			const f = filter('split[a][b]');
			let n = 0;
			const counts = new Transform({ objectMode: true, transform(frame, _, done) { n++; done(null, frame); } });
			const all = await Promise.all([pipeline(source.video, decode(), f), text(f.outputs.a), text(f.outputs.b, counts)]);
			console.log(Object.keys(f.outputs).join(), n, all[1] === all[2], all[1]);
		}`, "a,b 3 true " + plain},
		"one is not read": {`export default async (source) => {
			const f = filter('split[a][b]');
			source.video.pipe(decode()).pipe(f);
			console.log(await text(f.outputs.b));
		}`, plain},
		"one ends early": {`export default async (source) => {
			const f = filter('split[a][b]');
			source.video.pipe(decode()).pipe(f);
			f.outputs.a.pipe(new Writable({ objectMode: true, write(frame, _, done) { f.outputs.a.destroy(); done(); } }));
			console.log(await text(f.outputs.b));
		}`, plain},
		"all end early": {`export default async (source) => {
			const f = filter('split[a][b]');
			f.once('close', () => console.log('closed'));
			source.video.pipe(decode()).pipe(f);
			for (const o of Object.values(f.outputs)) o.destroy();
			source.destroy();
		}`, "closed\n"},
		"piped itself": {`export default async (source) => {
			const f = filter('split[a][b c]');
			try { f.pipe(encode({ codec: 'libx264' })); } catch (e) { console.log(e.code, e.message); }
			console.log(filter('null').outputs[0].constructor.name);
			source.destroy();
		}`, "ERR_MEDIA_LINK filter split[a][b c]: it has several outputs; pipe each: filter.outputs.a, filter.outputs.b, filter.outputs.c\nFilter\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &standIn{}
			got, err := run(t, media.Options{Engine: e, Source: newClip(6)}, head+c.script)
			if err != nil || got != c.want {
				t.Errorf("got %q, want %q; error %v", got, c.want, err)
			}
			if n := e.open.Load(); n != 0 {
				t.Errorf("%d frames were not closed", n)
			}
		})
	}
}
