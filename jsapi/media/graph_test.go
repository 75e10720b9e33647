package media_test

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

// chain is a pipeline script that puts what stands in the middle between two
// stages, and prints what came out.
func chain(middle, more string) string {
	return `
		import { pipeline } from 'node:stream/promises';
		import { Transform, PassThrough } from 'node:stream';
		import { Packet, decode, filter, encode, mux } from 'millrace';
		` + more + `
		export default async function (source) {
			const out = [];
			await pipeline(source.video, ` + middle + ` mux('mp4'), async (bytes) => {
				for await (const b of bytes) out.push(b);
			});
			console.log(Buffer.concat(out).toString());
		}`
}

const plain = "1:video:0:p0\n1:video:3600:p2\n1:video:7200:p4\nend\n\n"

// What comes out is the same whether two stages are joined natively or a
// script stands between them, in whatever way it does.
func TestJoinedOrNot(t *testing.T) {
	coded := `decode(), filter('null'), encode({ codec: 'libx264' }),`
	for name, c := range map[string]struct{ middle, more string }{
		"joined":                  {"", ""},
		"joined, coded":           {coded, ""},
		"transform":               {`new Transform({ objectMode: true, transform(p, _, done) { done(null, p) } }),`, ""},
		"transform that pushes":   {`new Transform({ objectMode: true, transform(p, _, done) { this.push(p); done() } }),`, ""},
		"transform, later":        {`new Transform({ objectMode: true, transform(p, _, done) { setImmediate(done, null, p) } }),`, ""},
		"transform, by promise":   {`new Transform({ objectMode: true, async transform(p, _, done) { await 1; done(null, p) } }),`, ""},
		"two transforms":          {`new T(), new T(),`, `class T extends Transform { constructor() { super({ objectMode: true }) } _transform(p, _, done) { done(null, p) } }`},
		"transform between coded": {`decode(), new Transform({ objectMode: true, transform(f, _, done) { done(null, f) } }), encode({ codec: 'libx264' }),`, ""},
		"pass through":            {`new PassThrough({ objectMode: true }),`, ""},
		"generator":               {`async function* (source) { for await (const p of source) yield p },`, ""},
		"generator of frames":     {`decode(), async function* (source) { for await (const p of source) yield p }, encode({ codec: 'libx264' }),`, ""},
		"write of its own": {`new T(),`, `class T extends Transform {
			constructor() { super({ objectMode: true }) }
			_write(p, e, done) { this.push(p); done() } _transform() {} }`},
		"listener on the way": {`tap(new PassThrough({ objectMode: true })),`, `let n = 0; const tap = (t) => { t.on('data', () => n++); return t }`},
		"changed while it runs": {`late(new Transform({ objectMode: true, transform(p, _, done) {
			if (!this.seen) { this.seen = true; setImmediate(() => this.on('data', () => {})) }
			setImmediate(done, null, p) } })),`, `const late = (t) => t`},
	} {
		t.Run(name, func(t *testing.T) {
			e := &standIn{}
			got, err := run(t, media.Options{Engine: e, Source: newClip(6)}, chain(c.middle, c.more))
			if err != nil || got != plain {
				t.Errorf("got %q, want %q; error %v", got, plain, err)
			}
			if n := e.open.Load(); n != 0 {
				t.Errorf("%d frames were not closed", n)
			}
		})
	}
}

// A script changes, drops, adds and makes packets.
func TestChanged(t *testing.T) {
	for name, c := range map[string]struct{ transform, want string }{
		"payload replaced": {
			`transform(p, _, done) { p.data = Buffer.from('x' + p.data); done(null, p) }`,
			"1:video:0:xp0\n1:video:3600:xp2\n1:video:7200:xp4\nend\n\n",
		},
		"written in place": {
			`transform(p, _, done) { p.writable().data[0] = 'q'.charCodeAt(); done(null, p) }`,
			"1:video:0:q0\n1:video:3600:q2\n1:video:7200:q4\nend\n\n",
		},
		"dropped":  {`transform(p, _, done) { done(null, p.pts === 3600 ? null : p) }`, "1:video:0:p0\n1:video:7200:p4\nend\n\n"},
		"repeated": {`transform(p, _, done) { this.push(p.clone()); done(null, p) }`, "1:video:0:p0\n1:video:0:p0\n1:video:3600:p2\n1:video:3600:p2\n1:video:7200:p4\n1:video:7200:p4\nend\n\n"},
		"made": {
			`transform(p, _, done) { done(null, new Packet({ track: p.track, time: p.time + 1, key: p.key, data: Buffer.from('new') })) }`,
			"1:video:90000:new\n1:video:93600:new\n1:video:97200:new\nend\n\n",
		},
		"at the end": {
			`transform(p, _, done) { this.last = p; done(null, p) }, flush(done) { this.push(this.last.clone()); done() }`,
			"1:video:0:p0\n1:video:3600:p2\n1:video:7200:p4\n1:video:7200:p4\nend\n\n",
		},
		"delayed": {
			`transform(p, _, done) { (this.held ??= []).push(p); done() }, flush(done) { for (const p of this.held.reverse()) this.push(p); done() }`,
			"1:video:7200:p4\n1:video:3600:p2\n1:video:0:p0\nend\n\n",
		},
		"inserted from outside": {
			`transform(p, _, done) { if (!this.more) { this.more = true; const q = p.clone(); q.pts = 1; setImmediate(() => { this.push(q); done(null, p) }) } else done(null, p) }`,
			"1:video:1:p0\n1:video:0:p0\n1:video:3600:p2\n1:video:7200:p4\nend\n\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(6)},
				chain(`new Transform({ objectMode: true, `+c.transform+` }),`, ""))
			if err != nil || got != c.want {
				t.Errorf("got %q, want %q; error %v", got, c.want, err)
			}
		})
	}
}

// What goes wrong in a script's Transform goes the way that Node's streams go.
func TestTransformFails(t *testing.T) {
	for name, c := range map[string]struct{ transform, want string }{
		"callback":        {`transform(p, _, done) { done(new Error('no')) }`, "rejected no\n"},
		"callback, later": {`transform(p, _, done) { setImmediate(done, new Error('no')) }`, "rejected no\n"},
		"destroyed":       {`transform(p, _, done) { this.destroy(new Error('gone')) }`, "rejected gone\n"},
		"flush":           {`transform(p, _, done) { done() }, flush(done) { done(new Error('late')) }`, "rejected late\n"},
		"foreign object":  {`transform(p, _, done) { done(null, { some: 'thing' }) }`, "rejected ERR_MEDIA_LINK mux: it was given a value of type Object, and takes packets of the module millrace\n"},
		"a frame":         {`transform(p, _, done) { done(null, new Frame({ width: 2, height: 2 })) }`, "rejected ERR_MEDIA_LINK mux: it was given a frame of video, and takes packets; encode() makes packets of frames\n"},
		"called twice":    {`transform(p, _, done) { done(null, p); done(null, p) }`, "rejected ERR_MULTIPLE_CALLBACK Callback called multiple times\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(6)}, `
				import { pipeline } from 'node:stream/promises';
				import { Transform } from 'node:stream';
				import { mux, Frame } from 'millrace';
				export default async function (source) {
					try {
						await pipeline(source.video, new Transform({ objectMode: true, `+c.transform+` }), mux('mp4'), async (b) => { for await (const x of b); });
						console.log('resolved');
					} catch (e) { console.log('rejected', ...(e.code ? [e.code] : []), e.message) }
				}`)
			if err != nil || got != c.want {
				t.Errorf("got %q, want %q; error %v", got, c.want, err)
			}
		})
	}
	_, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(6)},
		chain(`new Transform({ objectMode: true, transform() { throw new Error('thrown') } }),`, ""))
	if err == nil || !strings.Contains(err.Error(), "thrown") {
		t.Errorf("an exception in a transform ended in %v", err)
	}
}

func TestLinksAreChecked(t *testing.T) {
	got, err := run(t, media.Options{Engine: &standIn{}, Source: newClip(6)}, `
		import { decode, encode, mux, filter, hls, open, ladder } from 'millrace';
		export default function (source) {
			const tell = (f) => { try { f(); console.log('fine') } catch (e) { console.log(e.code, e.message) } };
			tell(() => source.pipe(encode({ codec: 'libx264' })));
			tell(() => source.pipe(decode()).pipe(mux('mp4')));
			tell(() => mux('mp4').pipe(decode()));
			tell(() => source.pipe(source.video));
			tell(() => encode({ codec: 'libx264', crv: 3 }));
			tell(() => encode({ codec: 'libx264', bitrat: 3 }));
			tell(() => encode({ codec: 'libx264', bitrate: 'much' }));
			tell(() => encode({}));
			tell(() => decode({ thread: 3 }));
			tell(() => filter('wrong'));
			tell(() => ladder([{ height: 720, bitrate: '2500k' }, { hight: 360 }]));
			tell(() => ladder('best'));
			tell(() => hls());
			source.destroy();
		}`)
	want := `ERR_MEDIA_LINK source -> encode libx264: source() gives packets, and encode() takes frames; decode() makes frames of packets: put it between them
ERR_MEDIA_LINK decode -> mux mp4: decode() gives frames, and mux() takes packets; encode() makes packets of frames: put it between them
ERR_MEDIA_LINK mux mp4 -> decode: mux() gives bytes, and decode() takes packets; they cannot be joined
ERR_MEDIA_LINK source -> source.video: source() takes nothing: it is where a chain begins
ERR_MEDIA_OPTION encode: encoder libx264 has no option crv; did you mean crf?
ERR_MEDIA_OPTION encode: there is no option bitrat; did you mean bitrate?
ERR_MEDIA_OPTION encode: bitrate: "much" is not a bitrate such as 2500000, '2500k' or '2.5M'
ERR_MEDIA_OPTION encode: codec: it says nothing; 'libx264', 'aac' and 'libopus' are usual, and options('encoder') lists all
ERR_MEDIA_OPTION decode: there is no option thread; did you mean threads?
ERR_MEDIA_OPTION filter: there is no filter wrong; did you mean null?
ERR_MEDIA_OPTION ladder: rung 2: there is no option hight; did you mean height?
ERR_MEDIA_OPTION ladder: "best" is none of 'auto', 'passthrough' and a list of rungs
ERR_MEDIA_UNAVAILABLE hls: there is nowhere to write to here: it works in a stream's pipeline script, and in millrace run --source FILE --out FOLDER
`
	if err != nil || got != want {
		t.Errorf("got %s\nwant %s\nerror %v", got, want, err)
	}
}
