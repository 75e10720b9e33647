package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// benchServe measures segments and playlists over keep-alive connections,
// beside nginx serving the very same bytes: from files in memory (a tmpfs), which
// is where ours are, and from files of the disk, which the kernel sends for less
// because its cache may hold them in larger pages.
func benchServe(ctx context.Context, e *env) error {
	for _, tool := range []string{"wrk", "nginx"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed (make setup-bench)", tool)
		}
	}
	clip, err := liveClip(ctx)
	if err != nil {
		return err
	}
	c, err := startContender(ctx, e, "millrace", time.Minute, false, "ladder: passthrough")
	if err != nil {
		return err
	}
	defer c.stop()
	stop, err := publish(ctx, clip, "rtsp://"+c.rtsp+"/cam")
	if err != nil {
		return err
	}
	var segment string
	var size int64
	err = until(ctx, 20*time.Second, func() bool {
		var ferr error
		segment, size, ferr = firstSegment(ctx, c.playlist("cam"))
		return ferr == nil
	})
	if err == nil {
		err = wait(ctx, 8*time.Second)
	}
	stop() // from here on the playlists stand still
	if err != nil {
		return err
	}
	playlist := segment[:len(segment)-len(filepath.Base(segment))] + "index.m3u8"
	memory, err := os.MkdirTemp("/dev/shm", "millrace-bench-")
	if err != nil {
		return fmt.Errorf("make a folder in memory for nginx: %w", err)
	}
	defer os.RemoveAll(memory)
	if err := os.Chmod(memory, 0o755); err != nil { //nolint:gosec // nginx's worker reads it
		return err
	}
	peers := []*nginx{{name: "nginx, files in memory", root: memory}, {name: "nginx, files on disk", root: filepath.Join(e.dir, "www")}}
	for _, n := range peers {
		for _, u := range []string{segment, playlist} {
			if err := save(ctx, n.root, u); err != nil {
				return err
			}
		}
		if err := n.start(ctx, e); err != nil {
			return err
		}
		defer n.server.stop()
	}

	var t table
	t.add("keep-alive, 50 connections", "what", "a second", "a server CPU second", "of nginx in memory", "of nginx on disk")
	for _, what := range []struct{ name, url string }{
		{fmt.Sprintf("segments of %d KB", size/1000), segment},
		{"playlists", playlist},
	} {
		parsed, err := url.Parse(what.url)
		if err != nil {
			return err
		}
		ours, perCPU, err := load(ctx, e, c.pid(), what.url)
		if err != nil {
			return err
		}
		row := []string{"millrace", what.name, fmt.Sprintf("%.0f", ours), fmt.Sprintf("%.0f", perCPU)}
		for _, n := range peers {
			theirs, theirsPerCPU, err := load(ctx, e, n.server.pid(), "http://"+n.addr+parsed.Path)
			if err != nil {
				return err
			}
			t.add(n.name, what.name, fmt.Sprintf("%.0f", theirs), fmt.Sprintf("%.0f", theirsPerCPU), "", "")
			row = append(row, ratio(perCPU, theirsPerCPU))
		}
		t.add(row...)
	}
	t.print()
	return nil
}

func save(ctx context.Context, root, rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	body, err := get(ctx, rawURL)
	if err != nil {
		return err
	}
	file := filepath.Join(root, filepath.FromSlash(u.Path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // nginx's worker reads it
		return err
	}
	return os.WriteFile(file, body, 0o644) //nolint:gosec // nginx's worker reads it
}

// nginx is one that serves a folder.
type nginx struct {
	name, root string
	addr       string
	server     *server
}

func (n *nginx) start(ctx context.Context, e *env) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	// Its worker runs as another user where the master is root.
	if err := os.Chmod(e.dir, 0o755); err != nil { //nolint:gosec // nginx's worker reads it
		return err
	}
	n.addr = ports[0]
	config := filepath.Join(e.dir, "nginx-"+filepath.Base(n.root)+".conf")
	text := fmt.Sprintf(`daemon off; worker_processes auto; pid %[3]s.pid; error_log %[3]s.log;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=100;
  types { application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; }
  server { listen %[1]s; root %[2]s; } }`, n.addr, n.root, config)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	if n.server, err = startServer(e, "nginx", "nginx", "-c", config); err != nil {
		return err
	}
	if err := until(ctx, 5*time.Second, func() bool {
		_, err := get(ctx, "http://"+n.addr+"/")
		return err == nil || n.server.cmd.ProcessState == nil
	}); err != nil {
		return errors.Join(err, errors.New(n.server.stop()))
	}
	return wait(ctx, time.Second)
}

var requestsLine = regexp.MustCompile(`(\d+) requests in ([\d.]+)s`)

// load runs wrk for the window, medians over the runs, and returns requests a
// second and a CPU second of the server.
func load(ctx context.Context, e *env, pid int, target string) (perSecond, perCPU float64, err error) {
	var rates, cpuRates []float64
	for range min(e.runs, 3) {
		before := treeCPU(pid)
		out, err := exec.CommandContext(ctx, "wrk", "-t", "1", "-c", "50", "-d", fmt.Sprint(int(e.window.Seconds())/2)+"s", target).CombinedOutput()
		if err != nil {
			return 0, 0, fmt.Errorf("wrk: %w\n%s", err, out)
		}
		cpu := treeCPU(pid) - before
		m := requestsLine.FindSubmatch(out)
		if m == nil {
			return 0, 0, fmt.Errorf("wrk says:\n%s", out)
		}
		requests, _ := strconv.ParseFloat(string(m[1]), 64)
		elapsed, _ := strconv.ParseFloat(string(m[2]), 64)
		rates = append(rates, requests/elapsed)
		cpuRates = append(cpuRates, requests/cpu.Seconds())
	}
	return median(rates), median(cpuRates), nil
}
