package media

import "sync/atomic"

// activity counts the goroutines of a runtime's stages that are not waiting
// for a queue. While there is one, something may still happen of itself: the
// loop stays alive, and a Clock stands still.
type activity struct {
	n    atomic.Int64
	idle func() // called when the last one waits, on its goroutine

	changed func() // called when one waits; may be nil
}

func (a *activity) add(n int64) {
	if a.n.Add(n) == 0 && a.idle != nil {
		a.idle()
	}
	if n < 0 && a.changed != nil {
		a.changed()
	}
}

func (a *activity) any() bool { return a.n.Load() > 0 }
