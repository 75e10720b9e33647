package guard

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/jsapi/loop"
)

// Options are what a guard works with.
type Options struct {
	Limits Limits
	// Exit ends the process where nothing less helps. Nil: such a script is
	// only interrupted, which takes effect when its native function returns.
	Exit func(error)
	// Sampled is told where a busy script is, at most twice a second, by a
	// goroutine of the guard's.
	Sampled func(Position)
	// Locate turns a position in compiled code into one in the user's files.
	Locate func(Position) Position
}

// Guard watches one loop. It ends with the loop.
type Guard struct {
	loop *loop.Loop
	o    Options

	last atomic.Pointer[Position]

	mu      sync.Mutex
	second  time.Time // of the bytes counted
	printed int64
}

// Install bounds what l runs. It is called before Run, on a runtime whose
// built-in functions nobody has replaced yet.
func Install(l *loop.Loop, o Options) (*Guard, error) {
	g := &Guard{loop: l, o: o}
	if d := o.Limits.Depth; d > 0 {
		l.Runtime().SetMaxCallStackSize(d)
	}
	l.MaxTimers = o.Limits.Timers
	if err := g.boundAllocations(); err != nil {
		return nil, fmt.Errorf("bound what scripts allocate: %w", err)
	}
	if err := g.boundRegexps(); err != nil {
		return nil, fmt.Errorf("bound regular expressions: %w", err)
	}
	go g.watch()
	return g, nil
}

// Last is where the script was last seen.
func (g *Guard) Last() (Position, bool) {
	if p := g.last.Load(); p != nil {
		return *p, true
	}
	return Position{}, false
}

func (g *Guard) see(p Position) {
	if g.o.Locate != nil {
		p = g.o.Locate(p)
	}
	if p.Function == filepath.Base(p.File) || p.Function == "<anonymous>" {
		p.Function = "" // that of the whole file, or one without a name
	}
	g.last.Store(&p)
}

// Output is w, held to the limit of bytes a second. Who goes beyond is
// interrupted, and the write fails.
func (g *Guard) Output(w io.Writer) io.Writer {
	if g.o.Limits.Output <= 0 || w == nil {
		return w
	}
	return &bounded{guard: g, w: w}
}

// bounded is a writer that counts. All of a guard's writers count together.
type bounded struct {
	guard *Guard
	w     io.Writer
}

// burst is how many seconds' output may come at once.
const burst = 4

func (b *bounded) Write(p []byte) (int, error) {
	if !b.guard.mayPrint(len(p)) {
		b.guard.loop.Interrupt(&Exceeded{Code: Flood, What: fmt.Sprintf(
			"the script printed more than %s in a second and was stopped", bytes(b.guard.o.Limits.Output))})
		return 0, ErrFlood
	}
	return b.w.Write(p)
}

// mayPrint lets output leak away at the limit, from a bucket of burst seconds.
func (g *Guard) mayPrint(n int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.second.IsZero() {
		g.printed = max(0, g.printed-int64(now.Sub(g.second).Seconds()*float64(g.o.Limits.Output)))
	}
	g.second = now
	if g.printed+int64(n) > burst*g.o.Limits.Output {
		return false
	}
	g.printed += int64(n)
	return true
}
