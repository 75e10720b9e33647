package libav

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// interleaver puts the packets of all tracks in one order, by DTS, and moves
// the whole timeline so that it starts at headStart. Containers interleave
// loosely; a track may also end early or have long pauses, so it waits for a
// track only as long as the others do not pile up.
type interleaver struct {
	queues  [][]*media.Packet
	waiting int
	bytes   int
	begun   bool
	epoch   uint32 // of the newest packet
	shift   time.Duration
}

// What may pile up for want of one track.
const (
	mostWaiting      = 1024
	mostWaitingBytes = 16 << 20
)

func newInterleaver(tracks int) *interleaver {
	return &interleaver{queues: make([][]*media.Packet, tracks)}
}

func (o *interleaver) add(track int, p *media.Packet) {
	o.queues[track] = append(o.queues[track], p)
	o.waiting++
	o.bytes += len(p.Payload)
}

// next returns the earliest packet, or nil while an earlier one may come. ended
// says that none will.
func (o *interleaver) next(ended bool) *media.Packet {
	full := ended || o.waiting >= mostWaiting || o.bytes >= mostWaitingBytes
	best := -1
	var earliest time.Duration
	var epoch uint32
	for i, q := range o.queues {
		if len(q) == 0 {
			if !full {
				return nil
			}
			continue
		}
		// What comes after a break comes after all that was before it.
		at := media.Duration(q[0].DTS, q[0].Track.ClockRate)
		if best < 0 || q[0].Epoch < epoch || q[0].Epoch == epoch && at < earliest {
			best, earliest, epoch = i, at, q[0].Epoch
		}
	}
	if best < 0 {
		return nil
	}
	if !o.begun {
		o.begun, o.shift = true, headStart-earliest
	}
	p := o.queues[best][0]
	// A straggler that was not waited for goes with the others.
	o.epoch = max(o.epoch, p.Epoch)
	p.Epoch = o.epoch
	o.queues[best][0] = nil
	o.queues[best] = o.queues[best][1:]
	o.waiting--
	o.bytes -= len(p.Payload)
	shift := media.Ticks(o.shift, p.Track.ClockRate)
	p.DTS, p.PTS = max(p.DTS+shift, 0), max(p.PTS+shift, 0)
	return p
}
