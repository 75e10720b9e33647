package web

import (
	"context"
	"hash/maphash"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/access"
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
	tell    func(kind, path string, data any) // nil: nobody is told of viewers
}

type audience struct {
	path string
	sent atomic.Uint64

	mu   sync.Mutex
	seen map[uint64]*presence
	next time.Time // when to look for those that left
}

// presence is one viewer's.
type presence struct {
	until time.Time // when it stops to count
	who   *VisitorInfo
}

// VisitorInfo is what is told of a viewer that comes or goes.
type VisitorInfo struct {
	IP        string    `json:"ip"`
	UserAgent string    `json:"userAgent,omitempty"`
	Since     time.Time `json:"since"`
	Viewers   int       `json:"viewers"` // of the stream, now
}

func viewerOf(c access.Client, r *http.Request) func() *VisitorInfo {
	return func() *VisitorInfo { return &VisitorInfo{IP: c.Addr.String(), UserAgent: r.UserAgent()} }
}

func newAudiences(tell func(kind, path string, data any)) *audiences {
	return &audiences{seed: maphash.MakeSeed(), now: time.Now, streams: map[string]*audience{}, tell: tell}
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

// see counts a viewer of a stream. who is called where somebody wants to
// know.
func (a *audiences) see(one *audience, key uint64, target time.Duration, who func() *VisitorInfo) {
	now := a.now()
	one.mu.Lock()
	defer one.mu.Unlock()
	if now.After(one.next) {
		a.sweep(one, now)
		one.next = now.Add(max(target, time.Second))
	}
	until := now.Add(3 * max(target, time.Second))
	if p := one.seen[key]; p != nil {
		p.until = until
		return
	}
	if len(one.seen) >= maxViewers {
		return
	}
	p := &presence{until: until}
	one.seen[key] = p
	if a.tell != nil {
		p.who = who()
		p.who.Since = now
		a.told("viewer:join", one, p)
	}
}

// told makes a viewer known. one.mu is held.
func (a *audiences) told(kind string, one *audience, p *presence) {
	who := *p.who
	who.Viewers = len(one.seen)
	a.tell(kind, one.path, who)
}

// of is the audience of a stream that exists; made says that it is new.
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
		one, made = &audience{path: path, seen: map[uint64]*presence{}}, true
		a.streams[path] = one
	}
	return one, made
}

// sweep forgets who left; one.mu is held.
func (a *audiences) sweep(one *audience, now time.Time) {
	for key, p := range one.seen {
		if !now.After(p.until) {
			continue
		}
		delete(one.seen, key)
		if a.tell != nil {
			a.told("viewer:leave", one, p)
		}
	}
}

// watch looks for viewers who left each second, for those who want to be told,
// until ctx ends.
func (a *audiences) watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		a.mu.RLock()
		all := slices.Collect(maps.Values(a.streams))
		a.mu.RUnlock()
		for _, one := range all {
			one.mu.Lock()
			a.sweep(one, a.now())
			one.mu.Unlock()
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
	a.sweep(one, a.now())
	return len(one.seen), one.sent.Load()
}

// keep forgets every stream but these.
func (a *audiences) keep(paths map[string]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for path, one := range a.streams {
		if paths[path] {
			continue
		}
		delete(a.streams, path)
		one.mu.Lock()
		a.sweep(one, a.now().Add(time.Hour)) // nobody watches it any more
		one.mu.Unlock()
	}
}
