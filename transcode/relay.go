package transcode

import (
	"context"
	"log/slog"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// relay writes what a worker says into the parent's log, a bounded number of
// lines a second. One goroutine uses it.
type relay struct {
	logger  *slog.Logger
	pid     int
	second  time.Duration
	lines   int
	skipped int
}

const (
	maxLines = 20  // a second
	maxText  = 500 // bytes of a line
	maxAttrs = 16
)

func (r *relay) write(ctx context.Context, l *wire.Log) {
	if now := media.Now(); now-r.second >= time.Second {
		if r.skipped > 0 {
			r.logger.Warn("worker says too much", "pid", r.pid, "lines", r.skipped)
		}
		r.second, r.lines, r.skipped = now, 0, 0
	}
	if r.lines++; r.lines > maxLines {
		r.skipped++
		return
	}
	attrs := make([]slog.Attr, 0, len(l.Attrs)+1)
	attrs = append(attrs, slog.Int("pid", r.pid))
	for k, v := range l.Attrs {
		if len(attrs) > maxAttrs {
			break
		}
		attrs = append(attrs, slog.String(child.Clip(k, maxText), child.Clip(v, maxText)))
	}
	r.logger.LogAttrs(ctx, slog.Level(l.Level), child.Clip(l.Message, maxText), attrs...)
}
