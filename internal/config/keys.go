package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Key describes one key of the file.
type Key struct {
	Path    string // streams[].hls.part
	Type    string // for people: "duration", "true or false", …
	Default string // as it would be written; empty for none
	Doc     string
	Reload  string // live, streams or restart; empty for a section
	Flag    string // of serve, empty for none
	Env     string
}

// Keys lists every key of the file, in the order of the structs.
func Keys() []Key {
	return collect(nil, reflect.ValueOf(*Default()), "")
}

func collect(keys []Key, v reflect.Value, prefix string) []Key {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("key")
		if name == "" {
			continue
		}
		k := Key{Path: join(prefix, name), Doc: f.Tag.Get("doc"), Reload: f.Tag.Get("reload")}
		k.Type, k.Default = describe(v.Field(i), f.Tag)
		for _, s := range Settings() {
			if s.Key == k.Path {
				k.Flag, k.Env = "--"+s.Flag, s.Env
			}
		}
		keys = append(keys, k)
		switch sub, path := inner(v.Field(i)); {
		case sub.IsValid():
			keys = collect(keys, sub, k.Path+path)
		}
	}
	return keys
}

// inner returns the struct that a section, or an item of a list, is made of.
func inner(v reflect.Value) (reflect.Value, string) {
	switch v.Interface().(type) {
	case Ladder:
		return defaults(reflect.TypeFor[Rung]()), "[]"
	case Sounds:
		return defaults(reflect.TypeFor[Sound]()), "[]"
	case Subtitles:
		return reflect.ValueOf(Subtitle{}), "[]"
	case Transports, media.Rational:
		return reflect.Value{}, ""
	}
	switch {
	case v.Kind() == reflect.Struct:
		return v, ""
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		return defaults(v.Type().Elem()), "[]"
	}
	return reflect.Value{}, ""
}

func defaults(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if s, ok := v.Interface().(interface{ setDefaults() }); ok {
		s.setDefaults()
	}
	return v.Elem()
}

// describe names the type of a key and writes its default.
func describe(v reflect.Value, tag reflect.StructTag) (kind, preset string) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return "duration", formatDuration(x)
	case Size:
		return "size", x.String()
	case Bitrate:
		if x == 0 {
			return "bitrate", ""
		}
		return "bitrate", x.String()
	case media.Rational:
		return "frame rate", ""
	case Address:
		return "address", string(x)
	case Pattern:
		return "path or pattern", ""
	case Ladder:
		return "auto, passthrough or a list", x.String()
	case Sounds, Subtitles:
		return "list", "[]"
	case Transports:
		return "list of tcp, udp", x.String()
	case []string:
		if len(x) == 0 {
			return "list of texts", "[]"
		}
		return "list of texts", fmt.Sprintf("[%q]", strings.Join(x, `", "`))
	case bool:
		return "true or false", fmt.Sprint(x)
	case int:
		if r := tag.Get("range"); r == "32 4320" || r == "1 64" { // there is no default
			return "whole number", ""
		}
		return "whole number", fmt.Sprint(x)
	case string:
		if words := tag.Get("oneof"); words != "" {
			return or(strings.Fields(words)), x
		}
		return "text", x
	}
	if v.Kind() == reflect.Slice {
		return "list", "[]"
	}
	return "section", ""
}

func names(t reflect.Type) []string {
	var list []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("key"); name != "" {
			list = append(list, name)
		}
	}
	return list
}

func fieldByKey(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("key") == key && key != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}
