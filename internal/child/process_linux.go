package child

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// attributes of a child: a group of its own, so that signals meant
// for the server's terminal do not reach it, and death with the parent. The
// lifeline ends a child too; this reaches one that is stopped. (The kernel
// means the thread that started the process; Go keeps its threads, unless a
// goroutine ends that is locked to one.)
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Executable is the path of the running program.
func Executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find executable: %w", err)
	}
	return path, nil
}

// current is the name by which a program is started now: its path, but for the
// running program's own where the file behind it was replaced or removed (an
// update under a running server). That goes by the kernel's name for it, since
// parent and child must be the same binary.
func current(path string) string {
	const self = "/proc/self/exe" // the child's own, which is the parent's until it becomes another
	if own, err := os.Executable(); err != nil || own != path {
		return path
	}
	running, err := os.Stat(self)
	if err != nil {
		return path
	}
	if there, err := os.Stat(path); err == nil && os.SameFile(there, running) {
		return path
	}
	return self
}

// clockTick is the unit of CPU times in /proc; the kernel's USER_HZ is 100 on
// everything that Go runs on.
const clockTick = 10 * time.Millisecond

// usageOf reads /proc. It reports false for a process that is gone.
func usageOf(pid int) (Usage, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, false
	}
	// The command's name, in brackets, may hold anything (proc_pid_stat(5));
	// state is the first field after it, utime the twelfth, rss the 22nd.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 22 {
		return Usage{}, false
	}
	number := func(i int) int64 {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return Usage{
		RSS: number(21) * int64(os.Getpagesize()),
		CPU: time.Duration(number(11)+number(12)) * clockTick,
	}, true
}
