package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// terminal writes log lines for a person:
//
//	15:04:05.000 INFO  stream is live  path=cam/front publisher=192.0.2.7
//
// Times are local, levels are coloured, keys are dim.
type terminal struct {
	mu     *sync.Mutex // shared by all handlers of one log
	w      io.Writer
	level  slog.Level
	prefix string // of keys: the open groups, each with its dot
	attrs  string // those of With, written already
}

// The few colours; every terminal that Go programs meet knows them.
const (
	reset  = "\x1b[0m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
)

func newTerminal(w io.Writer, level slog.Level) *terminal {
	return &terminal{mu: new(sync.Mutex), w: w, level: level}
}

func (t *terminal) Enabled(_ context.Context, l slog.Level) bool { return l >= t.level }

func (t *terminal) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(dim + r.Time.Local().Format("15:04:05.000") + reset + " ")
	}
	b.WriteString(level(r.Level) + " " + clean(r.Message))
	if t.attrs != "" || r.NumAttrs() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(t.attrs)
	r.Attrs(func(a slog.Attr) bool {
		write(&b, t.prefix, a)
		return true
	})
	b.WriteByte('\n')
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (t *terminal) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(t.attrs)
	for _, a := range attrs {
		write(&b, t.prefix, a)
	}
	o := *t
	o.attrs = b.String()
	return &o
}

func (t *terminal) WithGroup(name string) slog.Handler {
	if name == "" {
		return t
	}
	o := *t
	o.prefix += name + "."
	return &o
}

func level(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return red + "ERROR" + reset
	case l >= slog.LevelWarn:
		return yellow + "WARN " + reset
	case l >= slog.LevelInfo:
		return green + "INFO " + reset
	}
	return dim + "DEBUG" + reset
}

// write adds " key=value" for an attribute, or for each of a group.
func write(b *strings.Builder, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inner := range v.Group() {
			write(b, prefix, inner)
		}
		return
	}
	if a.Key == "" {
		return
	}
	b.WriteString(" " + dim + clean(prefix+a.Key) + "=" + reset + value(v))
}

func value(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Local().Format("15:04:05.000")
	case slog.KindDuration:
		return v.Duration().Round(time.Microsecond).String()
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return quote(err.Error())
		}
		return quote(fmt.Sprint(v.Any()))
	}
	return quote(v.String())
}

// quote puts quotes where a value would not read as one word, or holds what
// could move the cursor: log lines repeat what strangers send.
func quote(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '"' || r == '=' || !unicode.IsPrint(r)
	}) {
		return strconv.Quote(s)
	}
	return s
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == ' ' {
			return r
		}
		return '·'
	}, s)
}
