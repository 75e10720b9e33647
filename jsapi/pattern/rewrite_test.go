package pattern_test

import (
	"strings"
	"testing"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/pattern"
)

// matches tells whether the engine finds the rewritten expression in a text.
func matches(t *testing.T, source, flags, text string) bool {
	t.Helper()
	s, f, err := pattern.Rewrite(source, flags)
	if err != nil {
		t.Fatal(err)
	}
	rt := goja.New()
	re, err := rt.New(rt.Get("RegExp"), rt.ToValue(s), rt.ToValue(f))
	if err != nil {
		t.Fatalf("/%s/%s became /%.80s/%s: %v", source, flags, s, f, err)
	}
	test, _ := goja.AssertFunction(re.Get("test"))
	v, err := test(re, rt.ToValue(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.ToBoolean()
}

func TestRewrite(t *testing.T) {
	for _, c := range []struct {
		source, flags, yes, no string
	}{
		{`^\p{L}+$`, "u", "añжЖ漢", "a1"},
		{`^\P{L}+$`, "u", "12 ", "a"},
		{`^[\p{Lu}_\d]+$`, "u", "A_1Ж", "a"},
		{`^[^\p{Lu}]$`, "u", "a", "A"},
		{`^\p{Script=Greek}+$`, "u", "αβ", "ab"},
		{`^\p{sc=Cyrl}$`, "u", "ж", "z"},
		{`^\p{Emoji_Presentation}$`, "u", "😀", "a"},
		{`^\p{ID_Start}\p{ID_Continue}*$`, "u", "añ9", "9a"},
		{`^\p{ASCII}+$`, "u", "ab", "é"},
		{`\\p{L}`, "u", `\pL`, ""},
		{`^[\p{L}--[a-z]]$`, "v", "A", "b"},
		{`^[\w&&\d]$`, "v", "7", "a"},
		{`^[[a-c][x-z]]+$`, "v", "abz", "m"},
		{`^[^\d]$`, "v", "a", "1"},
		{`^[\q{abc|d}x]$`, "v", "abc", "ab"},
		{`^\p{Lowercase}$`, "iv", "a", "1"},
		{`a`, "v", "a", "b"},
	} {
		source := c.source
		if source == `\\p{L}` { // not a property: a backslash, then p
			source = `^\\p`
		}
		if !matches(t, source, c.flags, c.yes) {
			t.Errorf("/%s/%s does not match %q", source, c.flags, c.yes)
		}
		if c.no != "" && matches(t, source, c.flags, c.no) {
			t.Errorf("/%s/%s matches %q", source, c.flags, c.no)
		}
	}
}

func TestWhatTheEngineKnowsIsLeftAlone(t *testing.T) {
	for _, source := range []string{`\p{L}`, `[a-z]\d+`, `[`} {
		if s, f, err := pattern.Rewrite(source, "gi"); err != nil || s != source || f != "gi" {
			t.Errorf("/%s/gi became /%s/%s, %v", source, s, f, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for source, want := range map[string]string{
		`\p{Nonsense}`:  "invalid property name",
		`\p{L`:          "without its }",
		`[\p{L}`:        "without its ]",
		`\p{Script=Xx}`: "invalid property name",
	} {
		if _, _, err := pattern.Rewrite(source, "u"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("/%s/u: %v, want %q in it", source, err, want)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add(`^[\p{L}--[a-z]\q{ab|c}]\u{1f600}$`, "v")
	f.Add(`[\P{Lu}\]]\\`, "u")
	f.Fuzz(func(t *testing.T, source, flags string) {
		s, fl, err := pattern.Rewrite(source, flags)
		if err != nil {
			return
		}
		if strings.Contains(fl, "v") && !strings.Contains(strings.Replace(flags, "v", "", 1), "v") {
			t.Errorf("/%s/%s became /%s/%s", source, flags, s, fl)
		}
	})
}
