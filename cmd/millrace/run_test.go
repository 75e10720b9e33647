package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/millrace/millrace/internal/config"
)

// inProcess runs the program inside the test.
func inProcess(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	w := &world{
		args: args, env: func(n string) string { return env[n] },
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs,
		signals:    func() (<-chan os.Signal, func()) { return nil, func() {} },
		executable: os.Executable,
	}
	code = run(context.Background(), w)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		err  string
	}{
		{nil, exitDone, ""},
		{[]string{"--help"}, exitDone, ""},
		{[]string{"help", "serve"}, exitDone, ""},
		{[]string{"version"}, exitDone, ""},
		{[]string{"nonsense"}, exitUsage, "millrace: unexpected argument nonsense; see millrace --help\n"},
		{[]string{"serve", "--nonsense"}, exitUsage, "millrace: unknown flag --nonsense; see millrace help serve\n"},
		{[]string{"serve", "--http"}, exitUsage, "millrace: --http needs a value; see millrace help serve\n"},
		{[]string{"check", "x"}, exitFailed, "millrace: \"x\" is not the URL of a playlist: http://HOST/PATH.m3u8\n"},
	} {
		code, _, stderr := inProcess(t, nil, c.args...)
		if code != c.code || stderr != c.err {
			t.Errorf("%q: exit %d, want %d\ngot  %q\nwant %q", c.args, code, c.code, stderr, c.err)
		}
	}
}

// TestFlagsAreSettings holds the flags of serve against the settings that
// internal/config knows.
func TestFlagsAreSettings(t *testing.T) {
	var c commands
	k, err := kong.New(&c, kong.Name("millrace"))
	if err != nil {
		t.Fatal(err)
	}
	flags := make(map[string]string)
	for _, node := range k.Model.Children {
		if node.Name == "serve" {
			for _, f := range node.Flags {
				flags[f.Name] = f.Help
			}
		}
	}
	delete(flags, "help")
	for _, s := range config.Settings() {
		if !strings.Contains(flags[s.Flag], "("+s.Env+")") {
			t.Errorf("--%s: no flag whose help names %s", s.Flag, s.Env)
		}
		delete(flags, s.Flag)
	}
	if len(flags) > 0 {
		t.Errorf("flags that are no settings: %v", flags)
	}
	text := "x"
	s := settings{&text, &text, &text, &text, &text, &text, &text}
	if got := len(s.given()); got != reflect.TypeOf(s).NumField() {
		t.Errorf("%d flags are handed on", got)
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("listen: %w", syscall.EADDRINUSE), "listen: address already in use; something else listens there; stop it, or choose another address"},
		{fmt.Errorf("write x: %w", syscall.ENOSPC), "write x: no space left on device; the disk is full; free some space and run it again"},
		{fmt.Errorf("a\n\tb"), "a b"},
	} {
		if got := sentence(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
