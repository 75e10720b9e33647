package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rewrite gives a regular expression that means the same without \p{…} and
// without the flag v. What the engine knows as it is comes back unchanged.
func Rewrite(source, flags string) (newSource, newFlags string, err error) {
	sets := strings.Contains(flags, "v")
	if !sets && (!strings.Contains(flags, "u") || !strings.Contains(source, `\p`) && !strings.Contains(source, `\P`)) {
		return source, flags, nil
	}
	if sets && strings.Contains(flags, "u") {
		return "", "", errors.New("the flags u and v exclude one another")
	}
	r := &reader{text: source, sets: sets}
	for r.at < len(r.text) {
		if err := r.step(); err != nil {
			return "", "", fmt.Errorf("/%s/: %w", source, err)
		}
	}
	return r.out.String(), strings.Replace(flags, "v", "u", 1), nil
}

// reader goes through an expression once and writes the new one.
type reader struct {
	text string
	at   int
	sets bool // the flag v
	out  strings.Builder
}

func (r *reader) rest() string { return r.text[r.at:] }

func (r *reader) take(prefix string) bool {
	if !strings.HasPrefix(r.rest(), prefix) {
		return false
	}
	r.at += len(prefix)
	return true
}

// step takes one piece outside of classes.
func (r *reader) step() error {
	switch {
	case r.isProperty():
		s, err := r.property()
		if err != nil {
			return err
		}
		r.out.WriteString(s.class())
	case r.text[r.at] == '\\':
		n := 1
		if _, size := utf8.DecodeRuneInString(r.text[r.at+1:]); size > 0 {
			n += size
		}
		r.out.WriteString(r.text[r.at : r.at+n])
		r.at += n
	case r.text[r.at] != '[':
		r.out.WriteByte(r.text[r.at])
		r.at++
	case r.sets:
		r.at++
		s, words, err := r.class()
		if err != nil {
			return err
		}
		r.out.WriteString(alternatives(s, words))
	default:
		return r.plainClass()
	}
	return nil
}

func (r *reader) isProperty() bool {
	rest := r.rest()
	return strings.HasPrefix(rest, `\p{`) || strings.HasPrefix(rest, `\P{`)
}

func (r *reader) property() (set, error) {
	complement := r.text[r.at+1] == 'P'
	name, _, ok := strings.Cut(r.text[r.at+3:], "}")
	if !ok {
		return nil, errors.New("a property name without its }")
	}
	r.at += 3 + len(name) + 1
	s, err := property(name)
	if err != nil {
		return nil, err
	}
	if complement {
		return s.not(), nil
	}
	return s, nil
}

// plainClass copies a class of the flag u and writes properties out.
func (r *reader) plainClass() error {
	r.out.WriteByte('[')
	r.at++
	for r.at < len(r.text) {
		switch {
		case r.isProperty():
			s, err := r.property()
			if err != nil {
				return err
			}
			r.out.WriteString(s.inside())
		case r.text[r.at] == '\\' && r.at+1 < len(r.text):
			r.out.WriteString(r.text[r.at : r.at+2])
			r.at += 2
		default:
			c := r.text[r.at]
			r.out.WriteByte(c)
			r.at++
			if c == ']' {
				return nil
			}
		}
	}
	return errUnterminated
}

var errUnterminated = errors.New("a class without its ]")

// class reads a class of the flag v, after its bracket. Words are the strings
// of \q{…} that are longer than a character.
func (r *reader) class() (set, []string, error) {
	complement := r.take("^")
	var all set
	var words []string
	op := ""
	for first := true; ; first = false {
		if r.at >= len(r.text) {
			return nil, nil, errUnterminated
		}
		if r.take("]") {
			break
		}
		if r.take("--") {
			op = "--"
		} else if r.take("&&") {
			op = "&&"
		} else if op != "" && !first {
			return nil, nil, errors.New("the operators -- and && do not mix with others in one class")
		}
		s, more, err := r.operand()
		if err != nil {
			return nil, nil, err
		}
		switch op {
		case "--":
			all, words = all.minus(s), without(words, more, true)
		case "&&":
			all, words = all.and(s), without(words, more, false)
		default:
			all, words = all.or(s), append(words, more...)
		}
	}
	if complement {
		if len(words) > 0 {
			return nil, nil, errors.New("a class of strings has no complement")
		}
		all = all.not()
	}
	return all, words, nil
}

// operand is a nested class, a property, an escape, or a character with what
// it may be the beginning of.
func (r *reader) operand() (set, []string, error) {
	switch {
	case r.take("["):
		return r.class()
	case r.isProperty():
		s, err := r.property()
		return s, nil, err
	case r.take(`\q{`):
		return r.strings()
	}
	if s, ok := r.shorthand(); ok {
		return s, nil, nil
	}
	low, err := r.character()
	if err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(r.rest(), "-") && !strings.HasPrefix(r.rest(), "--") {
		r.at++
		high, err := r.character()
		if err != nil {
			return nil, nil, err
		}
		if high < low {
			return nil, nil, errors.New("a range that ends before it begins")
		}
		return set{{low, high}}, nil, nil
	}
	return set{{low, low}}, nil, nil
}

func (r *reader) strings() (set, []string, error) {
	text, _, ok := strings.Cut(r.rest(), "}")
	if !ok {
		return nil, nil, errors.New(`\q{ without its }`)
	}
	r.at += len(text) + 1
	var s set
	var words []string
	for word := range strings.SplitSeq(text, "|") {
		if c, n := utf8.DecodeRuneInString(word); n == len(word) && n > 0 {
			s = s.or(set{{c, c}})
			continue
		}
		words = append(words, word)
	}
	return s, words, nil
}

// shorthand is \d, \w, \s and their complements.
func (r *reader) shorthand() (set, bool) {
	if !strings.HasPrefix(r.rest(), `\`) || len(r.rest()) < 2 {
		return nil, false
	}
	var s set
	switch r.rest()[1] | 0x20 {
	case 'd':
		s = set{{'0', '9'}}
	case 'w':
		s = setOf([]span{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}})
	case 's':
		s = ofTables(unicode.Zs).or(setOf([]span{{'\t', '\r'}, {0x2028, 0x2029}, {0xfeff, 0xfeff}}))
	default:
		return nil, false
	}
	complement := unicode.IsUpper(rune(r.rest()[1]))
	r.at += 2
	if complement {
		return s.not(), true
	}
	return s, true
}

var controls = map[byte]rune{'t': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', 'b': '\b', '0': 0}

// character is one character, escaped or not.
func (r *reader) character() (rune, error) {
	if !r.take(`\`) {
		c, n := utf8.DecodeRuneInString(r.rest())
		if n == 0 {
			return 0, errUnterminated
		}
		r.at += n
		return c, nil
	}
	rest := r.rest()
	if rest == "" {
		return 0, errors.New(`\ at the end of the pattern`)
	}
	digits, n := "", 0
	switch {
	case strings.HasPrefix(rest, "u{"):
		text, _, _ := strings.Cut(rest[2:], "}")
		digits, n = text, len(text)+3
	case rest[0] == 'u' && len(rest) >= 5:
		digits, n = rest[1:5], 5
	case rest[0] == 'x' && len(rest) >= 3:
		digits, n = rest[1:3], 3
	case rest[0] == 'c' && len(rest) >= 2:
		r.at += 2
		return rune(rest[1] & 31), nil
	default:
		c, size := utf8.DecodeRuneInString(rest)
		r.at += size
		if control, ok := controls[rest[0]]; ok {
			return control, nil
		}
		return c, nil
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || v > unicode.MaxRune || n > len(rest) {
		return 0, fmt.Errorf(`invalid escape \%s`, rest[:min(n, len(rest))])
	}
	r.at += n
	return rune(v), nil
}

// without keeps the words that are not in others, or only those that are.
func without(words, others []string, drop bool) []string {
	var kept []string
	for _, w := range words {
		in := false
		for _, o := range others {
			in = in || o == w
		}
		if in != drop {
			kept = append(kept, w)
		}
	}
	return kept
}

// alternatives matches a character of the set, or one of the words, the
// longest first.
func alternatives(s set, words []string) string {
	if len(words) == 0 {
		return s.class()
	}
	var parts []string
	empty := false
	for _, w := range words {
		if w == "" {
			empty = true
			continue
		}
		parts = append(parts, escaped(w))
	}
	parts = append(longest(parts), s.class())
	if empty {
		parts = append(parts, "")
	}
	return "(?:" + strings.Join(parts, "|") + ")"
}

func longest(words []string) []string {
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}

func escaped(word string) string {
	var out strings.Builder
	for _, c := range word {
		fmt.Fprintf(&out, `\u{%x}`, c)
	}
	return out.String()
}
