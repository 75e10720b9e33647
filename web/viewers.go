package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// maxViewers bounds what one stream's audience may cost in memory; beyond it
// the count stands still. An entry takes about 50 bytes.
const maxViewers = 1 << 17

// audiences counts the viewers of each stream: one token, else one address and
// user agent, seen within three target durations. HLS has no sessions, so
// this is what a viewer leaves.
type audiences struct {
	seed    maphash.Seed
	now     func() time.Time
	mu      sync.RWMutex
	streams map[string]*audience
}

type audience struct {
	sent atomic.Uint64

	mu   sync.Mutex
	seen map[uint64]time.Time // until when each counts
	next time.Time            // when to look for those that left
}

func newAudiences() *audiences {
	return &audiences{seed: maphash.MakeSeed(), now: time.Now, streams: map[string]*audience{}}
}

// key makes one number of what tells viewers apart; nothing of it is kept.
func (a *audiences) key(token string, addr netip.Addr, userAgent string) uint64 {
	var h maphash.Hash
	h.SetSeed(a.seed)
	if token != "" {
		_ = h.WriteByte('t') // a maphash takes everything
		_, _ = h.WriteString(token)
	} else {
		b := addr.As16()
		_, _ = h.Write(b[:])
		_, _ = h.WriteString(userAgent)
	}
	return h.Sum64()
}

// see counts a viewer of a stream that exists, and returns where its bytes are
// counted, and whether it is the stream's first.
func (a *audiences) see(path string, key uint64, target time.Duration) (one *audience, first bool) {
	now := a.now()
	one, first = a.of(path)
	one.mu.Lock()
	defer one.mu.Unlock()
	if now.After(one.next) {
		one.sweep(now)
		one.next = now.Add(max(target, time.Second))
	}
	if _, known := one.seen[key]; known || len(one.seen) < maxViewers {
		one.seen[key] = now.Add(3 * max(target, time.Second))
	}
	return one, first
}

func (a *audiences) of(path string) (one *audience, made bool) {
	a.mu.RLock()
	one = a.streams[path]
	a.mu.RUnlock()
	if one != nil {
		return one, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if one = a.streams[path]; one == nil {
		one, made = &audience{seen: map[uint64]time.Time{}}, true
		a.streams[path] = one
	}
	return one, made
}

// sweep forgets who left; the caller holds mu.
func (one *audience) sweep(now time.Time) {
	for key, until := range one.seen {
		if now.After(until) {
			delete(one.seen, key)
		}
	}
}

// figures are the viewers of a stream and the bytes sent to them.
func (a *audiences) figures(path string) (viewers int, sent uint64) {
	a.mu.RLock()
	one := a.streams[path]
	a.mu.RUnlock()
	if one == nil {
		return 0, 0
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.sweep(a.now())
	return len(one.seen), one.sent.Load()
}

// keep forgets every stream but these.
func (a *audiences) keep(paths map[string]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for path := range a.streams {
		if !paths[path] {
			delete(a.streams, path)
		}
	}
}
