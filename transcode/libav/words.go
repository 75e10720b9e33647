package libav

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// words is what FFmpeg says about something that is being tried, for the error
// that comes of it: a code alone tells little. It holds the goroutine on its
// thread until stop.
type words struct{ buffer *C.char }

// mostWords is how many bytes are listened to.
const mostWords = 2048

func listen() *words {
	runtime.LockOSThread()
	w := &words{buffer: (*C.char)(C.malloc(mostWords))}
	C.millraceListen(w.buffer, mostWords)
	return w
}

// stop returns what was said, in one line.
func (w *words) stop() string {
	C.millraceListen(nil, 0)
	said := C.GoString(w.buffer)
	C.free(unsafe.Pointer(w.buffer))
	runtime.UnlockOSThread()
	var lines []string
	for line := range strings.Lines(said) {
		if line = strings.TrimRight(strings.TrimSpace(line), "."); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
