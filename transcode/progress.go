package transcode

import (
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// progress follows how far behind its source one worker is. Nothing is
// expected of a worker before the first cut of the discontinuity that its
// output begins at.
type progress struct {
	kinds map[string]media.Kind // of the coded renditions
	pause time.Duration         // between packets, up to which input still flows

	mu      sync.Mutex
	from    uint64
	armed   bool
	disc    uint64
	in      map[media.Kind]time.Duration // newest media time put in
	out     map[string]time.Duration     // newest media time put out
	lastIn  time.Duration
	lastOut time.Duration
	active  time.Duration // how long input has been flowing since lastOut
	outputs uint64
}

func newProgress(kinds map[string]media.Kind, pause time.Duration) *progress {
	p := &progress{kinds: kinds, pause: pause}
	p.reset(0, 0)
	return p
}

// reset begins with a new worker, whose output begins at from.
func (p *progress) reset(from uint64, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.armed, p.disc, p.outputs = from, false, 0, 0
	p.in, p.out = make(map[media.Kind]time.Duration), make(map[string]time.Duration)
	p.lastIn, p.lastOut, p.active = now, now, 0
}

// cut takes note of a cut that the worker will be told.
func (p *progress) cut(c *wire.Cut, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Discontinuity < p.from || p.armed && c.Discontinuity == p.disc {
		return
	}
	// What comes begins here, maybe long after what came.
	p.armed, p.disc = true, c.Discontinuity
	at := media.Duration(c.PTS, c.ClockRate)
	for name := range p.kinds {
		p.out[name] = max(p.out[name], at)
	}
	p.lastOut, p.active = now, 0
}

// wrote takes note of a packet on its way to the worker.
func (p *progress) wrote(pk media.Placed, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := pk.Track.Kind
	p.in[k] = max(p.in[k], media.Duration(pk.PTS, pk.Track.ClockRate))
	if d := now - p.lastIn; p.armed && d < p.pause {
		p.active += d
	}
	p.lastIn = now
}

// read takes note of a packet of the worker's.
func (p *progress) read(rendition string, pk media.Placed, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out[rendition] = max(p.out[rendition], media.Duration(pk.PTS, pk.Track.ClockRate))
	p.lastOut, p.active = now, 0
	p.outputs++
}

// lag is how far the slowest video rendition is behind its source; those that
// are off do not count.
func (p *progress) lag(off []string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed {
		return 0
	}
	worst := time.Duration(0)
next:
	for name, kind := range p.kinds {
		for _, o := range off {
			if o == name {
				continue next
			}
		}
		if kind == media.Video {
			worst = max(worst, p.in[kind]-p.out[name])
		}
	}
	return worst
}

// newest is the newest media time put in, of any kind.
func (p *progress) newest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.in[media.Video], p.in[media.Audio])
}

// silence is how long nothing has come out, and for how long of that input
// was flowing in.
func (p *progress) silence(now time.Duration) (quiet, fed time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now - p.lastOut, p.active
}

// fruitful reports whether anything came out at all.
func (p *progress) fruitful() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outputs > 0
}
