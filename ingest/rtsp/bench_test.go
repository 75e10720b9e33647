package rtsp

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// serverEnv makes the test binary a bare server: what a benchmark measures
// without the publishers' own cost.
const serverEnv = "MILLRACE_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		if err := serveAlone(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// serveAlone runs a server whose streams have one subscriber each, until its
// standard input ends.
func serveAlone() error {
	gate := &fakeGate{opts: ingest.StreamOptions{Hold: -1}}
	gate.attached = func(s *ingest.Stream) {
		sub := s.Subscribe(media.SubscribeOptions{Name: "bench", Backlog: true})
		go func() {
			for {
				if _, err := sub.Next(context.Background()); err != nil {
					return
				}
			}
		}()
	}
	s, err := New(Config{Listen: "127.0.0.1:0", RTPListen: "127.0.0.1:0"}, gate)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println(s.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return nil
}

// BenchmarkPublishers measures what a server pays for 50 publishers of
// 2.5 Mbit/s: cores and resident memory a stream.
func BenchmarkPublishers(b *testing.B) {
	for _, transport := range []string{TCP, UDP} {
		b.Run(transport, func(b *testing.B) { benchPublishers(b, transport, 50, 10*time.Second) })
	}
}

func benchPublishers(b *testing.B, transport string, n int, length time.Duration) {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"=1")
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	url := "rtsp://" + strings.TrimSpace(addr)
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { publishSteadily(ctx, b, fmt.Sprintf("%s/s%d", url, i), transport) })
	}
	_ = sleep(ctx, 4*time.Second) // two groups: buffers have their size
	for b.Loop() {
		before, begun := cpuTime(b, cmd.Process.Pid), time.Now()
		_ = sleep(ctx, length)
		cores := (cpuTime(b, cmd.Process.Pid) - before).Seconds() / time.Since(begun).Seconds()
		b.ReportMetric(cores/float64(n), "cores/stream")
		b.ReportMetric(float64(resident(b, cmd.Process.Pid))/float64(n)/(1<<20), "MiB/stream")
	}
	stop()
	wg.Wait()
}

// publishSteadily sends 25 pictures a second, 12.5 KB each on average, with a
// keyframe every two seconds.
func publishSteadily(ctx context.Context, b *testing.B, url, transport string) {
	c := newClip(b)
	p, err := Push(ctx, PushConfig{URL: url, Transport: transport}, []*media.Track{c.track})
	if err != nil {
		b.Error(err)
		return
	}
	defer p.Close()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		size := 11_000
		if c.n%50 == 0 {
			size = 60_000
		}
		pkt := c.next(size)
		pkt.Key = pkt.Key && c.n%50 == 1
		if err := p.Write(pkt); err != nil && ctx.Err() == nil {
			b.Error(err)
			return
		}
	}
}

// cpuTime is what a process has used, user and system.
func cpuTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("no /proc")
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // clock ticks of 100 Hz
}

func resident(b *testing.B, pid int) int {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Skip("no /proc")
	}
	pages, _ := strconv.Atoi(strings.Fields(string(statm))[1])
	return pages * os.Getpagesize()
}
