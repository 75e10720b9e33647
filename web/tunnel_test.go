package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
)

// deafApp answers requests for another protocol with the beginning of a page,
// or not at all, and then says nothing more. asked is told of the request, gone
// when its connection ends.
type deafApp struct {
	answer      string
	asked, gone chan struct{}
}

func (a deafApp) Dial(context.Context, AppKind) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		_, _ = http.ReadRequest(bufio.NewReader(theirs))
		a.asked <- struct{}{}
		_, _ = io.WriteString(theirs, a.answer)
		_, _ = io.Copy(io.Discard, theirs)
		_ = theirs.Close()
		a.gone <- struct{}{}
	}()
	return ours, nil
}

func (deafApp) Status() *status.App { return &status.App{} }

// An app that does not come to an end of its answer keeps neither the server
// from going down nor a viewer's leftovers around.
func TestDeafApp(t *testing.T) {
	for name, answer := range map[string]string{
		"silent":   "",
		"half":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
		"protocol": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
	} {
		for _, leaves := range []string{"viewer", "server"} {
			t.Run(name+", "+leaves+" leaves", func(t *testing.T) {
				app := deafApp{answer, make(chan struct{}, 1), make(chan struct{}, 1)}
				s := newTestServer(t, newFake(), func(c *Config) { c.App = app })
				d := net.Dialer{Timeout: time.Second}
				c, err := d.DialContext(t.Context(), "tcp", start(t, s))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(c, "GET /app/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				<-app.asked
				if answer != "" {
					if _, err := io.ReadFull(c, make([]byte, 20)); err != nil {
						t.Fatal(err)
					}
				}
				if leaves == "viewer" {
					c.Close()
				} else if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-app.gone:
				case <-time.After(5 * time.Second):
					t.Error("the app is still waited for")
				}
			})
		}
	}
}
