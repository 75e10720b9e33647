package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// benchStart measures the time from the first media packet that leaves the
// publisher to the first segment that a viewer can fetch.
func benchStart(ctx context.Context, e *env) error {
	names := []string{"millrace"}
	if e.mediamtx != "" {
		names = append(names, "mediamtx")
	}
	var t table
	t.add("first RTP packet to first segment", "GOP", "time")
	for _, gop := range []time.Duration{2 * time.Second, time.Second} {
		clip, err := gopClip(ctx, gop)
		if err != nil {
			return err
		}
		for _, name := range names {
			var times []time.Duration
			for range e.runs {
				d, err := startTime(ctx, e, name, clip)
				if err != nil {
					return err
				}
				times = append(times, d)
			}
			t.add(name, gop.String(), seconds(median(times)))
		}
	}
	t.print()
	return nil
}

func startTime(ctx context.Context, e *env, name, clip string) (time.Duration, error) {
	c, err := startContender(ctx, e, name, 14*time.Second, false, "ladder: passthrough")
	if err != nil {
		return 0, err
	}
	defer c.stop()
	tap, err := newTap(c.rtsp)
	if err != nil {
		return 0, err
	}
	defer tap.close()
	stop, err := publish(ctx, clip, "rtsp://"+tap.addr()+"/cam")
	if err != nil {
		return 0, err
	}
	defer stop()
	if err := until(ctx, 20*time.Second, func() bool {
		_, _, err := firstSegment(ctx, c.playlist("cam"))
		return err == nil
	}); err != nil {
		return 0, fmt.Errorf("%s serves no segment: %w", name, err)
	}
	return time.Since(tap.first()), nil
}

// tap forwards one RTSP connection and notes when the first interleaved media
// packet passes (RFC 2326 §10.12: a dollar sign starts each).
type tap struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup
	mu       sync.Mutex
	began    time.Time
	conns    []net.Conn
}

func newTap(target string) (*tap, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		return nil, err
	}
	t := &tap{listener: l, target: target}
	t.running.Go(t.accept)
	return t, nil
}

func (t *tap) addr() string { return t.listener.Addr().String() }

func (t *tap) first() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.began
}

func (t *tap) close() {
	t.listener.Close()
	t.mu.Lock()
	for _, c := range t.conns {
		c.Close()
	}
	t.mu.Unlock()
	t.running.Wait()
}

func (t *tap) accept() {
	client, err := t.listener.Accept()
	if err != nil {
		return
	}
	server, err := net.Dial("tcp", t.target) //nolint:noctx // loopback
	if err != nil {
		client.Close()
		return
	}
	t.mu.Lock()
	t.conns = append(t.conns, client, server)
	t.mu.Unlock()
	t.running.Go(func() { _, _ = io.Copy(client, server) })
	buf := make([]byte, 64<<10)
	recording := false
	for {
		n, err := client.Read(buf)
		if recording && t.first().IsZero() && bytes.IndexByte(buf[:n], '$') >= 0 {
			t.mu.Lock()
			t.began = time.Now()
			t.mu.Unlock()
		}
		recording = recording || bytes.Contains(buf[:n], []byte("RECORD rtsp"))
		if _, werr := server.Write(buf[:n]); err != nil || werr != nil {
			client.Close()
			server.Close()
			return
		}
	}
}
