package tools

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Usage is what a process holds.
type Usage struct {
	Resident int64         // bytes in memory that count for it
	CPU      time.Duration // of all its threads since its start, its ended children not counted
	Files    []string      // what its descriptors point to, sorted
	Threads  int
	Children []int // its living children's process numbers, zombies too
}

// UsageOf looks at a process; os.Getpid() is the test itself.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	root := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(root + "/stat")
	if err != nil {
		return u, fmt.Errorf("look at process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything; proc(5).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-3], 10, 64) // the kernel writes numbers
		return n
	}
	const ticks = 100 // USER_HZ, the same on all of Linux' architectures for programs
	u.CPU = time.Duration(number(14)+number(15)) * time.Second / ticks
	u.Threads = int(number(20))
	u.Resident = number(24) * int64(os.Getpagesize())
	entries, err := os.ReadDir(root + "/fd")
	if err != nil {
		return u, fmt.Errorf("look at process %d: %w", pid, err)
	}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(root, "fd", e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile, such as the one that ReadDir used
		}
		if err != nil {
			return u, fmt.Errorf("look at process %d: %w", pid, err)
		}
		u.Files = append(u.Files, to)
	}
	slices.Sort(u.Files)
	u.Children, err = childrenOf(pid)
	return u, err
}

func childrenOf(pid int) ([]int, error) {
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return nil, fmt.Errorf("look for children of %d: %w", pid, err)
	}
	var children []int
	for _, task := range tasks {
		list, err := os.ReadFile(task)
		if errors.Is(err, fs.ErrNotExist) {
			continue // that thread has ended
		}
		if err != nil {
			return nil, fmt.Errorf("look for children of %d: %w", pid, err)
		}
		for _, f := range strings.Fields(string(list)) {
			child, err := strconv.Atoi(f)
			if err != nil {
				return nil, fmt.Errorf("look for children of %d: %w", pid, err)
			}
			children = append(children, child)
		}
	}
	slices.Sort(children)
	return children, nil
}

// Tree is the usage of a process and of all below it, added up.
func Tree(pid int) (Usage, error) {
	total, err := UsageOf(pid)
	if err != nil {
		return total, err
	}
	for _, child := range total.Children {
		u, err := Tree(child)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return total, err
		}
		total.Resident += u.Resident
		total.CPU += u.CPU
		total.Threads += u.Threads
		total.Files = append(total.Files, u.Files...)
		total.Children = append(total.Children, u.Children...)
	}
	return total, nil
}

// CheckLeaks looks at the test's own process now, and fails the test if at its
// end there are more goroutines, descriptors or children than now, five
// seconds given. Call it first, so that its check runs last.
func CheckLeaks(t testing.TB) {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	before, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var after Usage
		deadline := time.Now().Add(5 * time.Second)
		for {
			after, err = UsageOf(os.Getpid())
			if err != nil {
				t.Error(err)
				return
			}
			if runtime.NumGoroutine() <= goroutines && len(after.Files) <= len(before.Files) && len(after.Children) <= len(before.Children) {
				return
			}
			if time.Now().After(deadline) {
				break
			}
			time.Sleep(poll)
		}
		t.Errorf("the test leaves behind: %s", leaked(before, after, goroutines))
	})
}

// leaked says what is there now that was not there before.
func leaked(before, after Usage, goroutines int) string {
	var b strings.Builder
	if n := runtime.NumGoroutine(); n > goroutines {
		fmt.Fprintf(&b, "%d goroutines where there were %d:\n", n, goroutines)
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // a Builder takes everything
	}
	if len(after.Files) > len(before.Files) {
		fmt.Fprintf(&b, "\ndescriptors: %v", beyond(before.Files, after.Files))
	}
	if len(after.Children) > len(before.Children) {
		fmt.Fprintf(&b, "\nprocesses: %v", beyond(before.Children, after.Children))
	}
	return b.String()
}

// beyond is what after has more than before.
func beyond[T comparable](before, after []T) []T {
	count := map[T]int{}
	for _, v := range before {
		count[v]++
	}
	var more []T
	for _, v := range after {
		if count[v]--; count[v] < 0 {
			more = append(more, v)
		}
	}
	return more
}
