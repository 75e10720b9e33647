package transcode

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/millrace/millrace/transcode/wire"
)

// Outcome is how a worker process ended.
type Outcome string

// The outcomes.
const (
	Finished    Outcome = "finished"    // it was done, or was asked to leave
	Refused     Outcome = "refused"     // the media is broken or cannot be opened
	Unsupported Outcome = "unsupported" // a codec, filter or option the libraries lack
	OutOfMemory Outcome = "memory"      // an allocation failed, or it grew over its ceiling
	Crashed     Outcome = "crashed"     // a fault in C, a panic, or a fatal signal
	Killed      Outcome = "killed"      // by someone else: an operator, or the system
	Silent      Outcome = "silent"      // it was killed because nothing came out of it
	Broke       Outcome = "broke"       // it was killed because it broke the protocol
	NeverReady  Outcome = "never ready" // it was killed because it did not say hello in time
	Closed      Outcome = "closed"      // it was killed because it did not leave when asked
)

// Death tells how and why a worker process ended.
type Death struct {
	Outcome Outcome
	PID     int
	Reason  string // one line
	Printed string // what it printed, where that may help; several lines
}

func (d *Death) Error() string {
	text := fmt.Sprintf("worker %d %s", d.PID, d.Outcome)
	if d.Outcome == Killed || d.Outcome == Silent || d.Outcome == Broke || d.Outcome == NeverReady || d.Outcome == Closed {
		text = fmt.Sprintf("worker %d was killed", d.PID)
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

// sentence is the cause with which the parent kills a worker.
type sentence struct {
	outcome Outcome
	reason  string
}

func (s *sentence) Error() string { return s.reason }

// classify makes a Death of what is known of one: why the parent killed it (nil
// if it did not), what the worker said of itself (nil if nothing), its
// wait status, and what it printed.
func classify(pid int, cause error, said *wire.Error, state *os.ProcessState, printed string) *Death {
	d := &Death{PID: pid, Printed: printed}
	var by *sentence
	if errors.As(cause, &by) {
		d.Outcome, d.Reason = by.outcome, by.reason
		return d
	}
	if said != nil {
		d.Outcome, d.Reason = ofClass(said.Class), said.Error()
		return d
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case !ok:
		d.Outcome, d.Reason = Killed, state.String()
	case status.Signaled():
		d.Outcome, d.Reason = Crashed, "signal: "+status.Signal().String()
		switch status.Signal() {
		case syscall.SIGKILL:
			d.Outcome, d.Reason = Killed, "signal: killed (by an operator, or by the system for want of memory)"
		case syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT:
			d.Outcome = Killed
		}
	default:
		d.Outcome, d.Reason = ofExit(status.ExitStatus())
		if line := headline(printed); line != "" && d.Outcome != Finished {
			d.Reason += ": " + line
		}
	}
	return d
}

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
	case wire.ExitOrphan:
		return Killed, "it lost its parent"
	}
	return Crashed, fmt.Sprintf("exit status %d", code)
}

// headline is the line of what a dying Go process printed that says most.
func headline(printed string) string {
	first := ""
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		if first == "" {
			first = line
		}
		for _, sign := range []string{"panic: ", "fatal error: ", "SIGSEGV", "SIGABRT", "SIGFPE", "SIGILL", "SIGBUS"} {
			if strings.HasPrefix(line, sign) {
				return clip(line, 200)
			}
		}
	}
	return clip(first, 200)
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
