package worker

import (
	"io"
	"log/slog"
	"sync"

	"github.com/millrace/millrace/transcode/wire"
)

// outlet is where lines send what they make, and what there is to say.
type outlet interface {
	send(wire.Message) error
	log(level slog.Level, message string, attrs map[string]string)
}

// sender is the worker's end of the socket, for all goroutines.
type sender struct {
	mu    sync.Mutex
	w     *wire.Writer
	level slog.Level
}

func newSender(w io.Writer, level slog.Level) *sender {
	return &sender{w: wire.NewWriter(w), level: level}
}

// send writes one message. It is the one place where a lock is held over I/O:
// the lock is what keeps messages whole.
func (s *sender) send(m wire.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(m)
}

// log sends a line for the parent's log. A line that cannot be sent is lost:
// the next packet will meet the same error and end the worker.
func (s *sender) log(level slog.Level, message string, attrs map[string]string) {
	if level < s.level {
		return
	}
	_ = s.send(&wire.Log{Level: int(level), Message: message, Attrs: attrs})
}
