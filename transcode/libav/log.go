package libav

import (
	"strings"
	"sync/atomic"
)

// LogLevel is FFmpeg's: smaller is graver.
type LogLevel int

// The levels that matter here.
const (
	LogFatal   LogLevel = 8
	LogError   LogLevel = 16
	LogWarning LogLevel = 24
	LogInfo    LogLevel = 32
	LogDebug   LogLevel = 48
)

var logHandler atomic.Pointer[func(LogLevel, string, int)]

// SetLog routes what FFmpeg and its libraries say, up to level, to handle;
// more than 20 lines a second are left out and their number comes with the
// next line as dropped. handle is called from any thread, more than one at a
// time, and must return soon. The setting is the process's; until it is made
// FFmpeg writes to standard error.
func SetLog(level LogLevel, handle func(level LogLevel, line string, dropped int)) {
	trimmed := func(l LogLevel, line string, dropped int) {
		if line = strings.TrimSpace(line); line != "" {
			handle(l, line, dropped)
		}
	}
	logHandler.Store(&trimmed)
	startLog(level)
}
