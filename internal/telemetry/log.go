package telemetry

import (
	"io"
	"log/slog"
	"runtime/debug"
	"time"
)

// Format is how log lines look.
type Format string

// The formats of a log.
const (
	Text Format = "text"
	JSON Format = "json"
)

// LogOptions describe a log.
type LogOptions struct {
	Format   Format     // Text when empty
	Level    slog.Level // the least that is written
	Terminal bool       // a person reads along: Text gets short times and colours
}

// NewLogger returns a logger that writes one line a record to w, one Write a
// line. It may be used from any goroutine.
func NewLogger(w io.Writer, o LogOptions) *slog.Logger {
	options := &slog.HandlerOptions{Level: o.Level}
	switch {
	case o.Format == JSON:
		return slog.New(slog.NewJSONHandler(w, options))
	case o.Terminal:
		return slog.New(newTerminal(w, o.Level))
	}
	options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			a.Value = slog.StringValue(a.Value.Time().Format("2006-01-02T15:04:05.000Z07:00"))
		}
		if a.Value.Kind() == slog.KindDuration {
			a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
		}
		return a
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Version is what the program was built from: the module's version, or else
// the commit, marked when files were changed since.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = "+changes"
			}
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	if len(revision) > 12 {
		revision = revision[:12]
	}
	if revision == "" {
		return "unknown"
	}
	return revision + modified
}
