package media

import "testing"

func TestLanguageTag(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "und": "", "mul": "", "zxx": "",
		"eng": "en", "ger": "de", "deu": "de", "DEU": "de", "zul": "zu", "aar": "aa", "zho": "zh", "zh-Hant": "zh-Hant",
		"en": "en", "en_GB": "en-GB", "eng-GB": "en-GB", " fra ": "fr", "pt-BR": "pt-BR", "gsw": "gsw", "sr-Latn-RS": "sr-Latn-RS",
		"e": "", "english language": "", "a\"b": "", "4n": "", "en-": "", "waytoolong": "", "\x00\x00\x00": "",
	} {
		if got := LanguageTag(in); got != want {
			t.Errorf("%q becomes %q, not %q", in, got, want)
		}
	}
}
