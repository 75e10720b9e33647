package media

import (
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// object is what flows between stages: a packet, a frame, or a run of bytes
// that a muxer made.
type object struct {
	packet *media.Packet
	frame  transcode.Frame
	bytes  []byte

	track   *media.Track // of a frame: what it was decoded from
	epoch   uint32       // of a frame; of a packet it is the packet's
	arrival time.Duration
	force   bool // a frame that has to become a keyframe

	place *place // of a packet that a ladder made

	input int  // which of its stage's inputs it came by
	ended bool // nothing more comes by that input; nothing else is set
}

// trackOf is the track that an object belongs to; nil of bytes.
func (o *object) trackOf() *media.Track {
	if o.packet != nil {
		return o.packet.Track
	}
	return o.track
}

// size is the memory that an object takes.
func (o *object) size() int64 {
	switch {
	case o.packet != nil:
		return int64(len(o.packet.Payload))
	case o.frame != nil:
		return o.frame.Bytes()
	}
	return int64(len(o.bytes))
}

// at is when an object is due: a packet's DTS, a frame's PTS.
func (o *object) at() (time.Duration, bool) {
	if o.packet != nil {
		return media.Duration(o.packet.DTS, o.packet.Track.ClockRate), true
	}
	if o.frame != nil {
		if pts, ok := o.frame.PTS(); ok && o.frame.ClockRate() > 0 {
			return media.Duration(pts, o.frame.ClockRate()), true
		}
	}
	return 0, false
}

// clone shares an object's memory with another one.
func (o *object) clone() (object, error) {
	c := *o
	if o.frame == nil {
		return c, nil
	}
	f, err := o.frame.Clone()
	c.frame = f
	return c, err
}

// close gives up an object that nobody took.
func (o *object) close() {
	if o.frame != nil {
		o.frame.Close()
		o.frame = nil
	}
}

// what names an object in errors.
func (o *object) what() string {
	switch {
	case o.packet != nil:
		return "a packet of " + o.packet.Track.String()
	case o.frame != nil:
		return "a frame of " + o.frame.Kind().String()
	case o.bytes != nil:
		return "bytes"
	}
	return "nothing"
}
