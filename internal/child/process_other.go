//go:build !linux

package child

import (
	"fmt"
	"os"
	"syscall"
)

// attributes of a child: a group of its own. The lifeline ends it
// with its parent.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Executable is the path of the running program.
func Executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find executable: %w", err)
	}
	return path, nil
}

// current is the name by which a program is started now.
func current(path string) string { return path }

// usageOf knows nothing here: memory ceilings hold on Linux only.
func usageOf(int) (Usage, bool) { return Usage{}, false }
