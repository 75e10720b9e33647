package pipeline

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// SenderClock is a publisher's clock as a script's process knows it: one date
// for all tracks, since they share the stream's timeline. Its methods may be
// called from any goroutine.
type SenderClock struct {
	zero atomic.Int64 // Unix ns of media time zero, 0 unknown
	anew atomic.Bool  // the next epoch is another publisher's
}

// Tell takes what wire.SenderClock says.
func (c *SenderClock) Tell(zero int64, anew bool) {
	c.zero.Store(zero)
	if anew {
		c.anew.Store(true)
	}
}

// of is the clock as the Cutter follows it. What comes of a script has the times
// of its source, unless the script gave it others: then its date is that of
// what the source sent at that time.
func (c *SenderClock) of() func(*media.Packet) (time.Time, bool) {
	if c == nil {
		return nil
	}
	return func(p *media.Packet) (time.Time, bool) {
		zero := c.zero.Load()
		return time.Unix(0, zero).Add(media.Duration(p.PTS, p.Track.ClockRate)), zero != 0
	}
}

// another reports, once, that another publisher's epoch begins.
func (c *SenderClock) another() bool { return c != nil && c.anew.Swap(false) }

// clockFeed tells an actor's worker the publisher's clock as it changes.
type clockFeed struct {
	p   *Pipeline
	run interface {
		SenderClock(zero int64, anew bool) error
	}
	lead  *media.Track
	wall  func(*media.Packet) (time.Time, bool)
	pub   *ingest.Publisher
	epoch uint32
	zero  int64 // as it was told last
}

// drift is how much a sender's clock may move before the worker is told.
const drift = 500 * time.Microsecond

// before tells what there is to know before p is written. It waits for the
// first report of another publisher.
func (c *clockFeed) before(ctx context.Context, p *media.Packet) {
	if c.wall == nil || p.Track.ID != c.lead.ID {
		return
	}
	anew := false
	if pub := c.p.stream.Publisher(); pub != nil && pub != c.pub && (c.pub == nil || p.Epoch != c.epoch) {
		anew, c.pub = true, pub
		c.p.awaitReport(ctx, pub, c.lead)
	}
	c.epoch = p.Epoch
	zero := int64(0)
	if wall, ok := c.wall(p); ok {
		zero = wall.UnixNano() - int64(media.Duration(p.PTS, p.Track.ClockRate))
	}
	if d := time.Duration(zero - c.zero); !anew && d.Abs() < drift {
		return
	}
	c.zero = zero
	if err := c.run.SenderClock(zero, anew); err != nil {
		c.p.log.Debug("tell the script its sender's clock", "err", err) // its death tells why
	}
}
