package web

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/access"
	"github.com/millrace/millrace/internal/status"
)

// fakeJudge fetches what it is to judge, waits until it is let go, and reports.
type fakeJudge struct {
	hold chan struct{} // nil: does not wait
	err  error

	mu    sync.Mutex
	saw   []string // bodies of the playlists
	watch []time.Duration
	began int
	ended int
}

func (j *fakeJudge) Judge(ctx context.Context, c *http.Client, url string, watch time.Duration, progress func(time.Duration)) (status.CheckReport, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return status.CheckReport{}, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return status.CheckReport{}, err
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return status.CheckReport{}, err
	}
	j.mu.Lock()
	j.saw, j.watch, j.began = append(j.saw, string(b)), append(j.watch, watch), j.began+1
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		j.ended++
		j.mu.Unlock()
	}()
	progress(time.Second)
	if j.hold != nil {
		select {
		case <-j.hold:
		case <-ctx.Done():
			return status.CheckReport{}, ctx.Err()
		}
	}
	return status.CheckReport{URL: url, Results: []status.CheckResult{{
		ID: "a-rule", Verdict: "broken", Count: 1, Findings: []status.CheckFinding{{Evidence: "seen at " + url}},
	}}}, j.err
}

func (j *fakeJudge) running() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.began - j.ended
}

// ask sends a request to a server that listens.
func ask(t *testing.T, ctx context.Context, method, url string, body io.Reader, headers ...string) (*http.Response, error) { //nolint:revive // the context is what some of the tests are about
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return c.Do(r)
}

// answered is a whole answer.
func answered(t *testing.T, method, url string, body io.Reader, headers ...string) (status int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	resp, err := ask(t, ctx, method, url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A check is made over the network, opens what a view rule guards, and does not
// hand out what opened it.
func TestCheck(t *testing.T) {
	for name, tls := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			j := &fakeJudge{}
			s := newTestServer(t, newFake("demo", "private/cam"), func(c *Config) {
				c.Judge, c.View = j, access.Rules{{Path: "private/*", Key: "v13w"}}
				if tls {
					c.TLSCert, c.TLSKey = selfSigned(t)
				}
			})
			addr := start(t, s)
			if tls { // the client of this test is not the one that is tested
				r := local("POST", "/api/v1/streams/private%2Fcam/check?seconds=7")
				w := do(s, r)
				checkJudged(t, j, w.Code, w.Body.String(), "http://localhost:8080")
				return
			}
			code, text := answered(t, "POST", "http://"+addr+"/api/v1/streams/private%2Fcam/check?seconds=7", nil)
			checkJudged(t, j, code, text, "http://"+addr)
			if code, text = answered(t, "POST", "http://"+addr+"/api/v1/streams/demo/check", nil, "Accept", "text/event-stream"); code != 200 {
				t.Fatal(code, text)
			}
			var events []CheckEvent
			for line := range strings.Lines(text) {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					var e CheckEvent
					if err := json.Unmarshal([]byte(data), &e); err != nil {
						t.Fatal(err, data)
					}
					events = append(events, e)
				}
			}
			if len(events) != 3 || *events[0].Elapsed != 0 || *events[1].Elapsed != 1 || events[2].Report == nil || len(events[2].Report.Results) != 1 {
				t.Errorf("%s", text)
			}
			if j.watch[1] != checkSeconds*time.Second {
				t.Errorf("watched for %v", j.watch[1])
			}
		})
	}
}

func checkJudged(t *testing.T, j *fakeJudge, code int, text, base string) {
	t.Helper()
	var report status.CheckReport
	if err := json.Unmarshal([]byte(text), &report); err != nil || code != 200 || len(report.Results) != 1 {
		t.Fatal(err, code, text)
	}
	if want := base + "/hls/private/cam/index.m3u8"; report.URL != want {
		t.Errorf("URL %s, want %s", report.URL, want)
	}
	if strings.Contains(text, "/t/") || !strings.Contains(report.Results[0].Findings[0].Evidence, "/hls/private/cam/index.m3u8") {
		t.Errorf("a ticket is in the report: %s", text)
	}
	if !slices.Equal(j.saw, []string{"rest=index.m3u8 query="}) || j.watch[0] != 7*time.Second {
		t.Errorf("it saw %q for %v", j.saw, j.watch)
	}
}

func TestCheckRefuses(t *testing.T) {
	j := &fakeJudge{}
	addr := start(t, newTestServer(t, newFake("demo"), func(c *Config) { c.Judge, c.Token = j, token }))
	for _, c := range []struct {
		method, path string
		body         io.Reader
		headers      []string
		want         int
	}{
		{"POST", "none/check", nil, nil, 404},
		{"POST", "demo%2Fx/check", nil, nil, 404}, // a stream lies above it, and is not it
		{"POST", "a%252Fb/check", nil, nil, 400},
		{"POST", "..%2F..%2Fetc/check", nil, nil, 400},
		{"POST", "demo/check?seconds=0", nil, nil, 422},
		{"POST", "demo/check?seconds=61", nil, nil, 422},
		{"POST", "demo/check?seconds=-3", nil, nil, 422},
		{"POST", "demo/check?seconds=99999999999999999999", nil, nil, 422},
		{"POST", "demo/check?seconds=1.5", nil, nil, 422},
		{"POST", "demo/check", strings.NewReader("{}"), nil, 400},
		{"GET", "demo/check", nil, nil, 404}, // a stream of that name
		{"DELETE", "demo/check", nil, nil, 404},
		{"POST", "demo/check", nil, []string{"Origin", "https://evil.example"}, 401},
		{"POST", "demo/check", nil, []string{"Sec-Fetch-Site", "cross-site"}, 401},
		{"POST", "demo/check", nil, []string{"X-Forwarded-For", "127.0.0.1"}, 401},
		{"POST", "demo/check", nil, []string{"Authorization", "Bearer nope"}, 401},
		{"POST", "demo/check?token=" + token, nil, []string{"Origin", "https://evil.example"}, 401},
	} {
		code, text := answered(t, c.method, "http://"+addr+"/api/v1/streams/"+c.path, c.body, c.headers...)
		if code != c.want || !strings.Contains(text, `"code"`) {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.headers, code, text)
		}
	}
	if j.began != 0 {
		t.Errorf("%d checks were made", j.began)
	}
	if code, text := answered(t, "POST", "http://"+addr+"/api/v1/streams/demo/check", nil, "Origin", "https://ops.example", "Authorization", "Bearer "+token); code != 200 {
		t.Errorf("with the token: %d %s", code, text)
	}
}

// Checks are few, one a stream, and end with who asked for them.
func TestChecksAreBounded(t *testing.T) {
	j := &fakeJudge{hold: make(chan struct{})}
	addr := start(t, newTestServer(t, newFake("a", "b", "c"), func(c *Config) { c.Judge = j }))
	at := func(path string) string { return "http://" + addr + "/api/v1/streams/" + path + "/check" }
	type client struct {
		leave context.CancelFunc
		resp  *http.Response
	}
	begin := func(path string) client {
		ctx, leave := context.WithCancel(t.Context())
		t.Cleanup(leave)
		resp, err := ask(t, ctx, "POST", at(path), nil, "Accept", "text/event-stream")
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(path, err, resp)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return client{leave, resp}
	}
	a, b := begin("a"), begin("b")
	eventually(t, "both are under way", func() bool { return j.running() == 2 })
	if code, text := answered(t, "POST", at("a"), nil); code != 409 || !strings.Contains(text, "being_checked") {
		t.Errorf("the same stream again: %d %s", code, text)
	}
	if code, text := answered(t, "POST", at("c"), nil); code != 429 || !strings.Contains(text, "too_many_checks") {
		t.Errorf("a third one: %d %s", code, text)
	}
	a.leave()
	eventually(t, "the check has ended with its client", func() bool { return j.running() == 1 })
	eventually(t, "its place is free", func() bool { // the handler returns after the judge
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		resp, err := ask(t, ctx, "POST", at("c"), nil, "Accept", "text/event-stream")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == 200
	})
	close(j.hold)
	last := ""
	for lines := bufio.NewScanner(b.resp.Body); lines.Scan(); {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.HasPrefix(last, `data: {"report":{`) {
		t.Errorf("the other one ends with %q", last)
	}
}

func TestCheckThatFails(t *testing.T) {
	j := &fakeJudge{err: errors.New("there is no playlist")}
	addr := start(t, newTestServer(t, newFake("demo"), func(c *Config) { c.Judge = j }))
	at := "http://" + addr + "/api/v1/streams/demo/check"
	if code, text := answered(t, "POST", at, nil); code != 409 || !strings.Contains(text, "there is no playlist") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := answered(t, "POST", at, nil, "Accept", "text/event-stream"); code != 200 || !strings.Contains(text, `data: {"error":{"code":"not_checked","message":"there is no playlist"}}`) {
		t.Errorf("%d %s", code, text)
	}
}

// A server that goes down does not wait for checks.
func TestShutdownEndsChecks(t *testing.T) {
	j := &fakeJudge{hold: make(chan struct{})}
	s := newTestServer(t, newFake("demo"), func(c *Config) { c.Judge, c.DrainTimeout = j, 10*time.Second })
	addr := start(t, s)
	resp, err := ask(t, t.Context(), "POST", "http://"+addr+"/api/v1/streams/demo/check", nil, "Accept", "text/event-stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	eventually(t, "it is under way", func() bool { return j.running() == 1 })
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "going_down") {
		t.Errorf("%s", b)
	}
}

// selfSigned are the files of a certificate that nobody trusts, for a name that
// nobody has.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"media.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", secret)
}
