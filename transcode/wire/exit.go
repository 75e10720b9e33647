package wire

// Descriptors a worker finds open; see the package comment.
const (
	SocketFD   = 3
	LifelineFD = 4
)

// Exit codes of a worker. A fault inside C code and a Go panic both end a Go
// process with status 2, so a worker never exits 2 by itself.
const (
	ExitDone        = 0
	ExitInternal    = 1 // ClassInternal
	ExitCrashed     = 2 // never by choice
	ExitUsage       = 3 // not started by a parent, bad Config, ClassProtocol
	ExitOrphan      = 4 // the lifeline ended
	ExitInput       = 5 // ClassInput
	ExitUnsupported = 6 // ClassUnsupported
	ExitMemory      = 7 // ClassMemory
	ExitScript      = 8 // ClassScript
)

// ExitCode is the code to leave with after an Error of class c.
func (c Class) ExitCode() int {
	switch c {
	case ClassInput:
		return ExitInput
	case ClassUnsupported:
		return ExitUnsupported
	case ClassMemory:
		return ExitMemory
	case ClassProtocol:
		return ExitUsage
	case ClassScript:
		return ExitScript
	case ClassInternal:
		return ExitInternal
	}
	return ExitInternal
}
