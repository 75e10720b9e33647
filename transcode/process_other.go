//go:build !linux

package transcode

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// attributes of a worker process: a group of its own. The lifeline ends it
// with its parent.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find executable: %w", err)
	}
	return path, nil
}

type usage struct {
	rss int64
	cpu time.Duration
}

// usageOf knows nothing here: memory ceilings hold on Linux only.
func usageOf(int) (usage, bool) { return usage{}, false }
