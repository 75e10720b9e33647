package child

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestMain lets the test binary be a server whose file is updated, and its
// child.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "updated":
		os.Exit(updated(os.Args[2]))
	case len(os.Args) == 2 && os.Args[1] == "child":
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// updated replaces its own file, or removes it, and starts a child by it.
func updated(how string) int {
	path, err := Executable()
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil && how == "replaced" {
		err = os.WriteFile(path, []byte("#!/bin/sh\nexit 7\n"), 0o700) //nolint:gosec // a program
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p, err := Launch{Command: []string{path, "child"}, Logger: slog.New(slog.DiscardHandler)}.Spawn(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if d := p.Death(); d.Outcome != Finished {
		fmt.Fprintln(os.Stderr, d)
		return 1
	}
	return 0
}

// A program that is updated while it runs goes on starting children of what it
// is itself.
func TestChildOfAnUpdatedProgram(t *testing.T) {
	for _, how := range []string{"replaced", "removed"} {
		t.Run(how, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "server")
			copyFile(t, os.Args[0], path)
			cmd := exec.CommandContext(t.Context(), path, "updated", how)
			cmd.WaitDelay = time.Second
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700) //nolint:gosec // a program
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}
