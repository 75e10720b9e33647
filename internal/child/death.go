package child

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Outcome is how a child ended.
type Outcome string

// The outcomes.
const (
	Finished    Outcome = "finished"    // it was done, or was asked to leave
	Refused     Outcome = "refused"     // what it was given is broken or cannot be opened
	Unsupported Outcome = "unsupported" // something that it lacks was asked for
	OutOfMemory Outcome = "memory"      // an allocation failed, or it grew over its ceiling
	Crashed     Outcome = "crashed"     // a fault in C, a panic, or a fatal signal
	Killed      Outcome = "killed"      // by someone else: an operator, or the system
	Silent      Outcome = "silent"      // it was killed because nothing came out of it
	Broke       Outcome = "broke"       // it was killed because it broke the protocol
	NeverReady  Outcome = "never ready" // it was killed because it did not say hello in time
	Closed      Outcome = "closed"      // it was killed because it did not leave when asked
	Threw       Outcome = "threw"       // the user's script that it ran failed
	Overloaded  Outcome = "overloaded"  // it was killed because the machine has no room for what it was to do
)

// Death tells how and why a child ended.
type Death struct {
	Outcome Outcome
	PID     int
	Reason  string // one line
	Printed string // what it printed, where that may help; several lines
}

func (d *Death) Error() string {
	text := fmt.Sprintf("worker %d %s", d.PID, d.Outcome)
	if d.Outcome == Killed || d.Outcome == Silent || d.Outcome == Broke || d.Outcome == NeverReady || d.Outcome == Closed || d.Outcome == Overloaded {
		text = fmt.Sprintf("worker %d was killed", d.PID)
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

// Sentence is why a child ends: the parent's, who kills it, or its own word.
type Sentence struct {
	Outcome Outcome
	Reason  string
}

func (s *Sentence) Error() string { return s.Reason }

// classify makes a Death of what is known of one: why the parent killed it (nil
// if it did not), what the child said of itself (nil if nothing), its
// wait status and what that means, and what it printed.
func classify(pid int, cause error, said *Sentence, state *os.ProcessState,
	meaning func(int) (Outcome, string), printed string,
) *Death {
	d := &Death{PID: pid, Printed: printed}
	var by *Sentence
	if errors.As(cause, &by) {
		d.Outcome, d.Reason = by.Outcome, by.Reason
		return d
	}
	if said != nil {
		d.Outcome, d.Reason = said.Outcome, said.Reason
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
		if meaning == nil {
			meaning = plainly
		}
		d.Outcome, d.Reason = meaning(status.ExitStatus())
		if line := headline(printed); line != "" && d.Outcome != Finished {
			d.Reason += ": " + line
		}
	}
	return d
}

// plainly is what an exit status means of which nothing is agreed.
func plainly(code int) (Outcome, string) {
	if code == 0 {
		return Finished, ""
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
				return Clip(line, 200)
			}
		}
	}
	return Clip(first, 200)
}

// Clip cuts s to most bytes, and shows that it did.
func Clip(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
