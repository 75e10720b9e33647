package pipeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// wallClock tells the date of a media time: the server's clock at arrival, or
// the sender's (see senderDate), disciplined by media time. Network jitter does
// not show in it, and it never steps once it is anchored; it only follows the
// sender's drift, slowly, and only when that has become worth it: players take
// positions from dates, and those have to agree with the durations.
type wallClock struct {
	pts    int64 // of the anchor, in ticks of rate
	rate   int
	date   time.Time
	seen   time.Duration // media time up to which arrivals were looked at
	error  time.Duration // smoothed difference between arrival and date
	follow bool          // until the error is small again
	last   time.Time     // newest date handed out, or reached
}

// anchor starts a new epoch. Dates never go back, so an epoch that would
// overlap the one before starts where that ended.
func (w *wallClock) anchor(pts int64, rate int, arrived time.Time) {
	if arrived.Before(w.last) {
		arrived = w.last
	}
	w.pts, w.rate, w.date, w.seen, w.error, w.follow = pts, rate, arrived, media.Duration(pts, rate), 0, false
}

// reach tells up to where there is media of the epoch in force.
func (w *wallClock) reach(pts int64, rate int) {
	if w.rate > 0 {
		w.at(pts, rate)
	}
}

// discipline lets the date follow the arrival of the frame at pts.
func (w *wallClock) discipline(pts int64, rate int, arrived time.Time) {
	passed := media.Duration(pts, rate) - w.seen
	w.seen += passed
	w.error += (arrived.Sub(w.at(pts, rate)) - w.error) / 16
	off := w.error.Abs()
	if off > wallLoose || off < wallTight {
		w.follow = off > wallLoose
	}
	if !w.follow {
		return
	}
	slew := passed / wallSlew
	if off > wallFar {
		slew = passed / wallFarSlew
	}
	step := max(-slew, min(slew, w.error))
	w.date = w.date.Add(step)
	w.error -= step
}

func (w *wallClock) at(pts int64, rate int) time.Time {
	date := w.date.Add(media.Duration(pts, rate) - media.Duration(w.pts, w.rate))
	if date.After(w.last) {
		w.last = date
	}
	return date
}

// senderDate puts a sender's clock in the place of the server's. Which of the
// two holds is decided where dates are anchored; the other one does not touch
// them after that.
type senderDate struct {
	wall  func(*media.Packet) (time.Time, bool) // nil: the server's clock holds
	holds bool
	ahead time.Duration // the sender's clock before the server's, when last known
	known bool
}

// date is that of a packet which arrived at a time by the server's clock. While
// the sender's reports are void, after its time broke, what it said last holds.
func (s *senderDate) date(p *media.Packet, arrived time.Time, anew bool) time.Time {
	if s.wall == nil {
		s.holds = false
		return arrived
	}
	if wall, ok := s.wall(p); ok {
		s.ahead, s.known = wall.Sub(arrived), true
	}
	if anew {
		s.holds = s.known
	}
	if s.holds {
		return arrived.Add(s.ahead)
	}
	return arrived
}
