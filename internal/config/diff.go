package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Changes says what is different between two configurations.
type Changes struct {
	// Keys are those that differ, outside streams: "auth", "http.listen", …
	Keys []string
	// Restart are those of Keys that need a new start of the server.
	Restart []string
	// Streams are the patterns whose entry is new, gone or different. A
	// stream is concerned only if Stream says so.
	Streams []string

	old, new *Config
}

// Diff compares two configurations.
func Diff(old, new *Config) Changes {
	c := Changes{old: old, new: new}
	c.compare(reflect.ValueOf(*old), reflect.ValueOf(*new), "")
	entry := func(from *Config, path Pattern) (Stream, bool) {
		i := slices.IndexFunc(from.Streams, func(s Stream) bool { return s.Path == path })
		if i < 0 {
			return Stream{}, false
		}
		return from.Streams[i], true
	}
	for _, s := range old.Streams {
		if other, ok := entry(new, s.Path); !ok || other != s {
			c.Streams = append(c.Streams, string(s.Path))
		}
	}
	for _, s := range new.Streams {
		if _, ok := entry(old, s.Path); !ok {
			c.Streams = append(c.Streams, string(s.Path))
		}
	}
	return c
}

// Stream reports whether what holds for path has changed.
func (c Changes) Stream(path string) bool {
	a, b := c.old.ForPath(path), c.new.ForPath(path)
	a.Path, b.Path = "", "" // another pattern with the same settings changes nothing
	return a != b
}

// Empty reports whether nothing has changed, the order of streams included.
func (c Changes) Empty() bool {
	return len(c.Keys) == 0 && slices.Equal(c.old.Streams, c.new.Streams)
}

func (c Changes) String() string {
	if c.Empty() {
		return "nothing has changed"
	}
	var parts []string
	if len(c.Keys) > 0 {
		parts = append(parts, "changed: "+strings.Join(c.Keys, ", "))
	}
	switch {
	case len(c.Streams) > 0:
		parts = append(parts, "streams: "+strings.Join(c.Streams, ", "))
	case !slices.Equal(c.old.Streams, c.new.Streams):
		parts = append(parts, "streams in another order")
	}
	if len(c.Restart) > 0 {
		parts = append(parts, fmt.Sprintf("in force after a restart only: %s", strings.Join(c.Restart, ", ")))
	}
	return strings.Join(parts, "; ")
}

func (c *Changes) compare(a, b reflect.Value, prefix string) {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		name := f.Tag.Get("key")
		if name == "" || name == "streams" {
			continue
		}
		key, x, y := join(prefix, name), a.Field(i), b.Field(i)
		if f.Tag.Get("reload") == "" && x.Kind() == reflect.Struct {
			c.compare(x, y, key)
			continue
		}
		if reflect.DeepEqual(x.Interface(), y.Interface()) || x.Kind() == reflect.Slice && x.Len()+y.Len() == 0 {
			continue
		}
		c.Keys = append(c.Keys, key)
		if f.Tag.Get("reload") == "restart" {
			c.Restart = append(c.Restart, key)
		}
	}
}
