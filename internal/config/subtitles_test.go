package config

import (
	"strings"
	"testing"
)

func TestSubtitles(t *testing.T) {
	c, err := Parse("x", []byte(`streams: [{path: a, hls: {subtitles: [{language: en, name: English, default: true}, {language: pt-BR, sdh: true}, {language: en, forced: true}]}}, {path: b}]`))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range c.ForPath("a").HLS.Subtitles.List() {
		ids = append(ids, s.ID())
	}
	if got := strings.Join(ids, " "); got != "en pt-br-sdh en-forced" {
		t.Errorf("%s", got)
	}
	if c.ForPath("a").HLS == c.ForPath("b").HLS || len(c.ForPath("b").HLS.Subtitles.List()) != 0 {
		t.Error("a stream without subtitles is like one with them")
	}
	for text, why := range map[string]string{
		"{}":                               "expected a list",
		"[{}]":                             "needs a language",
		"[{language: e}]":                  "not a language tag",
		"[{language: en_US}]":              "not a language tag",
		`[{language: en, name: "a\"b"}]`:   "quotes",
		"[{language: en}, {language: EN}]": "second rendition is called en",
		"[{language: en, languag: x}]":     `did you mean "language"`,
		"[{language: en, default: true}, {language: de, default: true}]": "en is the default",
		"[" + strings.Repeat("{language: en},", 9) + "]":                 "8 are the most",
	} {
		_, err := Parse("x", []byte("streams: [{path: a, hls: {subtitles: "+text+"}}]"))
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}
