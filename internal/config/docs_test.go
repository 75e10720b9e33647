package config

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

const docsFile = "../../docs/config.md"

// TestDocsAreFresh compares docs/config.md with what the structs say, and
// writes it with -update, which go generate does.
func TestDocsAreFresh(t *testing.T) {
	want := markdown()
	if *update {
		if err := os.WriteFile(docsFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/config.md is stale; run: go generate ./internal/config")
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: no doc sentence", k.Path)
		}
		section := k.Type == "section" || k.Type == "list"
		switch {
		case section && k.Reload != "":
			t.Errorf("%s: a section reloads by its keys", k.Path)
		case !section && k.Reload != "live" && k.Reload != "streams" && k.Reload != "restart":
			t.Errorf("%s: reload is %q", k.Path, k.Reload)
		}
	}
}

// TestDefaultsAreWritten reads the default of every key back.
func TestDefaultsAreWritten(t *testing.T) {
	var b strings.Builder
	for _, k := range Keys() {
		if strings.Count(k.Path, ".") == 1 && !strings.Contains(k.Path, "[]") && k.Default != "" {
			section, name, _ := strings.Cut(k.Path, ".")
			fmt.Fprintf(&b, "%s: {%s: %s}\n", section, name, quoted(k))
			c, err := Parse(k.Path, []byte(b.String()))
			if err != nil {
				t.Error(err)
			} else if d := Diff(Default(), c); !d.Empty() {
				t.Errorf("%s: %s is not the default: %v", k.Path, k.Default, d)
			}
			b.Reset()
		}
	}
}

func quoted(k Key) string {
	if k.Type == "address" || k.Type == "text" {
		return fmt.Sprintf("%q", k.Default)
	}
	return k.Default
}

func markdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# Configuration

<!-- Generated from internal/config by go generate ./internal/config; edit the tags there. -->

` + "`millrace serve -c millrace.yaml`" + ` reads a YAML file. Everything in it may be left out;
[examples/millrace.yaml](../examples/millrace.yaml) shows all of it. A flag beats its environment
variable, the variable beats the file, the file beats the default.

An unknown key, a wrong type or a bad value is an error that names file, line, column and the nearest
right key. Anchors, aliases and ` + "`<<`" + ` work. Paths in the file are relative to its folder, those of
flags and variables to the working directory.

**Values.** A *duration* is a number with a unit: ` + "`500ms`, `2s`, `30m`, `12h`, `7d`" + `. A *size* is ` + "`500MB`, `100GB`, `20GiB`" + `. A
*bitrate* is bits a second: ` + "`2500k`, `2.5M`" + `. An *address* is ` + "`host:port`, `:port`" + ` for every address of the
machine, or ` + "`off`" + `. A *path* is 1 to 8 elements of letters, digits, ` + "`_ . -`" + ` with ` + "`/`" + ` between them. In a *pattern*
` + "`*`" + ` stands for any text within an element, and as the last element for everything below it too (a rule for
` + "`private/*`" + ` covers ` + "`private/a/b`" + `); ` + "`**`" + ` stands for any elements, ` + "`?`" + ` for one character.

**Reload.** SIGHUP reads the file again; a file with errors changes nothing. What becomes of a changed key:
*live*, it is in force at once; *streams*, the streams it concerns start again, others do not notice; *restart*,
it is in force when the server starts anew, and the log says so.

## Flags and variables

| flag | variable | key | |
|---|---|---|---|
`)
	for _, s := range Settings() {
		key := "—"
		if s.Key != "" {
			key = "`" + s.Key + "`"
		}
		flag := "`--" + s.Flag + "`"
		if s.Flag == "config" {
			flag = "`-c`, " + flag
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", flag, s.Env, key, s.Doc)
	}
	b.WriteString("\n`MILLRACE_CONTAINER`, which the container image sets, says that nobody counts as local: whoever calls comes by way of " +
		"the container's network. Where no keys are configured, the first start then makes one, keeps it in the data folder and " +
		"shows it once in the log; it publishes everywhere and opens the API.\n")
	b.WriteString("\n## Keys\n\n| key | type | default | reload | |\n|---|---|---|---|---|\n")
	for _, k := range Keys() {
		preset := "—"
		if k.Default != "" {
			preset = "`" + strings.ReplaceAll(k.Default, "|", `\|`) + "`"
		}
		reload := k.Reload
		if reload == "" {
			reload = "—"
		}
		doc := k.Doc
		if k.Flag != "" {
			doc += fmt.Sprintf(" Flag `%s`, variable `%s`.", k.Flag, k.Env)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Path, k.Type, preset, reload, doc)
	}
	if missing := notBuilt(); missing != "" {
		b.WriteString("\n## Not in this version\n\n" + missing)
	}
	return b.Bytes()
}

// notBuilt asks NotYet about a configuration that asks for everything.
func notBuilt() string {
	s := DefaultStream()
	s.Source, s.Pipeline, s.HLS.DVR, s.HLS.Container, s.Record = "srt://x", "x", 1, "ts", true
	s.Ladder, _ = NewLadder(Rung{Name: "x", Height: 32, Codec: "h265"})
	c := Default()
	c.App, c.Retain.Age, c.Streams = "x", 1, []Stream{s}
	var b strings.Builder
	index := strings.NewReplacer("[0]", "[]")
	for _, m := range NotYet(c) {
		fmt.Fprintf(&b, "- `%s`: %s\n", index.Replace(m.Key), strings.Replace(m.What, "srt://", "rtmp:// and srt://", 1))
	}
	for _, l := range NotYetListeners(c) {
		fmt.Fprintf(&b, "- `%s`: the listener\n", l)
	}
	if b.Len() == 0 {
		return ""
	}
	return "These are read and checked, and answer \"not in this version\" when used.\n\n" + b.String()
}
