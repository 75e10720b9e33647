package tools

import (
	"os"
	"testing"
)

// unprivilegedDir is a new folder for a Command that is Unprivileged.
func unprivilegedDir(t testing.TB) string {
	t.Helper()
	// t.TempDir lies below a folder that only this user can enter.
	dir, err := os.MkdirTemp("", "millrace-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
