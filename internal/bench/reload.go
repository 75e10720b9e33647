package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// benchReload measures blocking reloads: many viewers who each wait for the
// next part of one playlist, on the same machine as the server.
func benchReload(ctx context.Context, e *env) error {
	clip, err := liveClip(ctx)
	if err != nil {
		return err
	}
	var t table
	t.add("viewers waiting for", "viewers", "let in within", "answers a second", "wake-up spread p99", "server cores", "memory a viewer")
	for _, c := range []struct {
		viewers int
		whole   bool
	}{{1000, false}, {5000, false}, {10000, false}, {5000, true}} {
		row, err := reload(ctx, e, clip, c.viewers, c.whole)
		if err != nil {
			return fmt.Errorf("%d viewers: %w", c.viewers, err)
		}
		t.add(row...)
	}
	t.print()
	return nil
}

func reload(ctx context.Context, e *env, clip string, viewers int, whole bool) ([]string, error) {
	c, err := startContender(ctx, e, "millrace", 14*time.Second, true, "ladder: passthrough")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	stop, err := publish(ctx, clip, "rtsp://"+c.rtsp+"/cam")
	if err != nil {
		return nil, err
	}
	defer stop()
	playlist := ""
	if err := until(ctx, 20*time.Second, func() bool {
		segment, _, err := firstSegment(ctx, c.playlist("cam"))
		if err == nil {
			playlist = segment[strings.Index(segment, "/hls/"):strings.LastIndexByte(segment, '/')+1] + "index.m3u8"
		}
		return err == nil
	}); err != nil {
		return nil, fmt.Errorf("no segment: %w", err)
	}
	before := treeMemory(c.pid())
	a := &audienceOf{addr: c.http, path: playlist, whole: whole, first: map[string]time.Time{}}
	defer a.leave()
	began := time.Now()
	for range viewers {
		a.enter()
	}
	if err := until(ctx, 2*time.Minute, func() bool { return a.inside.Load() == int64(viewers) || a.failed() != nil }); err != nil {
		return nil, fmt.Errorf("%d were let in: %w", a.inside.Load(), err)
	}
	letIn := time.Since(began)
	if err := wait(ctx, 3*time.Second); err != nil {
		return nil, err
	}
	a.reset()
	answers := a.answers.Load()
	u, err := steady(ctx, c.pid(), e.window)
	if err == nil {
		err = a.failed()
	}
	if err != nil {
		return nil, err
	}
	what := "each part (500 ms)"
	if whole {
		what = "each segment (2 s)"
	}
	return []string{
		what, fmt.Sprint(viewers), seconds(letIn),
		fmt.Sprintf("%.0f", float64(a.answers.Load()-answers)/u.wall.Seconds()),
		fmt.Sprintf("%.0f ms", a.spread().Seconds()*1000),
		fmt.Sprintf("%.2f", u.cpu.Seconds()/u.wall.Seconds()),
		fmt.Sprintf("%.0f KiB", float64(u.memory-before)/1024/float64(viewers)),
	}, nil
}

// audienceOf is viewers of one playlist, each on a connection of its own.
type audienceOf struct {
	addr, path string
	whole      bool // wait for segments, not for parts

	running sync.WaitGroup
	inside  atomic.Int64 // viewers who have had an answer
	answers atomic.Int64

	mu    sync.Mutex
	conns []net.Conn
	left  bool
	err   error
	first map[string]time.Time // when the first answer to a question came
	lags  []time.Duration      // of the others behind it
}

func (a *audienceOf) enter() {
	a.running.Go(func() {
		if err := a.view(); err != nil {
			a.mu.Lock()
			if !a.left && a.err == nil {
				a.err = err
			}
			a.mu.Unlock()
		}
	})
}

func (a *audienceOf) view() error {
	conn, err := net.Dial("tcp", a.addr) //nolint:noctx // loopback
	if err != nil {
		return err
	}
	defer conn.Close()
	a.mu.Lock()
	a.conns = append(a.conns, conn)
	a.mu.Unlock()
	in := bufio.NewReaderSize(conn, 2048)
	body := make([]byte, 0, 8192)
	question := ""
	for n := 0; ; n++ {
		if _, err := fmt.Fprintf(conn, "GET %s%s HTTP/1.1\r\nHost: millrace\r\n\r\n", a.path, question); err != nil {
			return err
		}
		if body, err = readAnswer(in, body); err != nil {
			return fmt.Errorf("%s: %w", question, err)
		}
		if n == 1 {
			a.inside.Add(1)
		}
		if n > 0 {
			a.note(question)
		}
		question = a.next(body)
	}
}

// note counts an answer, and how far it was behind the first one to the same
// question.
func (a *audienceOf) note(question string) {
	now := time.Now()
	a.answers.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	first, ok := a.first[question]
	if !ok {
		a.first[question] = now
		return
	}
	a.lags = append(a.lags, now.Sub(first))
}

func (a *audienceOf) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.first)
	a.lags = a.lags[:0]
}

// spread is the 99th percentile of the lags.
func (a *audienceOf) spread() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.lags) == 0 {
		return 0
	}
	slices.Sort(a.lags)
	return a.lags[len(a.lags)*99/100]
}

func (a *audienceOf) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *audienceOf) leave() {
	a.mu.Lock()
	a.left = true
	for _, c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	a.running.Wait()
}

// next is the question for what comes after a playlist.
func (a *audienceOf) next(body []byte) string {
	const tag = "#EXT-X-MEDIA-SEQUENCE:"
	at := bytes.Index(body, []byte(tag)) + len(tag)
	end := at + bytes.IndexByte(body[at:], '\n')
	msn, _ := strconv.ParseUint(string(body[at:end]), 10, 64)
	msn += uint64(bytes.Count(body, []byte("#EXTINF:")))
	if a.whole {
		return fmt.Sprintf("?_HLS_msn=%d", msn)
	}
	open := body[max(bytes.LastIndex(body, []byte("#EXTINF:")), 0):]
	return fmt.Sprintf("?_HLS_msn=%d&_HLS_part=%d", msn, bytes.Count(open, []byte("#EXT-X-PART:")))
}

// readAnswer reads one HTTP/1.1 answer with a Content-Length.
func readAnswer(in *bufio.Reader, body []byte) ([]byte, error) {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return body, err
	}
	if !bytes.Contains(status, []byte(" 200 ")) {
		return body, errors.New(strings.TrimSpace(string(status)))
	}
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return body, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(string(v)))
		}
	}
	body = slices.Grow(body[:0], length)[:length]
	_, err = io.ReadFull(in, body)
	return body, err
}
