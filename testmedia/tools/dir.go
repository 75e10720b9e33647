package tools

import (
	"os"
	"testing"
)

// unprivilegedDir is a new folder that every user can write to, and reach.
func unprivilegedDir(t testing.TB) string {
	t.Helper()
	// t.TempDir lies below a folder that only this user can enter.
	dir, err := os.MkdirTemp("", "millrace-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
