// Package npmtest runs scripts in tests as Millrace and Node do, with packages
// of npm where they want any, and compares the two.
package npmtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program"
)

// limit is how long a script may take.
const limit = time.Minute

// Install gives a folder in which the packages, each as name@version, are
// installed. It stays in the user's cache for the next run.
func Install(t testing.TB, packages ...string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(packages)
	sum := sha256.Sum256([]byte(strings.Join(packages, "\n")))
	dir := filepath.Join(cache, "millrace", "npm", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatalf("this test needs the npm packages %s, and there is no npm to install them with", strings.Join(packages, ", "))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	if err := os.WriteFile(filepath.Join(making, "package.json"), []byte(`{"private": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error"}, packages...)
	cmd := exec.CommandContext(t.Context(), npm, args...)
	cmd.Dir = making
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("this test needs the npm packages %s, and installing them failed (is there a network?): %v\n%s",
			strings.Join(packages, ", "), err, out)
	}
	// Another test may have been faster.
	if err := os.Rename(making, dir); err != nil && !os.IsExist(err) {
		if _, statErr := os.Stat(dir); statErr != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Script is a script that a test runs.
type Script struct {
	Path     string   // of the file
	Args     []string // process.argv from its third element on
	Packages string   // a folder of Install's, or empty
	Want     string   // what Same compares with; empty is name.want for name.js
	// Host changes what the script finds around it in Millrace.
	Host func(*node.Host)
}

// place copies the script to a folder of its own, where it finds its packages.
func (s Script) place(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if s.Packages != "" {
		if err := os.Symlink(filepath.Join(s.Packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, filepath.Base(s.Path))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Millrace is what the script prints in Millrace.
func Millrace(t testing.TB, s Script) string {
	t.Helper()
	path := s.place(t)
	script, err := compile.File(path, compile.Options{})
	if err != nil {
		t.Fatalf("compile %s: %v", s.Path, err)
	}
	var out bytes.Buffer
	host := node.Host{
		Exec: "millrace", Script: path, Args: s.Args, Cwd: filepath.Dir(path), Stdout: &out, Stderr: &out,
		Env: map[string]string{"HOME": filepath.Dir(path), "TMPDIR": filepath.Dir(path)},
	}
	if s.Host != nil {
		s.Host(&host)
	}
	p, err := program.New(program.Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("%s was not done after %v", s.Path, limit))
	defer cancel()
	if err := p.Run(ctx, script, nil); err != nil {
		t.Fatalf("run %s: %v\nit printed\n%s", s.Path, err, out.String())
	}
	return strings.ReplaceAll(out.String(), filepath.Dir(path), "DIR")
}

// Node is what the script prints in Node; ok is false where there is no Node
// of the version that Millrace follows.
func Node(t testing.TB, s Script) (out string, ok bool) {
	t.Helper()
	bin, err := exec.LookPath("node")
	if err != nil {
		return "", false
	}
	version, err := exec.CommandContext(t.Context(), bin, "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "v20.") {
		return "", false
	}
	path := s.place(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, append([]string{"--no-warnings", path}, s.Args...)...)
	cmd.Dir = filepath.Dir(path)
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "TMPDIR="+cmd.Dir)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("run %s in Node: %v\n%s", s.Path, err, text)
	}
	return strings.ReplaceAll(string(text), cmd.Dir, "DIR"), true
}

// Same fails where the script does not print in Millrace what it prints in
// Node, which is in a file beside it: name.want for name.js. Where there is a
// Node, that file is checked too.
func Same(t testing.TB, s Script) {
	t.Helper()
	name := s.Want
	if name == "" {
		name = strings.TrimSuffix(s.Path, filepath.Ext(s.Path)) + ".want"
	}
	wanted, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if text, ok := Node(t, s); ok && text != string(wanted) {
		if os.Getenv("UPDATE") == "" {
			t.Fatalf("Node prints something else than %s says (UPDATE=1 writes it anew):\n%s", name, difference(string(wanted), text))
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		wanted = []byte(text)
	}
	if got := Millrace(t, s); got != string(wanted) {
		t.Errorf("%s prints something else than Node does (-Node +Millrace):\n%s", s.Path, difference(string(wanted), got))
	}
}

// difference is the lines in which two texts differ.
func difference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out strings.Builder
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		if l != r {
			fmt.Fprintf(&out, "line %d\n- %.300s\n+ %.300s\n", i+1, l, r)
		}
	}
	return out.String()
}
