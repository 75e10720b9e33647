package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/jsapi/program/npmtest"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// withApp starts a server with an app script, and waits until that runs.
func withApp(t *testing.T, script, config string) (s *server, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "app.js")
	writeFile(t, file, script)
	return serveApp(t, file, config), file
}

func serveApp(t *testing.T, file, config string) *server {
	t.Helper()
	s := start(t, "127.0.0.1", "serve", fmt.Sprintf("app: %q\nenv: [KEY]\n%s", file, config), "env", "KEY=s3cret")
	s.eventually(20*time.Second, "the app runs", func() error {
		if !strings.Contains(s.Output(), "the app runs") {
			return fmt.Errorf("the log has %s", s.Output())
		}
		return nil
	})
	return s
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// said waits until the server's log has a text.
func (s *server) said(text string) {
	s.t.Helper()
	s.eventually(20*time.Second, fmt.Sprintf("the log says %q", text), func() error {
		if !strings.Contains(s.Output(), text) {
			return fmt.Errorf("the log has %s", s.Output())
		}
		return nil
	})
}

const admission = `
import { on, streams } from 'millrace';
on('publish', { timeout: '1500ms' }, async (session) => {
  if (session.path === 'slow') await new Promise(() => {});
  if (session.path === 'loop') for (;;);
  if (session.path === 'mute') return { tracks: 'video', ladder: [{ height: 180, bitrate: '300k' }] };
  if (session.query.key !== process.env.KEY) throw new Error('wrong key');
  return { path: 'live/' + session.path };
});
on('read', (session) => { if (session.query.pass !== '1') throw Object.assign(new Error('no pass'), { status: 401 }); });
on('stream:live', (stream) => console.log('on air:', stream.path, streams.get(stream.path).state));
on('publisher:refused', (e) => console.log('told of a refusal:', e.path, e.reason));
on('stream:ended', (stream) => console.log('over:', stream.path));
`

func TestAppAdmits(t *testing.T) {
	t.Parallel()
	s, _ := withApp(t, admission, `streams: [{path: "**", hold: 1s, ladder: passthrough, hls: {window: 60s}}]`)
	clip, _ := tools.Clip(t, "h264")
	for _, c := range []struct{ path, want, log string }{
		{"cam?key=nope", "403", "wrong key"},
		{"slow?key=s3cret", "403", "did not answer within 1.5s"},
	} {
		p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL(c.path)})
		if err := p.Wait(); err == nil || !strings.Contains(p.Output(), c.want) {
			t.Errorf("%s: %v, %s", c.path, err, p.Output())
		}
		s.said(c.log)
	}
	s.said("told of a refusal: cam")

	s.publish("cam?key=s3cret", clip)
	s.live("live/cam", 1)
	s.said("on air: live/cam live")
	if _, err := s.stream("cam"); !isStatus(err, http.StatusNotFound) {
		t.Errorf("the stream has its old name too: %v", err)
	}

	// What else a hook may choose: tracks and ladder.
	s.publish("mute", clip)
	p := s.live("mute", 1)
	if names := p.names(); len(names) != 1 || names[0] != "180p" {
		t.Errorf("renditions %v", names)
	}
	st, err := s.stream("mute")
	if err != nil || len(st.Tracks) != 1 || st.Tracks[0].Kind != "video" {
		t.Errorf("tracks %+v, %v", st.Tracks, err)
	}

	// Readers are asked about too; 401 asks for credentials.
	if _, err := probeURL(t, s.rtspURL("mute")); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("read without a pass: %v", err)
	}
	if _, err := probeURL(t, s.rtspURL("mute?pass=1")); err != nil {
		t.Errorf("read with a pass: %v", err)
	}
}

func probeURL(t *testing.T, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	args := []string{"-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", url}
	if strings.HasPrefix(url, "rtsp:") {
		args = append([]string{"-rtsp_transport", "tcp"}, args...)
	}
	out, err := exec.CommandContext(ctx, tools.Find(t, "ffprobe"), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return string(out), nil
}

// An app that loops is stopped and started again; streams go on.
func TestAppThatLoops(t *testing.T) {
	t.Parallel()
	s, _ := withApp(t, admission, `streams: [{path: "**", hold: 1s, ladder: passthrough, hls: {window: 60s}}]`)
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam?key=s3cret", clip)
	before := s.live("live/cam", 1)
	p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("loop")})
	if err := p.Wait(); err == nil {
		t.Error("let in by a hook that never ends")
	}
	s.said("without coming back to its event loop")
	s.said("app.js:5") // where it was
	s.eventually(20*time.Second, "the app runs again", func() error {
		if n := strings.Count(s.Output(), "the app runs"); n < 2 {
			return fmt.Errorf("it was started %d times", n)
		}
		return nil
	})
	after := s.live("live/cam", 1)
	for name, m := range after.media {
		if old := before.media[name]; old != nil && len(m.Segments) > 0 && m.DiscontinuitySequence != old.DiscontinuitySequence {
			t.Errorf("%s: the stream broke", name)
		}
	}
	if st, err := s.stream("live/cam"); err != nil || st.State != status.Live {
		t.Errorf("the stream is %s, %v", st.State, err)
	}
}

const doorman = `
import { on, http } from 'millrace';
on('view', async ({ path, query, ip, userAgent }) => {
  if (path === 'now') return { path: 'cam' };
  if (query.ticket !== 'paid') throw new Error('buy a ticket');
});
on('viewer:join', (v) => console.log('came:', v.path, v.ip, v.viewers));
on('viewer:leave', (v) => console.log('left:', v.path));
`

func TestAppDecidesWhoViews(t *testing.T) {
	t.Parallel()
	s, _ := withApp(t, doorman, `streams: [{path: "**", ladder: passthrough, hls: {segment: 500ms, part: 100ms, window: 4s}}]`)
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	var list []byte
	s.eventually(20*time.Second, "the playlist is there for who has a ticket", func() (err error) {
		list, err = s.get("/hls/cam/index.m3u8?ticket=paid")
		return err
	})
	if _, err := s.get("/hls/cam/index.m3u8"); !isStatus(err, http.StatusForbidden) {
		t.Errorf("without a ticket: %v", err)
	}
	var uri string
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			uri = line
		}
	}
	if !strings.HasPrefix(uri, "/t/") || !strings.Contains(uri, "/hls/cam/") {
		t.Fatalf("the playlist lists %q", uri)
	}
	if _, err := s.get(uri); err != nil {
		t.Errorf("what it lists: %v", err)
	}
	s.said("came: cam 127.0.0.1 1")
	plain := uri[strings.Index(uri, "/hls/"):]
	if _, err := s.get(plain); !isStatus(err, http.StatusForbidden) {
		t.Errorf("the same without the ticket: %v", err)
	}
	if _, err := s.get(strings.Replace(uri, "/t/", "/t/A", 1)); !isStatus(err, http.StatusForbidden) {
		t.Errorf("with a forged ticket: %v", err)
	}
	// A real player follows.
	s.eventually(20*time.Second, "a player plays", func() error {
		codecs, err := probeURL(t, s.url("/hls/cam/index.m3u8?ticket=paid"))
		if err == nil && !strings.Contains(codecs, "h264") {
			err = fmt.Errorf("it finds %q", codecs)
		}
		return err
	})
	// An alias.
	if list, err := s.get("/hls/now/index.m3u8"); err != nil || !strings.Contains(string(list), "/hls/cam/") {
		t.Errorf("by another name: %v, %s", err, list)
	}
	s.said("left: cam")
}

const routes = `
import express from 'express';
import express5 from 'express5';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import { http, io, streams } from 'millrace';
http.get('/hello/:name', (req, res) => res.json({ hello: req.params.name, ip: req.ip, live: streams.list().length, q: req.query.q }));
http.post('/upper', async (req, res) => { for await (const piece of req) res.write(String(piece).toUpperCase()); res.end(); });
http.get('/die', () => process.exit(3));
http.use('/files', http.static(import.meta.dirname));
const shop = express();
shop.use(express.json());
shop.get('/item/:id', (req, res) => res.json({ id: req.params.id, base: req.baseUrl, url: req.originalUrl, ip: req.ip }));
shop.post('/order', (req, res) => res.status(201).json({ got: req.body }));
shop.get('/bad', () => { throw new Error('out of stock'); });
shop.use((error, req, res, next) => res.status(418).send(error.message));
http.mount('/shop', shop);
const five = express5();
five.use(express5.json());
five.get('/item/:id', async (req, res) => res.json({ id: req.params.id, base: req.baseUrl, query: req.query, ip: req.ip }));
five.post('/order', (req, res) => res.status(201).json({ got: req.body }));
five.get('/bad', async () => { throw new Error('sold out'); });
five.use('/static', express5.static(import.meta.dirname));
five.use((error, req, res, next) => res.status(418).send(error.message));
http.mount('/five', five);
const koa = new Koa();
koa.use(async (ctx, next) => { try { await next(); } catch (error) { ctx.status = 418; ctx.body = error.message; } });
koa.use(bodyParser());
koa.use(async (ctx) => {
  if (ctx.path === '/bad') throw new Error('closed');
  ctx.set('X-By', 'koa');
  ctx.body = { method: ctx.method, path: ctx.path, n: ctx.query.n, got: ctx.request.body, ip: ctx.ip };
});
http.mount('/koa', koa);
http.ws('/echo', (socket, req) => { socket.on('message', (m) => socket.send(m)); });
io.use((socket, next) => (socket.handshake.auth.refuse ? next(Object.assign(new Error('refused'), { data: { why: 'auth' } })) : next()));
io.on('connection', (socket) => {
  socket.join(socket.handshake.query.path);
  socket.on('chat', (text, ack) => { io.to(socket.handshake.query.path).emit('chat', text); ack('sent'); });
  socket.on('bytes', (b, ack) => ack(Buffer.isBuffer(b), Buffer.concat([b, Buffer.from([255])]), { nested: [b] }));
  socket.on('others', () => socket.broadcast.emit('from', socket.id));
  socket.on('ask', async (ack) => ack(await socket.timeout(5000).emitWithAck('question', 42)));
  socket.on('bye', () => socket.disconnect());
});
io.of('/admin').on('connection', (socket) => socket.emit('admin', socket.nsp.name));
`

// request makes a request and gives status, header and body.
func (s *server) request(method, path, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url(path), strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(b)
}

func TestAppServes(t *testing.T) {
	t.Parallel()
	packages := npmtest.Install(t, "express@4.21.2", "express5@npm:express@5.1.0", "koa@2.16.1", "koa-bodyparser@4.4.1",
		"socket.io-client@4.8.1", "ws@8.18.0")
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "app.js")
	writeFile(t, file, routes)
	writeFile(t, filepath.Join(dir, "page.html"), "<h1>hello</h1>")
	s := serveApp(t, file, "")

	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		{"GET", "/app/hello/x?q=a+b", "", []string{"X-Forwarded-For", "9.9.9.9"}, 200, `{"hello":"x","ip":"127.0.0.1","live":0,"q":"a b"}`},
		{"POST", "/app/upper", strings.Repeat("streamed ", 100_000), nil, 200, strings.Repeat("STREAMED ", 100_000)},
		{"GET", "/app/none", "", nil, 404, "there is no GET /app/none\n"},
		{"GET", "/app/files/page.html", "", nil, 200, "<h1>hello</h1>"},
		{"GET", "/app/files/page.html", "", []string{"Range", "bytes=1-2"}, 206, "h1"},
		{"GET", "/app/files/../app.js", "", nil, 404, ""},
		{"GET", "/app/shop/item/7", "", nil, 200, `{"id":"7","base":"/app/shop","url":"/app/shop/item/7","ip":"127.0.0.1"}`},
		{"POST", "/app/shop/order", `{"n":1}`, []string{"Content-Type", "application/json"}, 201, `{"got":{"n":1}}`},
		{"GET", "/app/shop/bad", "", nil, 418, "out of stock"},
		{"GET", "/app/five/item/7?a=1", "", nil, 200, `{"id":"7","base":"/app/five","query":{"a":"1"},"ip":"127.0.0.1"}`},
		{"POST", "/app/five/order", `{"n":1}`, []string{"Content-Type", "application/json"}, 201, `{"got":{"n":1}}`},
		{"GET", "/app/five/bad", "", nil, 418, "sold out"},
		{"GET", "/app/five/static/page.html", "", nil, 200, "<h1>hello</h1>"},
		{"GET", "/app/five/none", "", nil, 404, ""},
		{"GET", "/app/koa/list?n=5", "", nil, 200, `{"method":"GET","path":"/list","n":"5","got":{},"ip":"127.0.0.1"}`},
		{"POST", "/app/koa/", `{"n":1}`, []string{"Content-Type", "application/json"}, 200, `{"method":"POST","path":"/","got":{"n":1},"ip":"127.0.0.1"}`},
		{"GET", "/app/koa/bad", "", nil, 418, "closed"},
		{"GET", "/socket.io/socket.io.none.js", "", nil, 400, ""},
	} {
		resp, body := s.request(c.method, c.path, c.body, c.header...)
		if resp.StatusCode != c.status || c.want != "" && body != c.want {
			t.Errorf("%s %s: %d %.200s", c.method, c.path, resp.StatusCode, body)
		}
	}

	for _, name := range []string{"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"} {
		resp, body := s.request("GET", "/socket.io/"+name, "")
		if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Content-Type"), "javascript") || !strings.Contains(body, "Socket.IO v4.") {
			t.Errorf("%s: %d %s %.100s", name, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		if again, _ := s.request("GET", "/socket.io/"+name, "", "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", name, again.StatusCode)
		}
	}

	c, _, err := websocket.Dial(t.Context(), "ws://"+s.http+"/app/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), websocket.MessageText, []byte("echo")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(t.Context()); err != nil || string(b) != "echo" {
		t.Errorf("echoed %q, %v", b, err)
	}

	client := filepath.Join(dir, "client.mjs")
	script, err := os.ReadFile(filepath.Join("testdata", "socketio.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, client, string(script))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", client, s.url("")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "all is well") {
		t.Errorf("the stock client: %v\n%s", err, out)
	}

	// A request of an app that ends meanwhile gets an answer, and the next one
	// another process.
	if resp, _ := s.request("GET", "/app/die", ""); resp.StatusCode != http.StatusBadGateway && resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an app that ends answers %d", resp.StatusCode)
	}
	s.said("process.exit(3)")
	s.eventually(20*time.Second, "the app is back", func() error {
		_, err := s.get("/app/hello/x")
		return err
	})
}

func TestAppDown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "app.js")
	writeFile(t, file, "this is no JavaScript")
	s := start(t, "127.0.0.1", "serve", fmt.Sprintf("app: %q", file))
	s.said("the app is down")
	resp, _ := s.request("GET", "/app/x", "")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("/app: %d", resp.StatusCode)
	}
	// What might guard the door is not there: nobody may pass.
	clip, _ := tools.Clip(t, "h264")
	p := tools.PublishFFmpeg(t, tools.Publication{Input: clip, URL: s.rtspURL("cam")})
	if err := p.Wait(); err == nil || !strings.Contains(p.Output(), "503") {
		t.Errorf("publisher: %v, %s", err, p.Output())
	}
	// It is mended without a restart of the server.
	writeFile(t, file, "import { http } from 'millrace'; http.get('/x', (req, res) => res.send('mended'));")
	s.eventually(20*time.Second, "the app is mended", func() error {
		_, err := s.get("/app/x")
		return err
	})
}

// auth.app has the view rules hold for the app.
func TestAppGuarded(t *testing.T) {
	t.Parallel()
	s, _ := withApp(t, "import { http } from 'millrace'; http.get('/x', (req, res) => res.send('x'));",
		`auth: {app: true, view: [{path: "private/*", token: v13w}]}`)
	for path, want := range map[string]int{"/app/x": 401, "/app/x?token=no": 403, "/app/x?token=v13w": 200} {
		if resp, body := s.request("GET", path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}

// TestAppChangesByReload names another app, and another variable for scripts,
// and has the server read that; an app that does not start changes nothing.
func TestAppChangesByReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := func(name, text string) string {
		file := filepath.Join(dir, name)
		writeFile(t, file, text)
		return file
	}
	const says = `import { http } from 'millrace';
		http.get('/who', (req, res) => res.send('%s, ' + process.env.KEY + ', ' + process.env.OTHER));`
	first, second := app("first.js", fmt.Sprintf(says, "first")), app("second.js", fmt.Sprintf(says, "second"))
	pipeline := app("front.js", `import { hls } from 'millrace';
		export default async function (source, { env, log }) { log('sees ' + env.OTHER); source.pipe(hls()); }`)
	config := func(app, env string) string {
		return fmt.Sprintf("app: %q\nenv: [%s]\nstreams: [{path: cam, pipeline: %q}]\n", app, env, pipeline)
	}
	s := start(t, "127.0.0.1", "serve", config(first, "KEY"), "env", "KEY=k", "OTHER=o")
	answers := func(want string) {
		t.Helper()
		s.eventually(20*time.Second, want+" answers", func() error {
			if b, err := s.get("/app/who"); err != nil || string(b) != want {
				return fmt.Errorf("%s, %w", b, err)
			}
			return nil
		})
	}
	reload := func(config string) {
		t.Helper()
		s.configure(config)
		if err := s.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	answers("first, k, undefined")
	clip, _ := tools.Clip(t, "h264", func(r *testmedia.Recipe) { r.Duration = 20 * time.Second })
	s.publish("cam", clip)
	s.live("cam", 1)
	s.said("sees undefined")
	reload(config(second, "KEY, OTHER"))
	answers("second, k, o")
	s.said("sees o")
	reload(config(app("broken.js", "throw new Error('not today')"), "KEY, OTHER"))
	s.said("the changed app does not start")
	answers("second, k, o")
	reload(config(first, "OTHER"))
	answers("first, undefined, o")
}
