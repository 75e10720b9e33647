package app_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/pipeline"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/host"
	"github.com/millrace/millrace/jsapi/host/wire"
)

// client asks the app's routes, as web does.
func (r *running) client() *http.Client {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return r.Dial(ctx, wire.Routes)
		},
	}
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func (r *running) get(path string) (int, string) {
	r.t.Helper()
	resp, err := r.client().Get("http://app" + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err.Error()
	}
	return resp.StatusCode, string(b)
}

// until asks until the answer is the one that is wanted.
func (r *running) until(path, want string) {
	r.t.Helper()
	got := ""
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-ticker.C {
		if _, got = r.get(path); got == want {
			return
		}
	}
	r.t.Fatalf("%s answers %q, never %q", path, got, want)
}

func version(n string) string {
	return `import { http, on } from 'millrace'; import './part.js';
http.get('/v', (req, res) => res.send('` + n + `'));
on('publish', () => { throw new Error('by ` + n + `') });`
}

func TestChangedScriptTakesOver(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "part.js")
	write(t, part, "")
	script := filepath.Join(dir, "app.js")
	write(t, script, version("one"))
	r := start(t, "", func(o *host.Options) { o.Script = script })
	r.until("/app/v", "one")
	first := r.Status().PID

	write(t, script, version("two"))
	r.until("/app/v", "two")
	if r.Status().PID == first {
		t.Error("the same process runs other code")
	}
	if _, err := r.publish(visitor("a", "")); err == nil || !strings.Contains(err.Error(), "by two") {
		t.Errorf("the old hook answers: %v", err)
	}

	// One that does not compile leaves the other one running and says why.
	write(t, script, version("three")+"\nlet let = 1 +;")
	r.logs("the changed app does not start")
	r.logs("app.js:4:5")
	if _, got := r.get("/app/v"); got != "two" {
		t.Errorf("answers %q", got)
	}
	if s := r.Status(); s.State != "running" || s.Error == "" {
		t.Errorf("%+v", s)
	}
	// So does one that throws; a file that it imports mends it.
	write(t, part, "throw new Error('not yet')")
	write(t, script, version("four"))
	r.logs("not yet")
	write(t, part, "")
	r.until("/app/v", "four")
	if s := r.Status(); s.Error != "" || s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
}

// What does not run guards nothing, so nobody may pass.
func TestBrokenFromTheStartRefuses(t *testing.T) {
	r := start(t, "on('publish', ;")
	_, err := r.publish(visitor("a", ""))
	var no *pipeline.Refusal
	if !errors.As(err, &no) || !no.Unavailable || !strings.Contains(no.Reason, "app.js:1:") && !strings.Contains(no.Reason, "Unexpected") {
		t.Errorf("%v", err)
	}
	if _, err := r.Dial(t.Context(), wire.Routes); !errors.Is(err, host.ErrDown) {
		t.Errorf("dial: %v", err)
	}
	write(t, r.path, "")
	r.logs("the app runs")
	if _, err := r.publish(visitor("a", "")); err != nil {
		t.Errorf("a script without hooks refuses: %v", err)
	}
}

func TestEndlessLoopEndsTheProcessOnly(t *testing.T) {
	r := start(t, `
import { http, on } from 'millrace';
on('publish', (session) => { if (session.path === 'loop') for (;;); });
http.get('/v', (req, res) => res.send('here'));`)
	r.until("/app/v", "here")
	begin := time.Now()
	// The process that is started next loops too, until the time is over.
	if _, err := r.publish(visitor("loop", "")); err == nil {
		t.Error("let in")
	}
	if d := time.Since(begin); d > 12*time.Second {
		t.Errorf("took %s", d)
	}
	r.logs("without coming back to its event loop")
	r.logs("app.js:3:") // where
	r.until("/app/v", "here")
	if _, err := r.publish(visitor("fine", "")); err != nil {
		t.Error(err)
	}
}

func TestExceptionRestarts(t *testing.T) {
	r := start(t, `
import { http, on } from 'millrace';
on('worker:died', () => { throw new TypeError('what now') });
http.get('/v', (req, res) => res.send('here'));`)
	r.until("/app/v", "here")
	r.server.bus.Send("worker:died", "a", nil)
	r.logs("what now")
	r.logs("app.js:3:")
	r.until("/app/v", "here")
	if n := r.Status().Restarts; n != 1 {
		t.Errorf("%d restarts", n)
	}
}

func TestStreamsAndMessages(t *testing.T) {
	r := start(t, `
import { on, streams, http } from 'millrace';
http.get('/list', (req, res) => res.json(streams.list().map((s) => s.path)));
http.get('/none', (req, res) => res.send(String(streams.get('none'))));
http.get('/kick', async (req, res) => { await streams.get('a').kick('because'); res.send('ok'); });
http.get('/kicknone', async (req, res) => { try { await streams.kick('none'); } catch (e) { res.send(e.code); } });
http.get('/start', async (req, res) => { await streams.start('p', { source: 'rtsp://h/p', ladder: [{ height: 360 }], pipeline: 'x.js' }); res.send('ok'); });
http.get('/stop', async (req, res) => { await streams.stop('p'); res.send('ok'); });
http.get('/send', (req, res) => { streams.get('a').send('topic', { n: 1n, b: Buffer.from('xyz') }); res.send('ok'); });
streams.on('up', (value, stream) => console.log('heard', stream.path, value.b.toString(), value.at instanceof Date));
`)
	r.server.mu.Lock()
	r.server.streams = []status.Stream{{Path: "a"}, {Path: "b/c"}}
	r.server.mu.Unlock()
	for path, want := range map[string]string{
		"/app/list": `["a","b/c"]`, "/app/none": "undefined", "/app/kick": "ok", "/app/kicknone": "ERR_NO_STREAM",
	} {
		r.until(path, want)
	}
	r.until("/app/start", "ok")
	r.until("/app/stop", "ok")
	r.server.mu.Lock()
	done := strings.Join(r.server.done, "\n")
	r.server.mu.Unlock()
	if done != "kick a because\nstart p rtsp://h/p [{\"height\":360}] x.js\nstop p" {
		t.Errorf("asked for %s", done)
	}
	r.until("/app/send", "ok")
	m := <-r.server.sent
	if m.Path != "a" || m.Topic != "topic" || len(m.Blobs) != 1 || string(m.Blobs[0]) != "xyz" {
		t.Errorf("sent %+v", m)
	}
	r.server.said <- pipeline.Message{
		Path: "a", Topic: "up", JSON: []byte(`{"b":{"$":["bytes","Buffer",0]},"at":{"$":["date",1]}}`), Blobs: [][]byte{[]byte("blob")},
	}
	r.logs("heard a blob true")
}

func TestNobodyElsesEnvironment(t *testing.T) {
	t.Setenv("SECRET", "x")
	r := start(t, `import { http } from 'millrace'; http.get('/env', (q, s) => s.json(process.env));`)
	r.until("/app/env", `{"KEY":"s3cret"}`)
	if environ, err := os.ReadFile("/proc/" + strconv.Itoa(r.Status().PID) + "/environ"); err != nil || len(environ) != 0 {
		t.Errorf("environment %q, %v", environ, err)
	}
}

func TestCaptions(t *testing.T) {
	r := start(t, `
import { streams, http } from 'millrace';
const codeOf = (f) => async (req, res) => { try { res.json(await f()); } catch (e) { res.send(e.code); } };
http.get('/say', codeOf(() => streams.get('a').caption({ subtitles: 'en', text: 'x', start: new Date('2026-11-02T12:00:00Z'), align: 'left' })));
http.get('/none', codeOf(() => streams.caption('a', { subtitles: 'none', text: 'x' })));
http.get('/typo', codeOf(() => streams.caption('a', { subtitles: 'en', txt: 'x' })));
http.get('/empty', codeOf(() => streams.caption('a', { subtitles: 'en', text: '' })));
http.get('/time', codeOf(() => streams.caption('a', { subtitles: 'en', text: 'x', time: 1 })));
http.get('/nothing', codeOf(() => streams.caption('a')));
`)
	r.server.mu.Lock()
	r.server.streams = []status.Stream{{Path: "a"}}
	r.server.mu.Unlock()
	for _, c := range [][2]string{
		{"/app/say", `{"subtitles":"en","text":"x","duration":0}`},
		{"/app/none", "ERR_NO_SUBTITLES"},
		{"/app/typo", "ERR_INVALID_ARG_VALUE"},
		{"/app/empty", "ERR_INVALID_ARG_TYPE"},
		{"/app/time", "ERR_INVALID_ARG_VALUE"},
		{"/app/nothing", "ERR_INVALID_ARG_TYPE"},
	} {
		r.until(c[0], c[1])
	}
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if done := strings.Join(r.server.done, "\n"); done != "caption a en x 2026-11-02T12:00:00.000Z left" {
		t.Errorf("asked for %q", done)
	}
}

func TestMarkers(t *testing.T) {
	r := start(t, `
import { streams, http } from 'millrace';
const codeOf = (f) => async (req, res) => { try { res.json(await f()); } catch (e) { res.send(e.code); } };
http.get('/mark', codeOf(() => streams.get('a').mark({
  id: 'x', start: new Date('2026-11-02T12:00:00Z'), attributes: { 'X-N': 1.5 }, scte35: { out: Buffer.from('out') },
})));
http.get('/id3', codeOf(() => streams.mark('a', { id3: new Uint8Array([73, 68, 51]) })));
http.get('/end', codeOf(() => streams.get('a').endMark('x', { end: '-1s' })));
http.get('/markers', codeOf(() => streams.markers('a')));
http.get('/taken', codeOf(() => streams.mark('a', { id: 'taken' })));
http.get('/typo', codeOf(() => streams.mark('a', { colour: 'taken' })));
http.get('/nothing', codeOf(() => streams.mark('a', null)));
http.get('/date', codeOf(() => streams.mark('a', { start: new Date(NaN) })));
`)
	r.server.mu.Lock()
	r.server.streams = []status.Stream{{Path: "a"}}
	r.server.mu.Unlock()
	for _, c := range [][2]string{
		{"/app/mark", `{"id":"x","kind":"daterange"}`},
		{"/app/id3", `{"kind":"daterange"}`},
		{"/app/end", `{"id":"x","kind":""}`},
		{"/app/markers", `[{"id":"a","kind":""}]`},
		{"/app/taken", "ERR_MARKER_ID"},
		{"/app/typo", "ERR_INVALID_ARG_VALUE"},
		{"/app/nothing", "ERR_INVALID_ARG_TYPE"},
		{"/app/date", "ERR_OUT_OF_RANGE"},
	} {
		r.until(c[0], c[1])
	}
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	want := "mark a x 2026-11-02T12:00:00.000Z map[X-N:1.5]  out\nmark a   map[] ID3 \nendMark a x -1s"
	if done := strings.Join(r.server.done, "\n"); done != want {
		t.Errorf("asked for %q, want %q", done, want)
	}
}
