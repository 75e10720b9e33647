package transcode

import (
	"fmt"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/transcode/wire"
)

// Outcome is how a worker process ended.
type Outcome = child.Outcome

// The outcomes; see child.Outcome.
const (
	Finished    = child.Finished
	Refused     = child.Refused // the media is broken or cannot be opened
	Unsupported = child.Unsupported
	OutOfMemory = child.OutOfMemory
	Crashed     = child.Crashed
	Killed      = child.Killed
	Silent      = child.Silent
	Broke       = child.Broke
	NeverReady  = child.NeverReady
	Closed      = child.Closed
	Threw       = child.Threw
	Overloaded  = child.Overloaded
)

// Death tells how and why a worker process ended.
type Death = child.Death

func ofClass(c wire.Class) Outcome {
	switch c {
	case wire.ClassInput:
		return Refused
	case wire.ClassUnsupported:
		return Unsupported
	case wire.ClassMemory:
		return OutOfMemory
	case wire.ClassProtocol:
		return Broke
	case wire.ClassScript:
		return Threw
	case wire.ClassInternal:
	}
	return Crashed
}

func ofExit(code int) (Outcome, string) {
	switch code {
	case wire.ExitDone:
		return Finished, ""
	case wire.ExitCrashed:
		// Go ends with 2 after a panic and after a fault inside C.
		return Crashed, "exit status 2"
	case wire.ExitInput:
		return Refused, "the input was refused"
	case wire.ExitUnsupported:
		return Unsupported, "something the libraries do not have was asked for"
	case wire.ExitMemory:
		return OutOfMemory, "an allocation failed"
	case wire.ExitScript:
		return Threw, "the script failed"
	case wire.ExitOrphan:
		return Killed, "it lost its parent"
	}
	return Crashed, fmt.Sprintf("exit status %d", code)
}
