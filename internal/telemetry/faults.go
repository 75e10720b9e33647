package telemetry

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Faults reports trouble that comes by the packet: it counts each kind and
// logs one line a second while there is any.
//
//	WARN packets repaired  path=cam/front backwards=12 jump=1 example="…"
//
// Count may be called from any goroutine and only adds to a counter; the log
// is written from a timer.
type Faults struct {
	log     *slog.Logger
	message string

	mu      sync.Mutex
	counts  map[string]uint64
	example string
	timer   *time.Timer // set while a report is due
	closed  bool
	writing sync.WaitGroup
}

// maxKinds bounds a report whatever a caller makes kinds of.
const maxKinds = 16

// NewFaults returns a reporter; Close it.
func NewFaults(log *slog.Logger, message string) *Faults {
	return &Faults{log: log, message: message, counts: make(map[string]uint64)}
}

// Count adds a fault of a kind. err may be nil; the last one of a second is
// reported as an example.
func (f *Faults) Count(kind string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if _, known := f.counts[kind]; !known && len(f.counts) >= maxKinds {
		kind = "other"
	}
	f.counts[kind]++
	if err != nil {
		f.example = err.Error()
	}
	if f.timer == nil {
		f.writing.Add(1)
		f.timer = time.AfterFunc(time.Second, func() {
			defer f.writing.Done()
			f.report()
		})
	}
}

// Close reports what is left and waits until it is written.
func (f *Faults) Close() {
	f.mu.Lock()
	f.closed = true
	stopped := f.timer != nil && f.timer.Stop()
	f.mu.Unlock()
	if stopped {
		f.writing.Done()
		f.report()
	}
	f.writing.Wait()
}

func (f *Faults) report() {
	f.mu.Lock()
	counts, example := f.counts, f.example
	f.counts, f.example, f.timer = make(map[string]uint64), "", nil
	f.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	args := make([]any, 0, 2*len(counts)+2)
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		args = append(args, kind, counts[kind])
	}
	if example != "" {
		args = append(args, "example", example)
	}
	f.log.Warn(f.message, args...)
}
