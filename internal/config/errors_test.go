package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// Each testdata/errors/*.txtar holds pairs: NAME.yaml, and NAME.want with every
// line that it is answered with.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens:", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]string)
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
		out := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			name, ok := strings.CutSuffix(f.Name, ".yaml")
			if !ok {
				continue
			}
			_, err := Parse(f.Name, f.Data)
			got := fmt.Sprintln(err)
			if err == nil {
				t.Errorf("%s: %s is accepted", file, f.Name)
			}
			if w := want[name+".want"]; got != w && !*update {
				t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", file, f.Name, got, w)
			}
			out.Files = append(out.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
		}
		if !*update && len(out.Files) != len(archive.Files) {
			t.Errorf("%s: a .want without its .yaml", file)
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// hostile is what no editor writes. Each must be refused, and at once.
func hostile() map[string]string {
	var keys, laughs, merges strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	laughs.WriteString("a0: &a0 [x]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	merges.WriteString("x: &x {")
	for i := range 90 {
		fmt.Fprintf(&merges, "k%d: 1, ", i)
	}
	merges.WriteString("}\ny: [\n" + strings.Repeat("{<<: *x},\n", 15_000) + "]\n")
	return map[string]string{
		"flow lists":      strings.Repeat("[", 500_000),
		"flow mappings":   strings.Repeat("{a: ", 100_000),
		"lines of lists":  strings.Repeat("[\n", 100_000),
		"dashes":          strings.Repeat("- ", 300_000) + "a",
		"indentation":     indented(1400),
		"question marks":  strings.Repeat("? ", 300_000),
		"anchors":         strings.Repeat("&a ", 300_000),
		"tags":            strings.Repeat("!a ", 300_000),
		"keys":            keys.String(),
		"flow keys":       "{" + strings.ReplaceAll(keys.String(), "\n", ",\n") + "}",
		"laughs":          laughs.String(),
		"self":            "a: &a [*a]",
		"merges":          merges.String(),
		"merge loop":      "a: &a\n  <<: *a\n",
		"size":            strings.Repeat("# x\n", maxFile),
		"zeros":           strings.Repeat("\x00", 1000),
		"not UTF-8":       "data: \xff\xfe\xfd",
		"a binary":        "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00",
		"long key":        strings.Repeat("x", 100_000) + ": 1",
		"long scalar":     "data: [" + strings.Repeat("x", 900_000) + "]",
		"many errors":     "streams:\n" + strings.Repeat("  - {path: '/', hold: x, nope: 1}\n", 7_000),
		"unclosed quotes": strings.Repeat("a: \"\n", 100_000),
		"percent":         "%YAML 9.9\n--- a",
		"documents":       strings.Repeat("--- a\n", 10_000),
		"lists":           "streams: [" + strings.Repeat("[],\n", 40_000) + "]",
	}
}

func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("x.yaml", []byte(text))
			if err == nil {
				t.Error("accepted")
			} else if len(err.Error()) > 20_000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(designYAML))
	f.Add([]byte("streams:\n  - &a {path: x}\n  - <<: *a\n    path: y\n"))
	f.Add([]byte("http: {listen: 8080}\nauth: []\nladder: |\n  x\n"))
	f.Add([]byte("? [a]\n: b\n--- \n...\n"))
	if example, err := os.ReadFile("../../examples/millrace.yaml"); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("x.yaml", data)
		if (c == nil) != (err != nil) {
			t.Fatal("neither or both", c, err)
		}
		if err != nil {
			var errs Errors
			errs, ok := err.(Errors) //nolint:errorlint // Parse promises the type itself
			if !ok || len(errs) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			for _, e := range errs {
				if e.Line < 1 || e.Column < 1 || e.Line > bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+2 {
					t.Errorf("no such place: %v", e)
				}
				if strings.ContainsAny(e.Message, "\n\r") {
					t.Errorf("more than a line: %q", e.Message)
				}
			}
			return
		}
		for _, s := range c.Streams {
			if s.HLS.Window < 3*s.HLS.Segment || s.HLS.Part <= 0 || s.Path == "" {
				t.Errorf("accepted %+v", s)
			}
		}
		NotYet(c)
		Diff(Default(), c)
		c.ForPath("a/b")
	})
}
