package media

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Clock is the time of a Source that a whole runtime goes by, so that a
// script's timers fire at the same packets in every run. It stands still while
// anything is at work; then it goes on to what comes next, a timer or a packet,
// and waits until that has been seen to.
type Clock struct {
	m *Module

	mu      sync.Mutex
	now     time.Duration
	waiting []*appointment
	origin  map[*feed]time.Duration // of each source: DTS of its first packet
	poked   chan struct{}
}

// appointment is a source that waits for its next packet's time.
type appointment struct {
	at time.Duration
	ch chan struct{}
}

// NewClock makes a Clock for one runtime.
func NewClock() *Clock {
	return &Clock{origin: map[*feed]time.Duration{}, poked: make(chan struct{}, 1)}
}

// seed makes chance the same in every run.
const seed = 1

func (c *Clock) attach(m *Module) {
	c.m = m
	m.l.SetClock(c)
	m.rt.SetRandSource(rand.New(rand.NewPCG(seed, seed)).Float64)
	m.busy.changed = c.poke
}

// Now is the time of the newest packet, or timer.
func (c *Clock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *Clock) poke() {
	select {
	case c.poked <- struct{}{}:
	default:
	}
}

// due returns when it is time for a packet, on its source's goroutine. The
// packet arrives then.
func (c *Clock) due(ctx context.Context, f *feed, p *media.Packet) (*media.Packet, error) {
	at := media.Duration(p.DTS, p.Track.ClockRate)
	c.mu.Lock()
	first, known := c.origin[f]
	if !known {
		first = at - c.now
		c.origin[f] = first
	}
	a := &appointment{at: max(at-first, c.now), ch: make(chan struct{})}
	c.waiting = append(c.waiting, a)
	c.mu.Unlock()
	c.poke()
	select {
	case <-a.ch:
		arrived := *p
		arrived.Arrival = a.at
		return &arrived, nil
	case <-ctx.Done():
		c.mu.Lock()
		c.waiting = slices.DeleteFunc(c.waiting, func(o *appointment) bool { return o == a })
		c.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// standstill is how long time stands still for what is under way outside of the
// media path: a file being written, an answer from the network. A server that
// waits for somebody to call must not stop it for ever.
const standstill = 200 * time.Millisecond

// Wait implements loop.Clock.
func (c *Clock) Wait(at time.Duration, due bool, others int, wake <-chan struct{}) {
	if c.m.alive != nil {
		others-- // the media path's own
	}
	var given <-chan time.Time
	if others > 0 {
		t := time.NewTimer(standstill)
		defer t.Stop()
		given = t.C
	}
	for {
		quiet := others <= 0 && c.still()
		select {
		case <-wake:
			return
		default:
		}
		if quiet && c.advance(at, due) {
			return
		}
		select {
		case <-wake:
			return
		case <-c.poked:
		case <-given:
			others = 0
		}
	}
}

// still reports whether nothing happens of itself but sources that wait.
func (c *Clock) still() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.busy.n.Load() == int64(len(c.waiting))
}

// advance goes on to what comes next; true where that is the loop's timer.
func (c *Clock) advance(at time.Duration, due bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *appointment
	for _, a := range c.waiting {
		if next == nil || a.at < next.at {
			next = a
		}
	}
	if due && (next == nil || at <= next.at) {
		c.now = max(c.now, at)
		return true
	}
	if next != nil {
		c.now = max(c.now, next.at)
		c.waiting = slices.DeleteFunc(c.waiting, func(o *appointment) bool { return o == next })
		close(next.ch)
	}
	return false
}
