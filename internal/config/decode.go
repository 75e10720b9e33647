package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/millrace/millrace/internal/media"
)

// source remembers where each key of a file stood.
type source struct {
	file string
	at   map[string]*node // by key, as streams[0].hls.part
}

// decoder fills structs from nodes and collects what is wrong.
type decoder struct {
	source
	errs  Errors
	count int // of errors, those beyond maxErrors too
}

func newDecoder(file string) *decoder {
	return &decoder{source: source{file: file, at: make(map[string]*node)}}
}

func (d *decoder) errorf(n *node, key, format string, args ...any) {
	if d.count++; len(d.errs) < maxErrors {
		d.errs = append(d.errs, &Error{File: d.file, Line: n.line, Column: n.column, Key: key, Message: oneLine(fmt.Sprintf(format, args...))})
	}
}

// oneLine keeps a message readable whatever value it repeats.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	const most = 400
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (d *decoder) err() error {
	if len(d.errs) == 0 {
		return nil
	}
	d.errs.sort()
	return d.errs
}

// where returns the place of key, or of the nearest thing around it that the
// file mentions.
func (s *source) where(key string) *node {
	for {
		if n, ok := s.at[key]; ok {
			return n
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return &node{line: 1, column: 1}
		}
		key = key[:i]
	}
}

// structure fills *into, a struct, from a mapping.
func (d *decoder) structure(n *node, into any, path string) {
	d.fields(n, reflect.ValueOf(into).Elem(), path)
}

func (d *decoder) fields(n *node, v reflect.Value, path string) {
	if n.kind != mapNode {
		d.errorf(n, path, "expected a mapping with %s; got %s", or(names(v.Type())), n.describe(path))
		return
	}
	for _, p := range n.keys {
		f, ok := fieldByKey(v.Type(), p.key.text)
		if !ok {
			d.unknown(p.key, v.Type(), path)
			continue
		}
		at := join(path, p.key.text)
		d.at[at] = p.value
		d.value(p.value, v.FieldByIndex(f.Index), f.Tag, at)
	}
}

// value fills v from n.
func (d *decoder) value(n *node, v reflect.Value, tag reflect.StructTag, path string) {
	switch into := v.Addr().Interface().(type) {
	case *Ladder:
		into.decode(d, n, path)
		return
	case *Sounds:
		into.decode(d, n, path)
		return
	case *Subtitles:
		into.decode(d, n, path)
		return
	case *Transports:
		d.transports(n, into, path)
		return
	case *media.Rational:
		scalar(d, n, path, into, parseFPS)
		return
	case *time.Duration:
		scalar(d, n, path, into, parseDuration)
		return
	case *Size:
		scalar(d, n, path, into, parseSize)
		return
	case *Bitrate:
		scalar(d, n, path, into, parseBitrate)
		return
	case *Address:
		scalar(d, n, path, into, parseAddress)
		return
	case *Pattern:
		scalar(d, n, path, into, parsePattern)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if n.kind == nullNode { // a section whose keys are all commented out
			return
		}
		d.fields(n, v, path)
	case reflect.Slice:
		if n.kind == nullNode {
			return
		}
		if n.kind != listNode {
			d.notList(n, path)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, len(n.items))) // an empty list is none, not the default
		d.list(n, path, func(item *node, at string) {
			e := reflect.New(v.Type().Elem())
			if s, ok := e.Interface().(interface{ setDefaults() }); ok {
				s.setDefaults()
			}
			d.at[at] = item
			d.value(item, e.Elem(), tag, at)
			v.Set(reflect.Append(v, e.Elem()))
		})
	case reflect.Bool:
		d.boolean(n, v, path)
	case reflect.Int:
		d.integer(n, v, tag, path)
	default:
		d.text(n, v, tag, path)
	}
}

// list calls each for every item, until there are so many errors that more
// would not be shown.
func (d *decoder) list(n *node, path string, each func(*node, string)) {
	for i, item := range n.items {
		if d.count >= maxErrors {
			return
		}
		each(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) notList(n *node, path string) {
	hint := `begin each entry with "- "`
	if n.kind == scalarNode && !secret(path) {
		hint = "write [" + n.text + "]"
	}
	d.errorf(n, path, "expected a list, got %s; %s", n.describe(path), hint)
}

// secret reports whether what stands at path may be a key, which belongs in no
// message and no log.
func secret(path string) bool {
	return strings.HasPrefix(path, "auth") || strings.HasSuffix(path, "source")
}

// scalar fills *into by parse.
func scalar[T any](d *decoder, n *node, path string, into *T, parse func(string) (T, error)) {
	if !d.isScalar(n, path) {
		return
	}
	v, err := parse(n.text)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*into = v
}

func (d *decoder) isScalar(n *node, path string) bool {
	switch {
	case n.kind == nullNode:
		d.errorf(n, path, "has no value; write one, or leave the key out")
	case n.kind != scalarNode:
		d.errorf(n, path, "expected one value, got %s", n.describe(path))
	case strings.TrimSpace(n.text) == "":
		d.errorf(n, path, "is empty; write a value, or leave the key out")
	default:
		return true
	}
	return false
}

func (d *decoder) boolean(n *node, v reflect.Value, path string) {
	if !d.isScalar(n, path) {
		return
	}
	switch {
	case n.quoted:
		d.errorf(n, path, "expected true or false, got text; write it without quotes")
	case n.text == "true" || n.text == "false":
		v.SetBool(n.text == "true")
	default:
		hint := ""
		switch strings.ToLower(n.text) {
		case "yes", "on", "1", "y":
			hint = `; did you mean true?`
		case "no", "off", "0", "n":
			hint = `; did you mean false?`
		}
		d.errorf(n, path, "expected true or false, got %q%s", n.text, hint)
	}
}

func (d *decoder) integer(n *node, v reflect.Value, tag reflect.StructTag, path string) {
	if !d.isScalar(n, path) {
		return
	}
	i, err := strconv.Atoi(n.text)
	if err != nil {
		d.errorf(n, path, "expected a whole number, got %q", n.text)
		return
	}
	var low, high int
	if bounds := tag.Get("range"); bounds != "" {
		if _, err := fmt.Sscan(bounds, &low, &high); err == nil && (i < low || i > high) {
			d.errorf(n, path, "%d is out of range; %d to %d", i, low, high)
			return
		}
	}
	v.SetInt(int64(i))
}

func (d *decoder) text(n *node, v reflect.Value, tag reflect.StructTag, path string) {
	if !d.isScalar(n, path) {
		return
	}
	if strings.ContainsAny(n.text, "\n\r\x00") {
		d.errorf(n, path, "must be one line")
		return
	}
	if words := strings.Fields(tag.Get("oneof")); len(words) > 0 {
		if err := oneOf(n.text, words); err != nil {
			d.errorf(n, path, "%v", err)
			return
		}
	}
	v.SetString(n.text)
}

// Names that others have for words of ours.
var synonyms = map[string]string{
	"avc": "h264", "x264": "h264", "libx264": "h264", "hevc": "h265", "x265": "h265",
	"mpegts": "ts", "cmaf": "fmp4",
}

func oneOf(text string, words []string) error {
	if slices.Contains(words, text) {
		return nil
	}
	if s := synonyms[strings.ToLower(text)]; slices.Contains(words, s) {
		return fmt.Errorf("%q is not one of %s; did you mean %q?", text, or(words), s)
	}
	return fmt.Errorf("%q is not one of %s%s", text, or(words), didYouMean(text, words))
}

func (d *decoder) transports(n *node, into *Transports, path string) {
	if n.kind != listNode {
		d.notList(n, path)
		return
	}
	var t Transports
	d.list(n, path, func(item *node, at string) {
		if !d.isScalar(item, at) {
			return
		}
		switch item.text {
		case "tcp":
			t.TCP = true
		case "udp":
			t.UDP = true
		default:
			d.errorf(item, at, "%v", oneOf(item.text, []string{"tcp", "udp"}))
		}
	})
	if len(n.items) == 0 {
		d.errorf(n, path, "is an empty list; write tcp, udp or both")
		return
	}
	*into = t
}

// unknown reports a key that t does not have, with the key that was meant: a
// near one here, or one of that name elsewhere.
func (d *decoder) unknown(key *node, t reflect.Type, path string) {
	here := names(t)
	if best, ok := nearest(key.text, here); ok {
		d.errorf(key, join(path, key.text), "unknown key; did you mean %q?", best)
		return
	}
	for _, k := range Keys() {
		if strings.HasSuffix(k.Path, "."+key.text) {
			d.errorf(key, join(path, key.text), "unknown key here; did you mean %q?", k.Path)
			return
		}
	}
	d.errorf(key, join(path, key.text), "unknown key; known here are %s", and(here))
}

func join(path, key string) string {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func or(words []string) string  { return enumerate(words, "or") }
func and(words []string) string { return enumerate(words, "and") }

func enumerate(words []string, last string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
	return strings.Join(words, "")
}
