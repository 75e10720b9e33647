package access

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCheckPath(t *testing.T) {
	for _, good := range []string{
		"demo", "cam/front", "a/b/c/d/e/f/g/h", "A-Z_0.9", "...", ".hidden", "a..b", "-",
		strings.Repeat("x", MaxPathLength),
	} {
		if err := CheckPath(good); err != nil {
			t.Errorf("CheckPath(%q) = %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/", "/demo", "demo/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a/b/c/d/e/f/g/h/i",
		"a b", "a%2fb", "a\x00b", "a\nb", "ä", "a?b", "a#b", "a\\b", "a:b", "a*", "a~",
		strings.Repeat("x", MaxPathLength+1),
	} {
		if err := CheckPath(bad); !errors.Is(err, ErrBadPath) {
			t.Errorf("CheckPath(%q) = %v, want ErrBadPath", bad, err)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"demo", "demo", true},
		{"demo", "demo2", false},
		{"demo", "demo/x", false},
		{"Demo", "demo", false},
		{"", "demo", false},
		{"live/*", "live/a", true},
		{"live/*", "live/a/b/c", true}, // a last star leaves nothing below open
		{"live/*", "live", false},
		{"live/*", "liver/a", false},
		{"live/*", "x/live/a", false},
		{"*", "anything/at/all", true},
		{"*/cam", "a/cam", true},
		{"*/cam", "a/b/cam", false},
		{"live/*/cam", "live/x/cam", true},
		{"live/*/cam", "live/cam", false},
		{"cam*", "cam1", true},
		{"cam*", "cam", true},
		{"cam*", "cam1/x", false},
		{"c*m*x", "camera-mix", true},
		{"c*m*x", "camera-mi", false},
		{"cam?", "cam1", true},
		{"cam?", "cam", false},
		{"cam?", "cam12", false},
		{"**", "a/b", true},
		{"**/cam", "cam", true},
		{"**/cam", "a/b/cam", true},
		{"**/cam", "a/b/camx", false},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z", true},
		{"a/**/z", "a/b/c", false},
		{"a/**", "a", true},
		{"a/**", "b", false},
		{"a/**/m/**/z", "a/1/m/2/m/3/z", true},
		{"a/**/m/*", "a/1/m/2/m", true},
		{"**/b/*", "a/b/b", true},
		{"[a-z]", "b", false}, // no classes: brackets are no path characters
	} {
		if got := Match(c.pattern, c.path); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.path, got)
		}
	}
}

// Patterns come from the config file, paths from anybody: neither may make
// matching slow.
func TestMatchIsNotExponential(t *testing.T) {
	start := time.Now()
	Match(strings.Repeat("*a", 120)+"b", strings.Repeat("a", MaxPathLength))
	Match(strings.Repeat("**/a/", 50)+"b", strings.Repeat("a/", 100)+"a")
	if d := time.Since(start); d > time.Second {
		t.Fatalf("took %v", d)
	}
}

func FuzzCheckPath(f *testing.F) {
	f.Add("cam/front")
	f.Add("../..")
	f.Fuzz(func(t *testing.T, path string) {
		if CheckPath(path) != nil {
			return
		}
		if strings.ContainsAny(path, "\x00\\%:?#&= ") || strings.HasPrefix(path, "/") ||
			strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/./") || strings.Contains(path, "//") {
			t.Fatalf("CheckPath lets %q through", path)
		}
		if !Match(path, path) || !Match("**", path) || !Match("*", path) {
			t.Fatalf("%q does not match itself", path)
		}
	})
}
