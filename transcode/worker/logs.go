package worker

import (
	"log/slog"
	"strconv"

	"github.com/millrace/millrace/transcode/libav"
)

// logs brings FFmpeg's lines to the parent. They come from FFmpeg's own
// threads, which must not wait for a socket: what does not fit is left out.
type logs struct {
	lines chan logLine
	done  chan struct{}
}

type logLine struct {
	level   libav.LogLevel
	text    string
	dropped int
}

func startLogs(s *sender) *logs {
	l := &logs{lines: make(chan logLine, 32), done: make(chan struct{})}
	// What is an error to FFmpeg, a broken packet for one, is an everyday
	// matter to a server: it is worth formatting only where one looks for it.
	least := libav.LogFatal
	if s.level <= slog.LevelDebug {
		least = libav.LogWarning
	}
	libav.SetLog(least, func(level libav.LogLevel, line string, dropped int) {
		select {
		case l.lines <- logLine{level, line, dropped}:
		default:
		}
	})
	go l.run(s)
	return l
}

func (l *logs) run(s *sender) {
	for {
		select {
		case line := <-l.lines:
			grade := slog.LevelDebug
			if line.level <= libav.LogFatal {
				grade = slog.LevelError
			}
			attrs := map[string]string{"from": "ffmpeg"}
			if line.dropped > 0 {
				attrs["suppressed"] = strconv.Itoa(line.dropped)
			}
			s.log(grade, line.text, attrs)
		case <-l.done:
			l.done <- struct{}{}
			return
		}
	}
}

// stop ends the goroutine; lines that come later go nowhere.
func (l *logs) stop() {
	libav.SetLog(libav.LogFatal, func(libav.LogLevel, string, int) {})
	l.done <- struct{}{}
	<-l.done
}
