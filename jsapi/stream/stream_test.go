package stream

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/pipeline"
	jsmedia "github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/transcode/wire"
)

const identity = `
import { hls } from 'millrace';
import { pipeline } from 'node:stream/promises';
export default async function (source, ctx) {
  ctx.log.info('it begins', { path: ctx.stream.path, key: ctx.env.KEY, tracks: source.tracks.length });
  await pipeline(source, hls());
}`

func TestIdentity(t *testing.T) {
	p := perform(t, identity)
	if files := await[*wire.Files](p, nil); len(files.Paths) != 1 || files.Paths[0] != p.file {
		t.Errorf("files %q", files.Paths)
	}
	line := await(p, func(l *wire.Log) bool { return l.Message == "it begins" })
	if line.Attrs["path"] != "cam" || line.Attrs["key"] != "value" || line.Attrs["tracks"] != "1" {
		t.Errorf("attributes %v", line.Attrs)
	}
	p.pictures(5 * time.Second)
	made := await[*wire.Renditions](p, nil)
	if len(made.Renditions) != 1 || made.Renditions[0].Name != "180p" || !made.Renditions[0].Copy {
		t.Errorf("renditions %+v", made)
	}
	for i := range uint64(3) {
		cut := await[*wire.Cut](p, nil)
		if cut.Segment != i+1 || cut.Discontinuity != 1 || cut.PTS != int64(i)*180000 || cut.Wall == 0 {
			t.Errorf("cut %+v", cut)
		}
	}
	p.send(&wire.Drain{})
	await[*wire.Drained](p, nil)
	p.send(&wire.Bye{})
	await[*wire.Bye](p, nil)
	code := <-p.code
	if p.code <- code; code != wire.ExitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestWhatScriptsDoWrong(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		place, words string
	}{
		{"does not compile", "export default async function (source) {\n  const = 1;\n}", ":2:", "Expected identifier"},
		{"module that is not there", "import x from 'not-there';\nexport default () => x;", ":1:", "not-there"},
		{"no function", "export const a = 1;", "", "exports a function"},
		{"throws at once", "export default function () {\n  throw new RangeError('no');\n}", ":2:", "RangeError: no"},
		{"throws when it is loaded", "\nnull.x;\nexport default () => {};", ":2:", "TypeError"},
		{"rejects", "export default async function () {\n  await null;\n  null.x;\n}", ":3:", "TypeError"},
		{"rejects with no error", "export default async function () { throw 7; }", "", "7"},
		{"forgets a promise", "export default async function (s) {\n  Promise.reject(new Error('lost'));\n  await new Promise((r) => setTimeout(r, 60000));\n}", ":2:", "lost"},
		{"throws in a timer", "export default async function (s) {\n  setTimeout(() => {\n    throw new Error('late');\n  }, 10);\n  for await (const p of s);\n}", ":3:", "late"},
		{"ends early", "export default async function () {}", "", "its source goes on"},
		{"leaves", "export default async function () { process.exit(3); }", "", "process.exit(3)"},
		{"never gives way", "export default async function () {\n  for (;;) {\n    Math.sqrt(2);\n  }\n}", "", "event loop"},
		{"hls twice", "import { hls } from 'millrace';\nexport default async function (s) {\n  s.pipe(hls());\n  s.video.pipe(hls());\n}", "", "one hls()"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := perform(t, c.text)
			p.pictures(2 * time.Second)
			p.failed(c.place, c.words)
		})
	}
}

func TestMessages(t *testing.T) {
	p := perform(t, `
export default async function (source, ctx) {
  ctx.on('ask', (value) => {
    if (!Buffer.isBuffer(value.raw) || value.when.getTime() !== 5) throw new Error('it came otherwise');
    ctx.send('answer', { got: value.raw.toString(), list: [value.n, undefined], big: 2n ** 70n, floats: new Float32Array([1, 2]), set: new Set(['a']) });
    ctx.send('circle', (() => { try { const o = {}; o.o = o; ctx.send('x', o); } catch (e) { return e.name; } })());
  });
  for await (const packet of source);
}`)
	await[*wire.Files](p, nil)
	ask := `{"raw":{"$":["bytes","Buffer",0]},"when":{"$":["date",5]},"n":1}`
	p.send(&wire.Script{Topic: "ask", Sizes: []int{len(ask), 3}, Body: []byte(ask + "abc")})
	m := await[*wire.Script](p, nil)
	want := `{"got":"abc","list":[1,{"$":["undefined"]}],"big":{"$":["bigint","1180591620717411303424"]},` +
		`"floats":{"$":["bytes","Float32Array",0]},"set":{"$":["set",["a"]]}}`
	if got := string(m.Body[:m.Sizes[0]]); m.Topic != "answer" || got != want || len(m.Sizes) != 2 || m.Sizes[1] != 8 {
		t.Errorf("%s %v %s\nwant %s", m.Topic, m.Sizes, got, want)
	}
	if m = await[*wire.Script](p, nil); string(m.Body) != `"DataCloneError"` {
		t.Errorf("a circle: %s", m.Body)
	}
}

// What a script marks goes to the server as its messages do.
func TestMarks(t *testing.T) {
	p := perform(t, `
export default async function (source, ctx) {
  const id = ctx.mark({ class: 'c', time: 1.5, scte35: { out: Buffer.from('out') } });
  ctx.endMark(id, { time: 2 });
  const refused = [() => ctx.send('millrace:mark', 1), () => ctx.mark({ colour: 1 }), () => ctx.endMark(7)].map((f) => { try { f(); } catch (e) { return e.code; } });
  ctx.send('refused', [id, String(ctx.mark({ text: { title: 'x' } })), ...refused]);
  for await (const packet of source);
}`)
	await[*wire.Files](p, nil)
	next := func(topic string) string {
		t.Helper()
		m := await[*wire.Script](p, nil)
		if m.Topic != topic {
			t.Errorf("%s in place of %s", m.Topic, topic)
		}
		return string(m.Body)
	}
	begin, end, metadata, rest := next("millrace:mark"), next("millrace:mark"), next("millrace:mark"), next("refused")
	var said struct{ ID string }
	if err := json.Unmarshal([]byte(end), &said); err != nil || !strings.HasPrefix(said.ID, "script-") {
		t.Fatalf("%v: %s", err, end)
	}
	for got, want := range map[string]string{
		begin:    `{"marker":{"class":"c","time":1.5,"scte35":{"out":"b3V0"},"id":"` + said.ID + `"},"time":1.5}`,
		end:      `{"id":"` + said.ID + `","end":{"time":2},"time":2}`,
		metadata: `{"marker":{"text":{"title":"x"}}}`,
		rest:     `["` + said.ID + `","undefined","ERR_INVALID_ARG_VALUE","ERR_INVALID_ARG_VALUE","ERR_INVALID_ARG_TYPE"]`,
	} {
		if got != want {
			t.Errorf("said %s\nwant %s", got, want)
		}
	}
}

// What a script shows in subtitles goes the same way.
func TestCaptions(t *testing.T) {
	p := perform(t, `
export default async function (source, ctx) {
  ctx.caption({ subtitles: 'en', text: 'x', time: 1.5, duration: 2, line: 10 });
  ctx.send('refused', [() => ctx.send('millrace:caption', 1), () => ctx.caption({ colour: 1 }), () => ctx.caption()].map((f) => { try { f(); } catch (e) { return e.code; } }));
  for await (const packet of source);
}`)
	await[*wire.Files](p, nil)
	for _, want := range [][2]string{
		{"millrace:caption", `{"subtitles":"en","time":1.5,"cue":{"text":"x","duration":2,"line":10}}`},
		{"refused", `["ERR_INVALID_ARG_VALUE","ERR_INVALID_ARG_VALUE","ERR_INVALID_ARG_TYPE"]`},
	} {
		if m := await[*wire.Script](p, nil); m.Topic != want[0] || string(m.Body) != want[1] {
			t.Errorf("%s %s, want %s", m.Topic, m.Body, want)
		}
	}
}

// What a script logs is bounded, and it tells that it gives way.
func TestFlood(t *testing.T) {
	p := perform(t, `
export default async function (source, { log }) {
  for (let i = 0; i < 500; i++) log('line', { i });
  for await (const packet of source);
}`)
	lines := 0
	await(p, func(*wire.Stats) bool { return true }) // may come before
	deadline := time.Now().Add(3 * time.Second)
	for time.Now().Before(deadline) && lines <= maxLines {
		if _, stats := p.read().(*wire.Stats); stats && lines > 0 {
			break
		}
		lines++
	}
	if lines > maxLines+3 {
		t.Errorf("%d lines came", lines)
	}
}

// A publisher that leaves is told to the script, and what it made is closed.
func TestPresence(t *testing.T) {
	p := perform(t, `
import { hls } from 'millrace';
import { pipeline } from 'node:stream/promises';
export default async function (source, { stream, log }) {
  stream.on('lost', () => log('lost'));
  stream.on('back', () => log('back'));
  await pipeline(source, hls());
}`)
	p.pictures(3 * time.Second)
	await(p, func(c *wire.Cut) bool { return c.Segment == 2 })
	p.send(&wire.Presence{Here: false})
	await(p, func(l *wire.Log) bool { return l.Message == "lost" })
	await[*wire.Suspended](p, nil)
	p.send(&wire.Presence{Here: true})
	await(p, func(l *wire.Log) bool { return l.Message == "back" })
	p.next = 4 * time.Second
	p.pictures(5 * time.Second)
	if cut := await[*wire.Cut](p, nil); cut.Segment != 3 || cut.Discontinuity != 2 {
		t.Errorf("cut %+v", cut)
	}
}

// behind stands behind a ladder.
const behind = `
import { hls, ladder } from 'millrace';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
export default async function (source, ctx) {
  const look = new Transform({ objectMode: true, transform(packet, _, done) {
    if (packet.key) ctx.log('key', { of: packet.rendition.name });
    done(null, packet);
  } });
  await pipeline(source, ladder('passthrough'), look, hls({ segment: '1s' }));
}`

// Behind a ladder a script's output is the same: cuts of the ladder's, the end
// of what a publisher made who left, another discontinuity when one comes back.
func TestBehindALadder(t *testing.T) {
	p := perform(t, behind)
	p.pictures(3 * time.Second)
	made := await[*wire.Renditions](p, nil)
	if len(made.Renditions) != 1 || made.Renditions[0].Name != "180p" || made.HLS.Segment != int64(time.Second) {
		t.Errorf("renditions %+v", made)
	}
	await(p, func(l *wire.Log) bool { return l.Message == "key" && l.Attrs["of"] == "180p" })
	for i := range uint64(3) {
		cut := await[*wire.Cut](p, nil)
		if cut.Segment != i+1 || cut.Discontinuity != 1 || cut.PTS != int64(i)*90000 || cut.Wall == 0 {
			t.Errorf("cut %+v", cut)
		}
	}
	p.send(&wire.Presence{Here: false})
	last := int64(0)
	for rests := false; !rests; {
		switch m := p.read().(type) {
		case *wire.Packet:
			last = m.PTS
		case *wire.Suspended:
			rests = true
		case *wire.Error:
			t.Fatal(m)
		}
	}
	if last != 270000-3600 {
		t.Errorf("before it rests the last picture is at %d", last)
	}
	p.send(&wire.Presence{Here: true})
	p.next = 4 * time.Second
	p.pictures(5 * time.Second)
	if cut := await[*wire.Cut](p, nil); cut.Segment != 4 || cut.Discontinuity != 2 {
		t.Errorf("cut %+v", cut)
	}
	p.send(&wire.Drain{})
	await[*wire.Drained](p, nil)
}

// What begins when several ladders have closed counts above all of them,
// whichever closed last.
func TestNumbersOfLadders(t *testing.T) {
	s := &sinks{job: &wire.ScriptJob{Name: "cam", Policy: `{"Mode":"passthrough"}`}}
	for _, above := range []pipeline.Numbers{{Segment: 7, Discontinuity: 1}, {Segment: 3, Discontinuity: 2}, {}} {
		made, err := s.ladder(jsmedia.HLSSpec{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		made.(*sink).run = pipeline.NewSink(pipeline.SinkConfig{Name: "cam", Above: above})
	}
	for _, k := range slices.Clone(s.ladders) {
		k.close()
	}
	if want := (pipeline.Numbers{Segment: 7, Discontinuity: 2}); s.used != want {
		t.Errorf("the newest numbers are %+v, want %+v", s.used, want)
	}
}

// One script leaves at a keyframe, another begins there.
func TestHandover(t *testing.T) {
	for name, text := range map[string]string{"at hls()": identity, "behind a ladder": behind} {
		t.Run(name, func(t *testing.T) { handOver(t, text) })
	}
}

func handOver(t *testing.T, text string) {
	t.Helper()
	old := perform(t, text)
	fresh := perform(t, text, func(j *wire.ScriptJob) { j.Standby = true })
	for _, p := range []*parent{old, fresh} {
		p.pictures(3 * time.Second)
		await[*wire.Renditions](p, nil)
		p.send(&wire.Handover{PTS: 270000, ClockRate: 90000, Leave: p == old})
		p.pictures(5100 * time.Millisecond)
	}
	newest := int64(0)
	for handed := false; !handed; {
		switch m := old.read().(type) {
		case *wire.Packet:
			newest = m.PTS
		case *wire.Handed:
			handed = true
		}
	}
	if newest != 270000-3600 {
		t.Errorf("the old script's last picture is at %d", newest)
	}
	if cut := await[*wire.Cut](fresh, nil); cut.PTS != 270000 || cut.Segment != 1 {
		t.Errorf("the new script's first segment is %+v", cut)
	}
	if first := await[*wire.Packet](fresh, nil); first.PTS != 270000 {
		t.Errorf("its first picture is at %d", first.PTS)
	}
}

// A worker that takes over from a dead one puts out nothing that viewers have.
func TestAfter(t *testing.T) {
	p := perform(t, identity, func(j *wire.ScriptJob) { j.After, j.Fixed = int64(2500*time.Millisecond), true })
	p.pictures(5 * time.Second)
	if cut := await[*wire.Cut](p, nil); cut.PTS != 270000 {
		t.Errorf("cut %+v", cut)
	}
}

func TestOptions(t *testing.T) {
	p := perform(t, strings.Replace(identity, "hls()", "hls({ part: '200ms', segment: '4s' })", 1))
	p.pictures(8100 * time.Millisecond)
	made := await[*wire.Renditions](p, nil)
	if made.HLS.Part != int64(200*time.Millisecond) || made.HLS.Segment != int64(4*time.Second) || made.HLS.LowLatency != nil {
		t.Errorf("hls %+v", made.HLS)
	}
	await(p, func(c *wire.Cut) bool { return c.Segment == 2 && c.PTS == 270000 })
}

func TestPlace(t *testing.T) {
	for text, want := range map[string]string{
		"TypeError: x\n\tat f (/etc/front.js:12:3)\n\tat /etc/other.js:1:1": "/etc/front.js:12:3",
		"Error\n    at node:internal:4:5\n    at file:///a b/c.js:7:8":      "/a b/c.js:7:8",
		"Error: nothing": "",
	} {
		if got := place(text); got != want {
			t.Errorf("place of %q is %q, want %q", text, got, want)
		}
	}
}
