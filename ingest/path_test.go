package ingest

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestCheckPath(t *testing.T) {
	for path, ok := range map[string]bool{
		"cam": true, "live/cam-1": true, "a/b/c/d/e/f/g/h": true, "A_b.9-": true, "...": true, ".a": true,
		"": false, "/": false, "/cam": false, "cam/": false, "a//b": false, ".": false, "..": false,
		"a/..": false, "../a": false, "a/./b": false, "a b": false, "ä": false, "a\x00": false, "a%2e": false,
		"a/b/c/d/e/f/g/h/i": false, strings.Repeat("a", 129): false, "a?b": false, `a\b`: false,
	} {
		if err := CheckPath(path); (err == nil) != ok || err != nil && !errors.Is(err, ErrBadPath) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func FuzzCheckPath(f *testing.F) {
	f.Add("live/cam")
	f.Add("a/../b")
	re := regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}(/[A-Za-z0-9_.-]{1,128}){0,7}$`)
	f.Fuzz(func(t *testing.T, path string) {
		dots := false
		for _, e := range strings.Split(path, "/") {
			dots = dots || e == "." || e == ".."
		}
		if got, want := CheckPath(path) == nil, re.MatchString(path) && !dots && !strings.HasSuffix(path, "\n"); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	})
}
