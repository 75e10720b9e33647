package archtest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	markdownLink = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`) // [text](target "title"), ![text](target)
	namedLink    = regexp.MustCompile(`(?m)^\[[^\]]+\]:\s*<?(\S+?)>?\s*$`)         // [name]: target
	htmlLink     = regexp.MustCompile(`\b(?:href|src|srcset)="([^"]+)"`)
	fence        = regexp.MustCompile("(?ms)^[ \t]*(```|~~~).*?^[ \t]*(```|~~~)[ \t]*$")
	code         = regexp.MustCompile("`[^`\n]*`")
	heading      = regexp.MustCompile(`(?m)^#{1,6}\s+(.+?)\s*#*\s*$`)
	scheme       = regexp.MustCompile(`^([a-z][a-z0-9+.-]*:|//)`)
)

// targets is where a Markdown text's links lead, those of its examples apart.
func targets(text string) []string {
	text = code.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
	var found []string
	for _, kind := range []*regexp.Regexp{markdownLink, namedLink, htmlLink} {
		for _, match := range kind.FindAllStringSubmatch(text, -1) {
			found = append(found, match[1])
		}
	}
	return found
}

// anchors is the fragments that GitHub gives to a text's headings.
func anchors(text string) []string {
	var found []string
	seen := map[string]int{}
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, match[1])
		if n := seen[anchor]; n > 0 {
			found = append(found, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			found = append(found, anchor)
		}
		seen[anchor]++
	}
	return found
}

// deadLinks tells which links of the text called name lead nowhere. have
// reports whether a file or folder is in the tree, read gives a file's text.
func deadLinks(name, text string, have func(string) bool, read func(string) string) []string {
	var dead []string
	for _, target := range targets(text) {
		if scheme.MatchString(target) {
			continue
		}
		file, fragment, _ := strings.Cut(target, "#")
		to := name
		if file != "" {
			to = path.Join(path.Dir(name), file)
		}
		switch {
		case strings.HasPrefix(target, "/"):
			dead = append(dead, target+": a link from the root leads elsewhere on each site; make it relative")
		case !have(to):
			dead = append(dead, target+": there is no "+to)
		case fragment != "" && path.Ext(to) == ".md" && !slices.Contains(anchors(read(to)), fragment):
			dead = append(dead, target+": no heading of "+to+" is called so")
		}
	}
	return dead
}

func TestLinksOfTheDocuments(t *testing.T) {
	all := files(t)
	have := func(name string) bool {
		return name == "." || slices.ContainsFunc(all, func(f string) bool { return f == name || strings.HasPrefix(f, name+"/") })
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, name := range all {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, link := range deadLinks(name, read(name), have, read) {
			t.Errorf("%s: %s", name, link)
		}
	}
}

func TestDeadLinksCanFail(t *testing.T) {
	tree := map[string]string{
		"README.md":       "# Mill race\n## What, and why?\n## Twice\n## Twice\n",
		"docs/players.md": "# Players\n```sh\n# not a heading\n```\n",
		"docs/shot.png":   "",
	}
	have := func(name string) bool { _, ok := tree[name]; return ok || name == "docs" }
	for text, want := range map[string]int{
		"[a](docs/players.md) ![b](docs/shot.png \"title\") [c](docs/)": 0,
		"[a](https://example.com/x) [b](mailto:a@example.com)":          0,
		"[a](#what-and-why) [b](docs/players.md#players) [c](#twice-1)": 0,
		"```\n[a](nowhere.md)\n```\nand `[b](nowhere.md)`":              0,
		"[a](nowhere.md)":                        1,
		"<img src=\"docs/none.png\">":            1,
		"[a]: nowhere.md":                        1,
		"[a](#nowhere)":                          1,
		"[a](docs/players.md#not-a-heading) [b]": 1,
		"[a](/docs/players.md)":                  1,
	} {
		got := deadLinks("README.md", text, have, func(name string) string { return tree[name] })
		if len(got) != want {
			t.Errorf("%q: got %q, want %d", text, got, want)
		}
	}
}
