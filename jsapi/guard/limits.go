package guard

import (
	"errors"
	"fmt"
	"time"
)

// Limits are the bounds of one script. A zero field sets none. Beside them
// there is MatchTime, which always holds.
type Limits struct {
	// Turn is how long the script may work without coming back to its event
	// loop.
	Turn time.Duration
	// Waits excuses a turn that waits in a synchronous function, for standard
	// input say, from Turn.
	Waits bool
	// Heap is how many bytes of Go's heap the process may hold, garbage not
	// counted.
	Heap int64
	// Alloc is how many bytes one string, buffer or array may take.
	Alloc int64
	// Length is how many elements a built-in function may walk.
	Length int64
	// Depth is how many calls may be open.
	Depth int
	// Timers is how many may be set at a time.
	Timers int
	// Output is how many bytes may be printed in a second; see Guard.Output.
	Output int64
}

// Strict are the limits of scripts that run in a server.
func Strict() Limits {
	return Limits{
		Turn: 1500 * time.Millisecond,
		Heap: 256 << 20, Alloc: 64 << 20, Length: 1 << 24,
		Depth: 10_000, Timers: 10_000, Output: 1 << 20,
	}
}

// Mild are the limits of a program of the user's own: what no program does on
// purpose.
func Mild() Limits {
	return Limits{
		Turn: 10 * time.Second, Waits: true,
		Heap: 2 << 30, Alloc: 512 << 20, Length: 1 << 27,
		Depth: 10_000, Timers: 1_000_000,
	}
}

// Exceeded is a limit that the script went beyond.
type Exceeded struct {
	Code  string // ERR_SCRIPT_TIMEOUT, ERR_SCRIPT_MEMORY, ERR_SCRIPT_OUTPUT
	What  string
	Where Position // where the script was, if this error knows; an interrupt's stack tells more
}

// Error says what the script did, and where where it is known.
func (e *Exceeded) Error() string {
	if e.Where.File == "" {
		return e.What
	}
	return fmt.Sprintf("%s (last seen at %s)", e.What, e.Where)
}

// The codes of Exceeded.
const (
	Timeout = "ERR_SCRIPT_TIMEOUT"
	Memory  = "ERR_SCRIPT_MEMORY"
	Flood   = "ERR_SCRIPT_OUTPUT"
)

// ErrFlood is what a write beyond the output limit fails with.
var ErrFlood = errors.New("the script has printed too much")

// bytes is an amount as people read it.
func bytes(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
