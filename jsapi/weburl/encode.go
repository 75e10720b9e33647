package weburl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a part of a URL escapes beyond control characters and what is not ASCII.
const (
	inFragment = " \"<>`"
	inQuery    = " \"#<>"
	inSpecial  = inQuery + "'"
	inPath     = inQuery + "?^`{}"
	inUserinfo = inPath + "/:;=@[\\]|"
)

// escape writes one character, escaped where the part asks for it.
func escape(b *strings.Builder, c rune, part string) {
	if c > 0x1f && c < 0x7f && strings.IndexByte(part, byte(c)) < 0 {
		b.WriteByte(byte(c))
		return
	}
	var bytes [utf8.UTFMax]byte
	for _, x := range bytes[:utf8.EncodeRune(bytes[:], c)] {
		fmt.Fprintf(b, "%%%02X", x)
	}
}

func escaped(text, part string) string {
	var b strings.Builder
	for _, c := range text {
		escape(&b, c, part)
	}
	return b.String()
}

func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			high, low := hex(text[i+1]), hex(text[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
