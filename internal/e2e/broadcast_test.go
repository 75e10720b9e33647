package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/testmedia/tools"
)

// BenchmarkBroadcast has an app send one message to ten thousand WebSockets,
// through the server, and waits until each client has read it. It needs some
// 20,000 descriptors a process; where the system gives less there are fewer
// clients, and the figures say how many.
func BenchmarkBroadcast(b *testing.B) {
	clients := 10_000
	limit := syscall.Rlimit{Cur: 65_536, Max: 65_536}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			b.Fatal(err)
		}
		clients = min(clients, int(limit.Max)/2-200)
	}
	file := filepath.Join(b.TempDir(), "app.js")
	writeFile(b, file, `
import { http } from 'millrace';
const all = http.ws('/all', (socket) => {});
http.get('/size', (req, res) => res.send(String(all.size)));
http.get('/tell', (req, res) => res.send(String(all.broadcast('news'))));
`)
	address := fmt.Sprintf("127.0.0.1:%d", tools.FreePort(b))
	config := filepath.Join(b.TempDir(), "millrace.yaml")
	writeFile(b, config, fmt.Sprintf("http: {listen: %q}\nrtsp: {listen: off}\nrtmp: {listen: off}\nsrt: {listen: off}\napp: %q\n", address, file))
	p := tools.Start(b, tools.Command{Path: binary, Args: []string{"serve", "-c", config}})
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
		if _, err := fetch("http://" + address + "/app/size"); err == nil {
			break
		} else if time.Now().After(deadline) {
			b.Fatalf("%v: %s", err, p.Output())
		}
	}

	got := make(chan error, clients)
	var ends sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	defer ends.Wait()
	defer cancel()
	dialing := make(chan struct{}, 64)
	for range clients {
		dialing <- struct{}{}
		ends.Go(func() {
			c, _, err := websocket.Dial(ctx, "ws://"+address+"/app/all", nil)
			<-dialing
			if got <- err; err != nil {
				return
			}
			defer c.CloseNow()
			for {
				if _, _, err := c.Read(ctx); err != nil {
					return
				}
				got <- nil
			}
		})
	}
	await := func() {
		for range clients {
			if err := <-got; err != nil {
				b.Fatal(err)
			}
		}
	}
	await()
	for b.Loop() {
		n, err := fetch("http://" + address + "/app/tell")
		if err != nil || strings.TrimSpace(string(n)) != fmt.Sprint(clients) {
			b.Fatalf("told %s clients, %v", n, err)
		}
		await()
	}
	b.ReportMetric(float64(clients), "clients")
	if u, err := tools.UsageOf(p.PID()); err == nil {
		b.ReportMetric(float64(u.Resident)/(1<<20), "server-MiB")
		for _, child := range u.Children {
			if c, err := tools.UsageOf(child); err == nil {
				b.ReportMetric(float64(c.Resident)/(1<<20), "app-MiB")
			}
		}
	}
}
