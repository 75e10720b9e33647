package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// top is what may lie at the top of the tree.
var top = []string{
	"cmd", "ingest", "transcode", "packager", "jsapi", "web", "testmedia", "internal", "docs", "examples", ".ci", ".github",
	"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
	"Makefile", "Dockerfile", "go.mod", "go.sum",
	".golangci.yml", ".gitignore", ".gitattributes", ".dockerignore", ".editorconfig",
}

// vague is the names that say nothing of what a package is for.
var vague = []string{"util", "utils", "common", "helper", "helpers", "core", "defs", "lib", "misc", "shared", "types"}

// unwanted matches what a clone elsewhere cannot use: the hosts of package
// registries, which are the machine's own affair, and paths of one machine.
// Each is written in two halves, so that this file does not hold it.
var unwanted = regexp.MustCompile(strings.Join([]string{
	`registry\.` + `npmjs`, `proxy\.` + `golang`, `sum\.` + `golang`, `(deb|snapshot|security|ftp)\.` + `debian\.org`,
	`deb\.` + `nodesource`, `/work/` + `(main|shared|\.library)`, `/tmp/` + `mr\b`, `/root/` + `\w`,
}, "|"))

// files is what git has, or would take: tracked, or new and not ignored.
func files(t *testing.T) []string {
	t.Helper()
	out, err := run(nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Skipf("needs a git work tree: %v", err)
	}
	all := strings.Split(strings.TrimRight(out, "\x00"), "\x00")
	return slices.DeleteFunc(all, func(name string) bool {
		_, err := os.Lstat(filepath.Join(root, name))
		return errors.Is(err, fs.ErrNotExist)
	})
}

func TestTopOfTheTree(t *testing.T) {
	for _, name := range files(t) {
		if first, _, _ := strings.Cut(name, "/"); !slices.Contains(top, first) {
			t.Errorf("%s: %q has no place at the top: %s", name, first, address)
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(vague, p.Name) {
			t.Errorf("%s: a package called %s says nothing: name it after what passes through it", p.room(), p.Name)
		}
	}
}

// foreign tells the lines of a text that name a registry's host or a machine's path.
func foreign(text []byte) []string {
	var found []string
	if bytes.IndexByte(text, 0) >= 0 { // a picture, a clip
		return nil
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if hit := unwanted.Find(line); hit != nil {
			found = append(found, fmt.Sprintf("line %d: %s", i+1, hit))
		}
	}
	return found
}

func TestNothingOfOneMachine(t *testing.T) {
	for _, name := range files(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue // a link that leads nowhere, or a folder of another repository
		}
		for _, line := range foreign(text) {
			t.Errorf("%s, %s: names a registry's host or a path of one machine", name, line)
		}
	}
}

func TestForeignCanFail(t *testing.T) {
	for text, want := range map[string]int{
		"plain\ntext":                              0,
		"a\nhttps://registry." + "npmjs.org/":      1,
		"see /work/" + "shared/x\nor /root/" + "x": 2,
		"\x00 /root/" + "x":                        0,
	} {
		if got := foreign([]byte(text)); len(got) != want {
			t.Errorf("%q: got %q, want %d", text, got, want)
		}
	}
}
