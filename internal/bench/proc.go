package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc (USER_HZ), fixed at 100 on
// every Linux this runs on.
const ticksPerSecond = 100

// usage is what a process tree took.
type usage struct {
	wall, cpu time.Duration
	memory    int64 // bytes: peak of the tree for measured runs, a sample for running ones
}

// measure runs a command to its end and watches its whole process tree.
func measure(ctx context.Context, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	var peak int64
	watch.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, treeMemory(cmd.Process.Pid))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	err := cmd.Wait()
	wall := time.Since(began)
	close(done)
	watch.Wait()
	if err != nil {
		return usage{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, tail(output.Bytes(), 2000))
	}
	return usage{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: peak}, nil
}

// server is a long-running process under measurement.
type server struct {
	cmd *exec.Cmd
	log *os.File
}

// startServer runs a command in its own process group, its output in a file.
func startServer(e *env, tag, name string, args ...string) (*server, error) {
	logFile, err := os.CreateTemp(e.dir, tag+"-*.log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...) //nolint:noctx // ended by stop, gracefully
	cmd.Dir = e.dir
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		logFile.Close()
		return nil, err
	}
	return &server{cmd: cmd, log: logFile}, nil
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the process group and returns the end of its log.
func (s *server) stop() string {
	_ = syscall.Kill(-s.pid(), syscall.SIGTERM)
	timer := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-s.pid(), syscall.SIGKILL) })
	_ = s.cmd.Wait()
	timer.Stop()
	s.log.Close()
	text, _ := os.ReadFile(s.log.Name())
	return tail(text, 2000)
}

// steady measures a running tree over the window.
func steady(ctx context.Context, pid int, window time.Duration) (usage, error) {
	before, began := treeCPU(pid), time.Now()
	if err := wait(ctx, window); err != nil {
		return usage{}, err
	}
	return usage{wall: time.Since(began), cpu: treeCPU(pid) - before, memory: treeMemory(pid)}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// tree lists a process and its living descendants.
func tree(pid int) []int {
	pids := []int{pid}
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range children {
		text, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, tree(child)...)
			}
		}
	}
	return pids
}

// treeCPU is the processor time of the tree, dead children that were waited
// for included.
func treeCPU(pid int) time.Duration {
	var ticks int64
	for _, p := range tree(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
		for _, i := range []int{11, 12, 13, 14} { // utime stime cutime cstime
			n, _ := strconv.ParseInt(fields[i], 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// treeMemory is the memory of the tree in bytes: proportional set sizes, so
// that shared pages count once, plus memory files, which no set size shows.
func treeMemory(pid int) int64 {
	var sum int64
	seen := map[uint64]bool{}
	for _, p := range tree(pid) {
		sum += pss(p)
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p))
		for _, fd := range fds {
			if target, err := os.Readlink(fd); err != nil || !strings.HasPrefix(target, "/memfd:") {
				continue
			}
			var st syscall.Stat_t
			if syscall.Stat(fd, &st) == nil && !seen[st.Ino] {
				seen[st.Ino] = true
				sum += st.Blocks * 512
			}
		}
	}
	return sum
}

func pss(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

func tail(b []byte, n int) string {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return string(b)
}
