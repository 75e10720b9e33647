package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// transcript is what a running program has written so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// running is the program at work inside the test.
type running struct {
	t           *testing.T
	out, errs   transcript
	signals     chan os.Signal
	done        chan struct{}
	code        int
	environment map[string]string
}

// start runs the program with a name of its own, so that its workers are the
// test binary once more.
func start(t *testing.T, env map[string]string, args ...string) *running {
	t.Helper()
	watchLeaks(t)
	r := &running{t: t, signals: make(chan os.Signal, 8), done: make(chan struct{}), environment: env}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), "millrace")
	if err := os.Symlink(self, exe); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{
		args: args, env: func(n string) string { return env[n] },
		stdin: strings.NewReader(""), stdout: &r.out, stderr: &r.errs,
		signals:    func() (<-chan os.Signal, func()) { return r.signals, func() {} },
		executable: func() (string, error) { return exe, nil },
	}
	go func() {
		defer close(r.done)
		r.code = run(ctx, w)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
		if t.Failed() {
			t.Logf("it wrote:\n%s%s", r.out.String(), r.errs.String())
		}
	})
	return r
}

var watched sync.Map // tests

// watchLeaks has a test fail if anything of its programs is left when all of
// them have ended.
func watchLeaks(t *testing.T) {
	if _, again := watched.LoadOrStore(t, true); again {
		return
	}
	t.Cleanup(func() { // the first of its cleanups, so the last to run
		http.DefaultClient.CloseIdleConnections()
		// The clock of regular expressions that are bounded in time stops by itself.
		goleak.VerifyNone(t, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
	})
}

// sees waits until the program has written what pattern matches, and returns
// its first group, or the match where there is none.
func (r *running) sees(pattern string) string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(20 * time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for ended := false; ; {
		if m := re.FindStringSubmatch(r.errs.String() + r.out.String()); m != nil {
			return m[len(m)-1]
		}
		if ended {
			r.t.Fatalf("it ended with code %d and never wrote %s", r.code, pattern)
		}
		select {
		case <-ticker.C:
		case <-r.done:
			ended = true
		case <-deadline:
			r.t.Fatalf("it does not write %s", pattern)
		}
	}
}

// ends waits for the program and returns its exit code.
func (r *running) ends(within time.Duration) int {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(within):
		r.t.Fatalf("it does not end within %s", within)
	}
	return r.code
}

var anywhere = []string{"serve", "--http", "127.0.0.1:0", "--rtsp", "127.0.0.1:0", "--srt", "127.0.0.1:0"}

func get(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func TestServeSaysWhereItIs(t *testing.T) {
	r := start(t, nil, anywhere...)
	console := r.sees(`console=(http://localhost:\d+/)`)
	r.sees(`rtsp listens.*publish=rtsp://localhost:\d+/\{path\}`)
	r.sees(`srt listens.*publish="?srt://localhost:\d+\?streamid=publish:\{path\}`)
	r.sees(`rtmp comes in a later version`)
	r.sees(`no keys are set: only this machine may publish`)
	if code, body := get(t, console+"healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d %s", code, body)
	}
	if code, body := get(t, console+"metrics"); code != http.StatusOK || !strings.Contains(body, "millrace_build_info") {
		t.Errorf("metrics: %d %.200s", code, body)
	}
	if code, _ := get(t, console+"api/v1/streams"); code != http.StatusOK {
		t.Errorf("the API is closed to this machine: %d", code)
	}
	r.signals <- syscall.SIGTERM
	if code := r.ends(10 * time.Second); code != exitDone {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

func TestServeLogsJSON(t *testing.T) {
	r := start(t, map[string]string{"MILLRACE_LOG_FORMAT": "json", "MILLRACE_HTTP": "127.0.0.1:0"}, "serve", "--rtsp", "off", "--rtmp", "off", "--srt", "off")
	r.sees(`\{"time":.*"msg":"http listens"`)
	r.signals <- syscall.SIGINT
	if code := r.ends(10 * time.Second); code != exitDone {
		t.Errorf("SIGINT: exit code %d", code)
	}
	if text := r.errs.String(); strings.Contains(text, "rtsp listens") || strings.Contains(text, "later version") {
		t.Errorf("talks of listeners that are off: %s", text)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().String()
	for _, args := range [][]string{
		{"serve", "--http", taken, "--rtsp", "127.0.0.1:0", "--srt", "off"},
		{"serve", "--http", "127.0.0.1:0", "--rtsp", taken, "--srt", "off"},
	} {
		r := start(t, nil, args...)
		if code := r.ends(5 * time.Second); code != exitFailed {
			t.Errorf("%q: exit code %d", args, code)
		}
		want := fmt.Sprintf("listen tcp %s: bind: address already in use; something else listens there; stop it, or choose another address\n", taken)
		if got := r.errs.String(); !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%q: %q", args, got)
		}
	}
}

func TestServeErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	write(t, bad, "htpp: {}\nstreams: [{path: a, hold: 5}]\n")
	pem := filepath.Join(dir, "tls.yaml")
	write(t, pem, "http: {tls: {cert: no.pem, key: no.key}, listen: '127.0.0.1:0'}\nrtsp: {listen: 'off'}\nsrt: {listen: 'off'}\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"serve", "-c", bad}, exitFailed, bad + ":1:1: htpp: unknown key; did you mean \"http\"?\n" +
			bad + ":2:27: streams[0].hold: a duration needs a unit: 5s, 5ms, 5m?\n"},
		{[]string{"serve", "-c", dir + "/none.yaml"}, exitFailed, "millrace: --config: there is no file " + dir + "/none.yaml; name one that exists, or leave it out for the defaults\n"},
		{[]string{"serve", "--http", "8080"}, exitUsage, "--http: 8080 is a port without its colon; write \":8080\"\n"},
		{[]string{"serve", "--http", "off", "--rtsp", "off", "--srt", "off"}, exitUsage, "millrace: every listener is off: there is nothing to serve; leave http, rtsp or srt on\n"},
		{[]string{"serve", "-c", pem}, exitFailed, "millrace: http: load TLS certificate: open " + dir + "/no.pem: no such file or directory\n"},
	} {
		code, _, stderr := inProcess(t, nil, c.args...)
		if code != c.code || stderr != c.want {
			t.Errorf("%q: exit %d, want %d\ngot  %q\nwant %q", c.args, code, c.code, stderr, c.want)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	listen := "http: {listen: '127.0.0.1:0'}\nrtsp: {listen: '127.0.0.1:0'}\nsrt: {listen: 'off'}\n"
	write(t, file, listen+"auth: {api: {token: old}}\n")
	r := start(t, nil, "serve", "-c", file)
	streams := r.sees(`console=(http://localhost:\d+/)`) + "api/v1/streams"
	ask := func(token string) int {
		code, _ := get(t, streams, "Authorization", "Bearer "+token)
		return code
	}
	if ask("old") != 200 || ask("new") != 401 {
		t.Fatal("the token is not in force")
	}

	write(t, file, listen+"auth: {api: {token: new}}\nstreams: [{path: a, hold: 5s}]\n")
	r.signals <- syscall.SIGHUP
	r.sees(`configuration read again.*changed: auth.api.token; streams: a`)
	if ask("old") != 401 || ask("new") != 200 {
		t.Error("the new token is not in force")
	}

	write(t, file, "nonsense: true\n")
	r.signals <- syscall.SIGHUP
	r.sees(`the configuration stays as it was: .*m\.yaml:1:1: nonsense: unknown key`)
	if ask("new") != 200 {
		t.Error("a broken file changed something")
	}

	write(t, file, "http: {listen: '127.0.0.1:1'}\nauth: {api: {token: new}}\n")
	r.signals <- syscall.SIGHUP
	r.sees(`in force after a restart only: http.listen`)
	r.signals <- syscall.SIGTERM
	if code := r.ends(10 * time.Second); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// The first app comes, and the last one goes, while the server runs.
func TestAppComesAndGoes(t *testing.T) {
	dir := t.TempDir()
	file, script := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "app.js")
	listen := "http: {listen: '127.0.0.1:0'}\nrtsp: {listen: 'off'}\nsrt: {listen: 'off'}\n"
	write(t, script, "import { http } from 'millrace';\nhttp.get('/who', (req, res) => res.send('the app'));\n")
	write(t, file, listen)
	r := start(t, nil, "serve", "-c", file)
	url := r.sees(`console=(http://localhost:\d+/)`) + "app/who"
	answers := func(want int, text string) {
		t.Helper()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		limit := time.After(30 * time.Second)
		for {
			code, body := get(t, url)
			if code == want && strings.Contains(body, text) {
				return
			}
			select {
			case <-tick.C:
			case <-limit:
				t.Fatalf("/app/who answers %d, %s", code, body)
			}
		}
	}
	answers(http.StatusNotFound, "has no app")
	for range 2 {
		write(t, file, listen+"app: app.js\n")
		r.signals <- syscall.SIGHUP
		answers(http.StatusOK, "the app")
		write(t, file, listen)
		r.signals <- syscall.SIGHUP
		answers(http.StatusNotFound, "has no app")
	}
	r.signals <- syscall.SIGTERM
	if code := r.ends(20 * time.Second); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// Where rules take the place of an app that decides who may watch, nobody gets
// in while the app, which takes its time, leaves.
func TestRulesFollowAnApp(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "m.yaml")
	listen := "http: {listen: '127.0.0.1:0'}\nrtsp: {listen: 'off'}\nsrt: {listen: 'off'}\n"
	write(t, filepath.Join(dir, "app.js"), `import { on, http } from 'millrace';
on('view', () => false);
http.get('/busy', (req, res) => { res.send('yes'); setImmediate(() => { for (const from = Date.now(); Date.now() - from < 1500;); }) });
`)
	write(t, file, listen+"app: app.js\n")
	r := start(t, nil, "serve", "-c", file)
	console := r.sees(`console=(http://localhost:\d+/)`)
	playlist := console + "hls/cam/index.m3u8"
	r.sees(`the app runs`)
	if code, body := get(t, playlist); code != http.StatusForbidden {
		t.Fatalf("the app does not decide: %d, %s", code, body)
	}
	write(t, file, listen+"auth: {view: [{path: '*', token: s3cret}]}\n")
	if code, body := get(t, console+"app/busy"); code != http.StatusOK {
		t.Fatalf("/app/busy answers %d, %s", code, body)
	}
	r.signals <- syscall.SIGHUP
	r.sees(`configuration read again`)
	for code := 0; code != http.StatusUnauthorized; {
		var body string
		code, body = get(t, playlist)
		if code != http.StatusUnauthorized && code != http.StatusForbidden && code != http.StatusServiceUnavailable {
			t.Fatalf("neither the app nor the rules decide: %d, %s", code, body)
		}
	}
	if code, body := get(t, playlist+"?token=s3cret"); code != http.StatusNotFound {
		t.Errorf("with a token one is answered %d, %s", code, body)
	}
	r.signals <- syscall.SIGTERM
	if code := r.ends(20 * time.Second); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestNotYetIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	write(t, file, "streams: [{path: a, ladder: [{height: 720, codec: h265}]}]\n")
	r := start(t, nil, append(anywhere, "-c", file)...)
	r.sees(`m\.yaml:1: streams\[0\]\.ladder\[0\]\.codec: encoding to h265 is not in this version`)
}

func TestContainerKey(t *testing.T) {
	data := t.TempDir()
	env := map[string]string{"MILLRACE_CONTAINER": "1", "MILLRACE_DATA": filepath.Join(data, "deeper")}
	r := start(t, env, anywhere...)
	key := r.sees(`first start in a container: .*key=([A-Z2-7]{26})`)
	streams := r.sees(`console=(http://localhost:\d+/)`) + "api/v1/streams"
	if code, _ := get(t, streams); code != http.StatusUnauthorized {
		t.Errorf("in a container somebody is loopback: %d", code)
	}
	if code, _ := get(t, streams, "Authorization", "Bearer "+key); code != http.StatusOK {
		t.Errorf("the key does not open the API: %d", code)
	}
	r.signals <- syscall.SIGTERM
	r.ends(10 * time.Second)

	info, err := os.Stat(filepath.Join(data, "deeper", keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}
	r = start(t, env, anywhere...)
	streams = r.sees(`console=(http://localhost:\d+/)`) + "api/v1/streams"
	if code, _ := get(t, streams, "Authorization", "Bearer "+key); code != http.StatusOK {
		t.Errorf("the key is not kept: %d", code)
	}
	r.signals <- syscall.SIGTERM
	r.ends(10 * time.Second)
	if strings.Contains(r.errs.String(), key) {
		t.Error("the key is shown again")
	}
}

func TestContainerWithKeysMakesNone(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "m.yaml")
	write(t, file, "auth: {publish: [{path: a, key: k}]}\n")
	env := map[string]string{"MILLRACE_CONTAINER": "1", "MILLRACE_DATA": data, "MILLRACE_CONFIG": file}
	r := start(t, env, anywhere...)
	r.sees(`http listens`)
	r.signals <- syscall.SIGTERM
	r.ends(10 * time.Second)
	if _, err := os.Stat(filepath.Join(data, keyFile)); err == nil {
		t.Error("a key was made beside those of the configuration")
	}
}

func TestDoubledSignalIsOne(t *testing.T) {
	r := start(t, nil, anywhere...)
	r.sees(`http listens`)
	r.signals <- syscall.SIGTERM
	r.signals <- syscall.SIGTERM // what timeout and shells do: the same one twice
	if code := r.ends(10 * time.Second); code != exitDone {
		t.Errorf("a doubled signal: exit code %d", code)
	}
}
