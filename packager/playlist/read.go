package playlist

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrSyntax is wrapped by every error of the parser, which names the line.
var ErrSyntax = errors.New("bad playlist")

// maxSeconds bounds every duration read: beyond it there is no playlist, only
// arithmetic that overflows.
const maxSeconds = 1e9

// lines calls f with each line that carries something: a tag's name and value,
// or a URI with an empty name. It checks the first line (§4.1).
func lines(text string, f func(tag, value string) error) error {
	first := true
	for n := 1; text != ""; n++ {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimRight(line, "\r \t")
		switch {
		case first:
			if line != "#EXTM3U" {
				return fmt.Errorf("%w: it does not begin with #EXTM3U", ErrSyntax)
			}
			first = false
		case line == "" || strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "#EXT"):
		default:
			tag, value := "", line
			if line[0] == '#' {
				tag, value, _ = strings.Cut(line, ":")
			} else if strings.ContainsFunc(line, control) {
				return fmt.Errorf("%w: line %d: control character", ErrSyntax, n)
			}
			if err := f(tag, value); err != nil {
				return fmt.Errorf("%w: line %d: %s: %w", ErrSyntax, n, line[:min(len(line), 80)], err)
			}
		}
	}
	if first {
		return fmt.Errorf("%w: it is empty", ErrSyntax)
	}
	return nil
}

// IsMultivariant tells the two kinds of playlist apart by their tags.
func IsMultivariant(text string) bool {
	return strings.Contains(text, "\n#EXT-X-STREAM-INF:") || strings.Contains(text, "\n#EXT-X-MEDIA:")
}

// removedRanges is the only attribute whose value may hold tabs (§4.4.5.2).
const removedRanges = "RECENTLY-REMOVED-DATERANGES"

// list is a parsed attribute list. Reading a value records the first error.
type list struct {
	values map[string]string
	quoted []string // names of the values that were quoted
	err    error
}

// readList parses an attribute list: values are quoted or end at a comma.
func readList(s string) *list {
	l := &list{values: map[string]string{}}
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			l.err = fmt.Errorf("attribute without a value: %q", s)
			return l
		}
		var value string
		quoted := false
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				l.err = fmt.Errorf("%s: open quotation", name)
				return l
			}
			value, s = rest[1:1+end], rest[end+2:]
			quoted = true
			if s != "" && s[0] != ',' {
				l.err = fmt.Errorf("%s: characters behind the quotation", name)
				return l
			}
			s = strings.TrimPrefix(s, ",")
		} else {
			value, s, _ = strings.Cut(rest, ",")
			if strings.ContainsAny(value, "\" \t") { // §4.2
				l.err = fmt.Errorf("%s: blank or quotation mark in a value without quotation", name)
				return l
			}
		}
		name = strings.TrimLeft(name, " ")
		if _, twice := l.values[name]; twice {
			l.err = fmt.Errorf("%s stands twice", name)
			return l
		}
		if strings.ContainsFunc(value, control) && !(quoted && name == removedRanges && !strings.ContainsFunc(strings.ReplaceAll(value, "\t", ""), control)) {
			l.err = fmt.Errorf("%s: control character", name)
			return l
		}
		l.values[name] = value
		if quoted {
			l.quoted = append(l.quoted, name)
		}
	}
	return l
}

func (l *list) fail(name string, err error) {
	if l.err == nil && err != nil {
		l.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (l *list) text(name string) string { return l.values[name] }

func (l *list) need(name string) string {
	v, ok := l.values[name]
	if !ok || v == "" {
		l.fail(name, errors.New("missing"))
	}
	return v
}

func (l *list) yes(name string) bool { return l.values[name] == "YES" }

func (l *list) unsigned(name string, otherwise uint64) uint64 {
	v, ok := l.values[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	l.fail(name, err)
	return n
}

// integer reads an unsigned number that fits an int, -1 where there is none.
func (l *list) integer(name string) int64 {
	v, ok := l.values[name]
	if !ok {
		return -1
	}
	n, err := strconv.ParseUint(v, 10, 63)
	l.fail(name, err)
	return int64(n)
}

func (l *list) seconds(name string) time.Duration {
	v, ok := l.values[name]
	if !ok {
		return 0
	}
	d, err := readSeconds(v)
	l.fail(name, err)
	return d
}

func (l *list) byteRange() *ByteRange {
	v, ok := l.values["BYTERANGE"]
	if !ok {
		return nil
	}
	r, err := readByteRange(v)
	l.fail("BYTERANGE", err)
	return r
}

func readByteRange(s string) (*ByteRange, error) {
	length, offset, ok := strings.Cut(s, "@")
	n, err := strconv.ParseUint(length, 10, 63)
	if err != nil {
		return nil, err
	}
	r := &ByteRange{Length: int64(n), Offset: -1}
	if ok {
		if n, err = strconv.ParseUint(offset, 10, 63); err != nil {
			return nil, err
		}
		r.Offset = int64(n)
	}
	return r, nil
}

// readSeconds reads a decimal number of seconds, rounded to microseconds.
func readSeconds(s string) (time.Duration, error) {
	v, err := readDecimal(s, 6)
	return time.Duration(v) * time.Microsecond, err
}

// readDecimal reads a decimal number times 10^places, rounded.
func readDecimal(s string, places int) (uint64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	v, err := strconv.ParseUint(whole, 10, 64)
	switch {
	case err != nil:
		return 0, err
	case v > maxSeconds:
		return 0, fmt.Errorf("%s is out of range", s)
	case strings.Trim(fraction, "0123456789") != "":
		return 0, fmt.Errorf("%s is no decimal number", s)
	}
	for i := range places {
		v *= 10
		if i < len(fraction) {
			v += uint64(fraction[i] - '0')
		}
	}
	if len(fraction) > places && fraction[places] >= '5' {
		v++
	}
	return v, nil
}

// readDate reads ISO 8601 as the RFC profiles it, rounded to milliseconds.
func readDate(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.UTC().Year(); y < 1 || y > 9998 {
				break
			}
			return t.UTC().Round(time.Millisecond), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date", s)
}

func readInt(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil && n > math.MaxInt32 {
		err = fmt.Errorf("%s is out of range", s)
	}
	return int(n), err
}
