package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/node/web"
	"github.com/millrace/millrace/jsapi/program"
	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// serving runs testdata/handler.js on a listener that Go code brings, and
// gives the listener's address and what the script has printed.
func serving(t *testing.T, network, address string) (net.Addr, *output) {
	t.Helper()
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	script, err := compile.File("testdata/handler.js", compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := &output{}
	// What the server's workers do: no port of the script's own.
	p, err := program.New(program.Options{Host: node.Host{
		Stdout: out, Stderr: out, Listen: func(string, string) error { return errors.New("no ports here") },
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context())) // until the clean-up
	over := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		over <- p.Run(ctx, script, func() error {
			defer close(started)
			_, err := web.Serve(p.Loop, ln, p.Exports.Get("default"))
			return err
		})
	}()
	enough := errors.New("enough")
	t.Cleanup(func() {
		cancel(enough)
		if err := <-over; !errors.Is(err, enough) {
			t.Errorf("the script ended with %v\n%s", err, out)
		}
	})
	select {
	case <-started:
	case err := <-over:
		over <- err
		t.Fatalf("the script did not start: %v", err)
	}
	return ln.Addr(), out
}

// output is written by the loop and read by the test.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// client speaks to an address, whatever the URL says.
func client(t *testing.T, to net.Addr) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, to.Network(), to.String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func get(t *testing.T, c *http.Client, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://script"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServeOnASocketOfTheServer(t *testing.T) {
	at, _ := serving(t, "unix", filepath.Join(t.TempDir(), "app.sock"))
	if got := get(t, client(t, at), "/hello"); got != "GET /hello" {
		t.Errorf("got %q", got)
	}
}

// Clients that misbehave cost neither goroutines nor descriptors once they are
// gone, and the others are served meanwhile.
func TestHostileClients(t *testing.T) {
	before := npmtest.Descriptors(t)
	t.Cleanup(func() { npmtest.Settled(t, "descriptors", func() bool { return npmtest.Descriptors(t) <= before }) })
	at, out := serving(t, "tcp", "127.0.0.1:0")
	requests := map[string]string{
		"half a request line": "GET / HT",
		"half a header":       "GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
		"half a body":         "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
		"a broken chunk":      "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"two lengths":         "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"length and chunks":   "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a flood of fields":   "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-F: y\r\n", 20000) + "\r\n",
		"a huge field":        "GET / HTTP/1.1\r\nHost: x\r\nX-F: " + strings.Repeat("y", 1<<20) + "\r\n\r\n",
		"a smuggled line":     "GET / HTTP/1.1\r\nHost: x\r\nX-F: a\x00b\r\n\r\n",
		"nothing":             "",
		"an unread answer":    "GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
		"no wish to wait":     "GET /never HTTP/1.1\r\nHost: x\r\n\r\n",
		"a prototype":         "GET / HTTP/1.1\r\nHost: x\r\n__proto__: polluted\r\nconstructor: x\r\n\r\n",
	}
	var conns []net.Conn
	for name, text := range requests {
		for range 5 {
			var d net.Dialer
			conn, err := d.DialContext(t.Context(), at.Network(), at.String())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			conns = append(conns, conn)
			// A server that refuses may close before it has read all.
			_, _ = io.WriteString(conn, text)
		}
	}
	if got := get(t, client(t, at), "/hello"); got != "GET /hello" {
		t.Errorf("beside them: got %q", got)
	}
	if got := get(t, client(t, at), "/polluted"); got != "undefined" {
		t.Errorf("a header field reached the prototype of objects: %q", got)
	}
	npmtest.Settled(t, "requests that wait", func() bool { return strings.Count(out.String(), "asked /never") == 5 })
	for _, conn := range conns {
		_ = conn.Close()
	}
	npmtest.Settled(t, "the script hears of who left", func() bool { return strings.Count(out.String(), "left /never") == 5 })
	if text := out.String(); strings.Contains(text, "Error") {
		t.Errorf("the script saw\n%s", text)
	}
	npmtest.Settled(t, "no response is open", func() bool { return get(t, client(t, at), "/open") == "0" })
}

// Requests that come in one piece are answered one after another.
func TestPipelinedRequests(t *testing.T) {
	at, _ := serving(t, "tcp", "127.0.0.1:0")
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), at.Network(), at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	const n = 20
	var asked strings.Builder
	for i := range n {
		fmt.Fprintf(&asked, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
	}
	if _, err := io.WriteString(conn, asked.String()); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	for i := range n {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		b, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(b) != fmt.Sprintf("GET /%d", i) {
			t.Fatalf("answer %d: %q, %v", i, b, err)
		}
	}
}

// BenchmarkHello is a request and an answer, on one connection.
func BenchmarkHello(b *testing.B) {
	script, err := compile.File("testdata/handler.js", compile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p, err := program.New(program.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var config net.ListenConfig
	ln, err := config.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	over := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		over <- p.Run(ctx, script, func() error {
			defer close(started)
			_, err := web.Serve(p.Loop, ln, p.Exports.Get("default"))
			return err
		})
	}()
	<-started
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ln.Addr().String()+"/hello", nil)
			if err != nil {
				b.Error(err)
				return
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	b.StopTimer()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	<-over
}
