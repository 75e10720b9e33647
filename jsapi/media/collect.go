package media

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/transcode"
)

// holding is memory that a script holds: charged against its budget, and
// freed when the script gives it up, or when the garbage collector finds that
// nothing of the script's leads to it. It must not lead back to the script's
// objects, or it would never be found.
type holding struct {
	held  *atomic.Int64
	size  int64
	frame transcode.Frame
}

// hold begins a holding, which owns the frame.
func (m *Module) hold(f transcode.Frame, size int64) (*holding, error) {
	if err := m.charge(size); err != nil {
		return nil, err
	}
	h := &holding{held: m.held, size: size, frame: f}
	runtime.SetFinalizer(h, (*holding).free)
	return h, nil
}

// free ends it; a second call does nothing.
func (h *holding) free() {
	if h.size < 0 {
		return
	}
	h.held.Add(-h.size)
	h.size = -1
	if h.frame != nil {
		h.frame.Close()
		h.frame = nil
	}
	runtime.SetFinalizer(h, nil)
}

// take ends it without closing the frame, which is the caller's now.
func (h *holding) take() transcode.Frame {
	f := h.frame
	h.frame = nil
	h.free()
	return f
}

// charge counts memory that a script holds.
func (m *Module) charge(n int64) error {
	if m.held.Add(n) <= m.opts.Budget {
		return nil
	}
	collect()
	if m.held.Load() <= m.opts.Budget {
		return nil
	}
	held := m.held.Add(-n)
	return &loop.Error{Code: codeBudget, Message: fmt.Sprintf(
		"the script holds %d MiB of frames and packets, and may hold %d: close() what is not needed, and retain() less",
		(held+n)>>20, m.opts.Budget>>20)}
}

// collect has the garbage collector find what scripts have dropped without a
// close, and waits for it to be freed.
func collect() {
	for range 2 { // what the first round frees may have held more
		done := make(chan struct{})
		marker := &struct{ p *int }{new(int)}
		runtime.SetFinalizer(marker, func(any) { close(done) })
		runtime.GC()
		select {
		case <-done: // finalizers run in one goroutine, one after the other
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}
