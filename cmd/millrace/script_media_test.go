package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/testmedia/tools"
)

// scripted runs a script with arguments behind it, and wants it to end well.
// FILM in it is a clip, DIR a folder.
func scripted(t *testing.T, clip, text string, flags ...string) (dir, stdout, stderr string) {
	t.Helper()
	film, _ := tools.Clip(t, clip)
	dir = t.TempDir()
	words := strings.NewReplacer("FILM", film, "DIR", dir)
	script := filepath.Join(dir, "script.mjs")
	if err := os.WriteFile(script, []byte(words.Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"run"}
	for _, f := range flags {
		args = append(args, words.Replace(f))
	}
	code, stdout, stderr := finished(t, append(args, script)...)
	if code != exitDone {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	return dir, stdout, stderr
}

// hash is of all files below a folder, their names too.
func hash(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		b, err := os.ReadFile(path)
		h.Write([]byte(name))
		h.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

const pipelineHead = `
	import { pipeline } from 'node:stream/promises';
	import { Transform } from 'node:stream';
	import { decode, filter, encode, mux, ladder, hls, tee } from 'millrace';
	import fs from 'node:fs';
	const same = () => new Transform({ objectMode: true, transform(x, _, done) { done(null, x) } });
	const later = () => new Transform({ objectMode: true, transform(x, _, done) { setTimeout(done, 1, null, x) } });
	async function* each(source) { for await (const x of source) yield x }
	`

// A pipeline script makes the same presentation in every run, and whether a
// script stands on the way or the stages are joined.
func TestPipelineScriptAgainstFile(t *testing.T) {
	const clip = "h264-720p30"
	want := ""
	const rungs = "ladder({ rungs: [{ height: 720, bitrate: '2M' }], preset: 'ultrafast' }),"
	for _, way := range []string{
		rungs, rungs, "same(), " + rungs, "later(), " + rungs, "each, " + rungs,
		rungs + " same(),", rungs + " later(),", rungs + " each,", rungs + " tee(),", "same(), " + rungs + " same(), same(),",
	} {
		// In the clip's own size: swscale's result depends on how its memory
		// happens to be aligned.
		dir, _, errs := scripted(t, clip, pipelineHead+`
			export default async (source, { log, stream }) => {
				setTimeout(() => log.info('a second'), 1000);
				await pipeline(source, `+way+` hls({ segment: 1 }));
				log.info('done', { of: stream.path.endsWith('.mp4') });
			}`, "--source", "FILM", "--out", "DIR/out")
		if !strings.Contains(errs, "1.000 info a second\n") || !strings.Contains(errs, " info done of=true\n") {
			t.Errorf("%q: it logged %q", way, errs)
		}
		for _, name := range []string{"index.m3u8", "720p/index.m3u8", "720p/3.m4s", "audio/index.m3u8"} {
			if _, err := os.Stat(filepath.Join(dir, "out", name)); err != nil {
				t.Error(err)
			}
		}
		got := hash(t, filepath.Join(dir, "out"))
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%q: the presentation is another one", way)
		}
	}
}

// Frames too come through unchanged, however they come.
func TestCodedTheSameJoinedOrNot(t *testing.T) {
	want := ""
	for _, way := range []string{"", "same(),", "same(), same(),", "each,"} {
		dir, _, _ := scripted(t, "h264-720p30", pipelineHead+`
			export default async (source) => {
				await pipeline(source.video, decode(), `+way+` filter('scale=320:-2,hflip'), `+way+`
					encode({ codec: 'libx264', preset: 'ultrafast', crf: 30 }), mux('mpegts'), fs.createWriteStream('DIR/out.ts'));
			}`, "--source", "FILM")
		if err := os.Remove(filepath.Join(dir, "script.mjs")); err != nil {
			t.Fatal(err)
		}
		got := hash(t, dir)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%q: the file is another one", way)
		}
	}
}

// What frames can do, on real ones.
func TestFramesOfScripts(t *testing.T) {
	_, out, _ := scripted(t, "h264-720p30", `
		import { pipeline } from 'node:stream/promises';
		import { Transform, Readable } from 'node:stream';
		import { open, decode, encode, mux, record, probe, snapshot, Frame } from 'millrace';
		import fs from 'node:fs/promises';

		const source = await open('FILM');
		console.log(source.tracks.map((t) => t.kind + ' ' + t.codec).join(', '));
		let first, count = 0, loud = -Infinity;
		const look = new Transform({ objectMode: true, async transform(frame, _, done) {
			try {
				if (frame.kind === 'audio') {
					loud = Math.max(loud, (await frame.levels()).loudest);
				} else if (count++ === 0) {
					first = frame.retain();
					const { width, height, format } = frame;
					console.log(width, height, format, frame.planes.map((p) => p.data.length === p.stride * p.data.length / p.stride).join());
					const jpeg = await frame.toJPEG({ quality: 70 }), png = await frame.toPNG();
					console.log(jpeg.readUInt16BE(0).toString(16), png.toString('latin1', 1, 4));
					const small = await frame.scale(64, 36, 'gray');
					console.log(small.width, small.height, small.format, (await small.histogram()).reduce((a, b) => a + b));
					small.close();
				} else if (count === 40) {
					console.log((await frame.diff(first)) > 0.001, await frame.diff(frame));
					frame.writable().planes[0].data.fill(16);
					const counts = await frame.histogram();
					console.log(counts.some((n) => n === frame.width * frame.height));
				}
				done(null, frame);
			} catch (e) { done(e) }
		} });
		await pipeline(source, decode(), look, encode({ video: { codec: 'libx264', preset: 'ultrafast' }, audio: { codec: 'aac' } }), record('DIR/out.mp4'));
		first.close();
		console.log(loud > -60 && loud < 0, count);
		const found = await probe('DIR/out.mp4');
		console.log(found.tracks.map((t) => t.codec).join(), Math.round(found.duration) > 1);

		// Out of nothing: a picture that gets brighter, and a tone.
		function* slate() {
			for (let i = 0; i < 50; i++) {
				const frame = new Frame({ width: 320, height: 180, time: i / 25 });
				frame.planes[0].data.fill(16 + 4 * i);
				yield frame;
			}
		}
		function* tone() {
			for (let i = 0; i < 94; i++) {
				const frame = new Frame({ sampleRate: 48000, channels: 2, samples: 1024, pts: 1024 * i });
				for (const { data } of frame.planes) {
					const samples = new Float32Array(data.buffer, data.byteOffset, 1024);
					for (let n = 0; n < 1024; n++) samples[n] = Math.sin((1024 * i + n) * 440 / 48000 * 2 * Math.PI) / 4;
				}
				yield frame;
			}
		}
		const file = record('DIR/made.mp4');
		const sound = encode({ codec: 'aac' });
		Readable.from(tone()).pipe(sound).pipe(file);
		await pipeline(Readable.from(slate()), encode({ codec: 'libx264', preset: 'ultrafast', fps: 25 }), file);
		const made = await probe('DIR/made.mp4');
		console.log(made.tracks.map((t) => t.codec + ' ' + (t.width ?? t.sampleRate)).join(), Math.round(made.duration));

		const again = await open('DIR/made.mp4');
		await pipeline(again.video, snapshot({ file: 'DIR/shot.png' }));
		console.log((await fs.readFile('DIR/shot.png')).toString('latin1', 1, 4));
	`)
	want := `video h264, audio aac
1280 720 yuv420p true,true,true
ffd8 PNG
64 36 gray 2304
true 0
true
true COUNT
h264,aac true
h264 320,aac 48000 2
PNG
`
	got := out
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "true "); ok && strings.TrimSpace(rest) > "1" {
			got = strings.Replace(got, line, "true COUNT\n", 1)
		}
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is asked for is checked against libav's own tables before anything
// runs.
func TestOptionsOfScripts(t *testing.T) {
	_, out, _ := scripted(t, "h264-720p30", `
		import { open, decode, encode, filter, mux, options, record } from 'millrace';
		const tell = (f) => { try { f(); console.log('fine') } catch (e) { console.log(e.code, e.message) } };
		tell(() => encode({ codec: 'libx264', prest: 'fast' }));
		tell(() => encode({ codec: 'libx246' }));
		tell(() => encode({ codec: 'libx264', bitrate: '2500k', preset: 'veryfast', tune: 'zerolatency', gop: '2s' }));
		tell(() => encode({ codec: 'libx264', qmin: 9999 }));
		tell(() => filter('scal=100:100'));
		tell(() => filter('scale=widht=100'));
		tell(() => filter('scale=100:100'));
		tell(() => filter('volume=0.5'));
		tell(() => filter('[0:v][1:v]overlay=10:10'));
		tell(() => mux('mp5'));
		tell(() => record('film'));
		tell(() => decode({ codec: 'h264', flags: 'nonsense' }));
		console.log(options('encoder').includes('libx264'), options('filter', 'scale').find((o) => o.name === 'width')?.type);
		await open('DIR/none.mp4').then(undefined, (e) => console.log(e.code, e.stage));
	`)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, want := range []string{
		"ERR_MEDIA_OPTION encode: encoder libx264 has no option prest; did you mean preset?",
		"ERR_MEDIA_OPTION encode: there is no encoder libx246; did you mean libx264?",
		"fine",
		"ERR_MEDIA_OPTION encode: encoder libx264: qmin: 9999 is not ",
		"ERR_MEDIA_OPTION filter: there is no filter scal; did you mean scale?",
		"ERR_MEDIA_OPTION filter: filter scale has no option widht; did you mean width?",
		"fine", "fine", "fine",
		"ERR_MEDIA_OPTION mux: there is no muxer mp5",
		"ERR_MEDIA_OPTION record: format: the name DIR/film",
		"ERR_MEDIA_OPTION decode: ",
		"true string",
		"ERR_MEDIA_OPEN open",
	} {
		want = strings.ReplaceAll(want, "DIR/", "")
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of\n%s\nis not %s", i, out, want)
		}
	}
}

// --dot shows what would flow, and lets nothing.
func TestGraphOfScript(t *testing.T) {
	dir, out, _ := scripted(t, "h264-720p30", pipelineHead+`
		export default async (source) => {
			const sink = hls();
			await Promise.all([
				pipeline(source.video, decode(), same(), encode({ codec: 'libx264' }), sink),
				pipeline(source.audio, sink),
			]);
		}`, "--source", "FILM", "--out", "DIR/out", "--dot")
	for _, want := range []string{
		"digraph millrace {", `[label="source.video"];`, `[label="decode"];`, `[label="Transform", style=dashed];`,
		`[label="encode libx264"];`, `[label="hls"];`, `[label="source.audio"];`, " -> ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
	_, program, _ := scripted(t, "h264-720p30", pipelineHead+`
		import { open, record, snapshot } from 'millrace';
		const f = filter('split=2[a][b]');
		await Promise.all([
			pipeline(open('FILM'), decode(), f),
			pipeline(f.outputs.a, encode({ codec: 'libx264' }), record('a.mp4')),
			pipeline(f.outputs.b, snapshot('b.jpg')),
		]);`, "--dot")
	if n := strings.Count(program, " -> "); n != 7 || !strings.Contains(program, `[label="filter split=2[a][b] [b]"];`) {
		t.Errorf("%d links in\n%s", n, program)
	}
	if n := strings.Count(out, " -> "); n != 5 {
		t.Errorf("%d links in\n%s", n, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "index.m3u8")); err == nil {
		t.Error("something flowed")
	}
}

// What a script has of a ladder that it stands behind: coded packets of all
// renditions, in segments that begin at the same time, to do with as it likes.
func TestBehindALadder(t *testing.T) {
	const rungs = "ladder({ rungs: [{ height: 720, bitrate: '2M' }, { height: 360, bitrate: '600k' }], preset: 'ultrafast' })"
	dir, out, _ := scripted(t, "h264-720p30", pipelineHead+`
		export default async (source) => {
			const rungs = `+rungs+`;
			const firsts = {}, bytes = {};
			const count = new Transform({ objectMode: true, transform(p, _, done) {
				const { name, kind, codec, width, height, bitrate, sampleRate } = p.rendition;
				firsts[name] ??= [kind, codec, width ?? sampleRate, height ?? 0, bitrate > 500000, p.track.width ?? p.track.sampleRate, Object.keys(p).includes('rendition')].join(' ');
				bytes[name] = (bytes[name] ?? 0) + p.size;
				done(null, name === '360p' ? null : p);
			} });
			const low = new Transform({ objectMode: true, transform(p, _, done) { done(null, p.rendition.name === '720p' ? null : p) } });
			await Promise.all([
				pipeline(source, rungs, count, hls({ segment: 1 })),
				pipeline(rungs, low, mux('mpegts'), fs.createWriteStream('DIR/low.ts')),
			]);
			for (const name of Object.keys(firsts).sort()) console.log(name, firsts[name], bytes[name] > 20000);
		}`, "--source", "FILM", "--out", "DIR/out")
	want := "360p video h264 640 360 true 640 true true\n720p video h264 1280 720 true 1280 true true\n" +
		"audio audio aac 48000 0 false 48000 true true\n"
	if out != want {
		t.Errorf("it saw %q, want %q", out, want)
	}
	list, err := os.ReadFile(filepath.Join(dir, "out", "index.m3u8"))
	if err != nil || strings.Contains(string(list), "360p") || !strings.Contains(string(list), "720p/index.m3u8") {
		t.Errorf("of the renditions whose packets came one should be listed: %s; error %v", list, err)
	}
	probed := tools.MustProbe(t, filepath.Join(dir, "low.ts"))
	if v := probed.Find("video"); len(probed.Streams) != 2 || v == nil || v.Width != 640 || probed.Find("audio") == nil {
		t.Errorf("forwarded were %+v", probed.Streams)
	}
}

// What cannot stand behind a ladder is told so.
func TestBehindALadderNot(t *testing.T) {
	for name, c := range map[string]struct{ way, want string }{
		"frames":  {"rungs(), filter('hflip'), hls()", "ERR_MEDIA_LINK ladder 180 -> filter hflip: ladder() gives coded packets, and filter() takes frames"},
		"ladder":  {"rungs(), rungs(), hls()", "ERR_MEDIA_LINK ladder 180 -> ladder 180: behind ladder() stands what takes coded packets: hls(), "},
		"through": {"rungs(), same(), rungs(), hls()", "ERR_MEDIA_LINK ladder: it was given packets that a ladder has made"},
		"mixed": {
			`rungs(), changed((p) => new Packet({ track: p.track, pts: p.pts, key: p.key, data: p.data })), hls()`,
			"ERR_MEDIA_LINK hls: it is given packets of a ladder and others",
		},
		"order": {
			`rungs(), changed((p, n) => { if (n === 0) { first = p; return null } return n === 100 ? first : p }), hls({ segment: 1 })`,
			"ERR_MEDIA_HLS hls: a packet of 180p in segment 1 comes after segment ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, _ := scripted(t, "h264-720p30", pipelineHead+`
				import { Packet } from 'millrace';
				let first;
				const rungs = () => ladder({ rungs: [{ height: 180, bitrate: '200k' }], preset: 'ultrafast' });
				const changed = (f) => { let n = 0; return new Transform({ objectMode: true, transform(p, _, done) { done(null, n++ === 9 || f.length > 1 ? f(p, n - 1) : p) } }) };
				export default async (source) => {
					try { await pipeline(source.video, `+c.way+`); } catch (e) { console.log(e.code, e.message) }
				}`, "--source", "FILM", "--out", "DIR/out")
			if !strings.HasPrefix(out, c.want) {
				t.Errorf("got %q, want %q", out, c.want)
			}
		})
	}
}

// A folder that cannot be written is an error that the script sees.
func TestBehindALadderNowhere(t *testing.T) {
	_, out, _ := scripted(t, "h264-720p30", pipelineHead+`
		export default async (source) => {
			const rungs = ladder({ rungs: [{ height: 180, bitrate: '200k' }], preset: 'ultrafast' });
			try { await pipeline(source.video, rungs, same(), hls()); } catch (e) { console.log(e.code, e.message) }
		}`, "--source", "FILM", "--out", "DIR/script.mjs/out")
	if !strings.HasPrefix(out, "ERR_MEDIA_HLS hls: ") || !strings.Contains(out, "not a directory") {
		t.Errorf("got %q", out)
	}
}
