package app_test

import (
	"strings"
	"testing"
)

// The module's own pieces, asked through a route.
func TestModule(t *testing.T) {
	r := start(t, `
import { on, http, schedule, every, streams } from 'millrace';
const tried = (f) => { try { return f(); } catch (e) { return e.name + ': ' + e.message; } };
http.get('/errors', (req, res) => res.json([
  tried(() => on('pubish', () => {})),
  tried(() => on('publish')),
  tried(() => on('publish', { timeout: 'soon' }, () => {})),
  tried(() => on('publish', { onTimeout: 'maybe' }, () => {})),
  tried(() => schedule('61 * * * *', () => {})),
  tried(() => schedule('* * *', () => {})),
  tried(() => schedule('0 0 31 2 *', () => {})),
  tried(() => http.get('nope', () => {})),
  tried(() => http.get('/nope')),
  tried(() => http.listen(80)),
  tried(() => streams.get()),
]));
const job = (text) => { const j = schedule(text, () => {}); j.stop; const at = j.next; j.stop(); return at; };
http.get('/next', (req, res) => {
  const hour = job('0 * * * *'), leap = job('0 0 29 feb *'), second = job('*/10 * * * * *'), day = job('30 6 * * mon-fri');
  res.json([hour.getMinutes(), hour > new Date(), leap.getDate(), leap.getMonth(), second.getSeconds() % 10, day.getHours(), day.getMinutes(), day.getDay() >= 1 && day.getDay() <= 5]);
});
let ticks = 0, overlap = 0, busy = false;
const timer = every('10ms', async () => {
  if (busy) overlap++;
  busy = true;
  await new Promise((r) => setTimeout(r, 25));
  busy = false;
  if (++ticks === 3) timer.stop();
});
http.get('/ticks', (req, res) => res.send(ticks + ' ' + overlap));

const api = http.Router();
api.get('/:id(\\d+)', (req, res) => res.send('number ' + req.params.id + ' ' + req.baseUrl));
api.get('/:id', (req, res) => res.send('word ' + req.params.id));
http.use('/api', (req, res, next) => { res.set('X-Seen', 'yes'); next(); }, api);
http.get('/api/late', (req, res) => res.send('never'));
http.get('/opt/:a/:b?', (req, res) => res.json(req.params));
http.get('/all/*', (req, res) => res.send(req.params[0]));
http.post('/json', http.json({ limit: 20 }), (req, res) => res.json({ got: req.body }));
http.get('/async', async () => { await null; throw Object.assign(new Error('gone for good'), { status: 410 }); });
http.get('/secret', () => { throw new Error('the password is x'); });
http.get('/cookie', (req, res) => res.cookie('a', 'b c', { httpOnly: true }).redirect('/app/x y'));
http.get('/stream', (req, res) => { res.write('a'); setTimeout(() => res.end('b'), 5); });
http.use((error, req, res, next) => { if (error.message.includes('never')) res.send('x'); else next(error); });
`)
	r.until("/app/next", "[0,true,29,1,0,6,30,true]")
	r.until("/app/ticks", "3 0")
	_, errors := r.get("/app/errors")
	for _, want := range []string{
		"there is no hook 'pubish'", "fn", "timeout is soon", "onTimeout is 'maybe'", "61 is no minute", "write minute, hour",
		"there is no such day", "begins with a slash", "has no handler", "opens no ports", "named by its path",
	} {
		if !strings.Contains(errors, want) {
			t.Errorf("no %q in %s", want, errors)
		}
	}
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/app/api/12", 200, "number 12 /app/api"},
		{"/app/api/late", 200, "word late"},
		{"/app/api", 404, "there is no GET /app/api\n"},
		{"/app/opt/1", 200, `{"a":"1"}`},
		{"/app/opt/1/a%20b", 200, `{"a":"1","b":"a b"}`},
		{"/app/all/x/y", 200, "x/y"},
		{"/app/async", 410, "gone for good\n"},
		{"/app/secret", 500, "the app failed to answer\n"},
		{"/app/stream", 200, "ab"},
	} {
		if status, got := r.get(c.path); status != c.status || c.want != "" && got != c.want {
			t.Errorf("%s: %d %q", c.path, status, got)
		}
	}
	for body, want := range map[string]string{`{"a":1}`: `{"got":{"a":1}}`, `{`: "the body is no JSON", `"` + strings.Repeat("x", 30) + `"`: "larger than 20 bytes"} {
		resp, err := r.client().Post("http://app/app/json", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 200)
		n, _ := resp.Body.Read(b)
		resp.Body.Close()
		if !strings.Contains(string(b[:n]), want) {
			t.Errorf("%s: %d %s", body, resp.StatusCode, b[:n])
		}
	}
}
