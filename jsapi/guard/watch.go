package guard

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

const (
	tick = 20 * time.Millisecond
	// grace is how long after an interrupt a native function may still run.
	grace = 500 * time.Millisecond
	// worth is how long a turn lasts before it is worth to know where it is.
	worth = 100 * time.Millisecond
)

// watcher is what the watchdog remembers.
type watcher struct {
	*Guard
	turn    time.Duration // when the turn began that is judged
	allowed time.Duration // how long it may last
	stopped time.Time     // when the script was interrupted
	why     error
	sampled time.Time
	samples []metrics.Sample

	above bool   // the heap is above its ceiling
	since uint64 // collections that had ended when it came to be
}

// watch is the watchdog's goroutine.
func (g *Guard) watch() {
	if limit := g.o.Limits.Heap; limit > 0 && g.o.Exit != nil {
		// The process is the script's: collect before the ceiling is met.
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	w := &watcher{Guard: g, samples: slices.Clone(measured)}
	for {
		select {
		case <-g.loop.Context().Done():
			return
		case now := <-t.C:
			w.look(now)
		}
	}
}

func (w *watcher) look(now time.Time) {
	began, lasted, busy := w.loop.Busy()
	m := w.measure()
	w.lookAtHeap(now, m)
	if busy {
		w.lookAtTurn(now, began, lasted)
	}
	if !w.stopped.IsZero() {
		if busy && now.Sub(w.stopped) > grace {
			w.end(w.why)
		}
		return
	}
	ceiling := w.o.Limits.Heap
	if now.Sub(w.sampled) >= sampleRate && (busy && lasted >= worth || ceiling > 0 && m.held > ceiling/2) {
		w.sampled = now
		w.sample()
	}
}

func (w *watcher) lookAtTurn(now time.Time, began, lasted time.Duration) {
	limit := w.o.Limits.Turn
	if limit <= 0 || !w.stopped.IsZero() {
		return
	}
	if began != w.turn {
		w.turn, w.allowed = began, limit
	}
	if lasted < w.allowed {
		return
	}
	if w.o.Limits.Waits && w.waits() {
		w.allowed = lasted + limit/4
		return
	}
	w.stop(now, &Exceeded{Code: Timeout, What: fmt.Sprintf(
		"the script worked for %v without coming back to its event loop, and was stopped", limit)})
}

// lookAtHeap tells garbage from what the script holds by a collection that
// has ended since the ceiling was passed. Where the heap grows faster than one
// takes, it does not wait for it.
func (w *watcher) lookAtHeap(now time.Time, m memory) {
	ceiling := w.o.Limits.Heap
	if ceiling <= 0 || m.held <= ceiling {
		w.above = false
		return
	}
	if !w.above {
		w.above, w.since = true, m.cycles
		go runtime.GC()
		if m.held <= 2*ceiling {
			return
		}
	}
	if m.held > 2*ceiling || m.cycles > w.since && m.live > ceiling {
		w.stop(now, &Exceeded{Code: Memory, What: fmt.Sprintf(
			"the script holds more than %s of memory, and was stopped", bytes(ceiling))})
	}
	if m.held > 4*ceiling {
		w.end(w.why) // a native function at work, too fast to wait for its return
	}
}

// stop interrupts the script.
func (w *watcher) stop(now time.Time, why error) {
	if w.stopped.IsZero() {
		w.stopped, w.why = now, why
		w.loop.Interrupt(why)
	}
}

// end ends the process, with what is known about where the script is.
func (w *watcher) end(why error) {
	if w.o.Exit == nil {
		return
	}
	if !w.sample() {
		w.stuck()
	}
	if e, ok := why.(*Exceeded); ok { //nolint:errorlint // ours, unwrapped
		e.Where, _ = w.Last()
	}
	w.o.Exit(why)
}

// memory is what the process has of Go's.
type memory struct {
	held   int64  // objects and stacks, garbage included
	live   int64  // what the last collection left
	cycles uint64 // collections ended
}

var measured = []metrics.Sample{
	{Name: "/memory/classes/heap/objects:bytes"},
	{Name: "/memory/classes/heap/stacks:bytes"},
	{Name: "/gc/heap/live:bytes"},
	{Name: "/gc/cycles/total:gc-cycles"},
}

func (w *watcher) measure() memory {
	metrics.Read(w.samples)
	return memory{
		held:   int64(w.samples[0].Value.Uint64() + w.samples[1].Value.Uint64()),
		live:   int64(w.samples[2].Value.Uint64()),
		cycles: w.samples[3].Value.Uint64(),
	}
}

const largestDump = 16 << 20

// waits tells whether the loop's goroutine waits for something outside (a
// file, a pipe) in a function that the script called. It is asked once a limit
// is met, since it looks at every goroutine.
func (g *Guard) waits() bool {
	dump := make([]byte, 64<<10)
	for {
		n := runtime.Stack(dump, true)
		if n < len(dump) || len(dump) >= largestDump {
			dump = dump[:n]
			break
		}
		dump = make([]byte, 4*len(dump))
	}
	run := fmt.Sprintf("jsapi/loop.(*Loop).Run(%p", g.loop)
	for goroutine := range strings.SplitSeq(string(dump), "\n\n") {
		if strings.Contains(goroutine, run) {
			header, _, _ := strings.Cut(goroutine, "\n")
			_, state, _ := strings.Cut(header, "[")
			return !strings.HasPrefix(state, "run") // running, runnable
		}
	}
	return false
}
