package guard

import (
	stdbytes "bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
	"github.com/google/pprof/profile"
)

// Position is a place in a script.
type Position struct {
	File     string
	Line     int
	Column   int // 0: not known
	Function string
}

// String is as stack traces have it.
func (p Position) String() string {
	s := fmt.Sprintf("%s:%d", p.File, p.Line)
	if p.Column > 0 {
		s = fmt.Sprintf("%s:%d", s, p.Column)
	}
	if p.Function != "" {
		return p.Function + " (" + s + ")"
	}
	return s
}

// users tells whether a file of a stack is the user's, not the engine's or one
// of the built-in modules.
func users(file string) bool {
	return file != "" && file != "<native>" && !strings.HasPrefix(file, "node:")
}

const (
	window     = 30 * time.Millisecond // the profiler takes a sample every 10 ms
	sampleRate = 500 * time.Millisecond
)

// sampling is held while the engine's profiler, of which a process has one, is
// at work.
var sampling sync.Mutex

// sample finds out where the runtime is while it runs, without stopping it, by
// the engine's profiler. It is false where no instruction ended meanwhile: the
// script does not run, or is inside a native function. Of several runtimes in
// a process it may see any.
func (g *Guard) sample() bool {
	sampling.Lock()
	defer sampling.Unlock()
	var out stdbytes.Buffer
	if err := goja.StartProfile(&out); err != nil {
		return false // somebody profiles the process
	}
	select {
	case <-time.After(window):
	case <-g.loop.Context().Done():
	}
	goja.StopProfile()
	p, err := profile.ParseData(out.Bytes())
	if err != nil || len(p.Sample) == 0 {
		return false
	}
	for i := len(p.Sample) - 1; i >= 0; i-- {
		if at, ok := innermost(p.Sample[i]); ok {
			g.see(at)
			if g.o.Sampled != nil {
				at, _ = g.Last()
				g.o.Sampled(at)
			}
			return true
		}
	}
	return true
}

// innermost is the innermost of the user's functions in a sample.
func innermost(s *profile.Sample) (Position, bool) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if f := line.Function; f != nil && users(f.Filename) {
				return Position{File: f.Filename, Line: int(line.Line), Function: named(f.Name)}, true
			}
		}
	}
	return Position{}, false
}

// named is a function's name without what the profiler adds to tell functions
// of one name apart.
func named(name string) string {
	if strings.HasPrefix(name, "<anonymous>") {
		return ""
	}
	base, number, ok := strings.Cut(name, ".")
	if ok && strings.Trim(number, "0123456789") == "" {
		return base
	}
	return name
}

// stuck is where the script called the native function that it does not come
// back from. The runtime belongs to another goroutine, so this is a last
// resort: the call stack stands still meanwhile, and the process is about to
// end either way.
func (g *Guard) stuck() {
	defer func() { _ = recover() }()
	for _, frame := range g.loop.Runtime().CaptureCallStack(0, nil) {
		if users(frame.SrcName()) {
			at := frame.Position()
			g.see(Position{File: at.Filename, Line: at.Line, Column: at.Column, Function: frame.FuncName()})
			return
		}
	}
}
