package mpegts

import (
	"errors"

	"github.com/millrace/millrace/internal/media"
)

// framing is how the frames of one codec stand in a stream of bytes.
type framing interface {
	// size reads the header that b begins with and returns the size of the
	// frame with it: errShort where b is too short to tell, another error where
	// no frame begins.
	size(b []byte) (int, error)
	// frames returns what the frame holds, and the duration of each in ticks of
	// the track; it says to the track what is new of it. What it returns may
	// refer to b, which nobody will change.
	frames(b []byte, t *track) (list [][]byte, samples int64, err error)
}

// errShort says that more bytes are needed.
var errShort = errors.New("cut off")

// PTS and DTS: the rate of their clock, in Hz, and their width.
const (
	wireRate = 90000
	wireBits = 33
)

// audio takes frames out of PES packets. A frame may begin in one and end in
// the next: a packet's time is that of the first frame that begins in it.
type audio struct {
	t       *track
	framing framing

	rest  []byte // the beginning of a frame
	base  int64  // of what follows; valid while timed
	since int64  // what came behind it, in ticks of the track
	timed bool
}

// maxRest bounds what waits for the end of a frame, in bytes.
const maxRest = 64 << 10

func (a *audio) unit(u unit) {
	if u.damaged {
		a.rest, a.timed = nil, false
		a.t.damaged()
		return
	}
	// One copy for all frames of it, which are kept by those who read them.
	begun := len(a.rest)
	data := append(a.rest[:begun:begun], u.data...)
	a.rest = nil
	faulty := false
	for at := 0; at < len(data); {
		if at >= begun && u.hasPTS {
			a.base, a.since, a.timed = u.pts, 0, true
			u.hasPTS = false
		}
		n, err := a.framing.size(data[at:])
		if err == nil && n > len(data)-at {
			err = errShort
		}
		switch {
		case errors.Is(err, errShort):
			if len(data)-at <= maxRest {
				a.rest = data[at:]
			}
			return
		case err != nil:
			if !faulty {
				a.t.fault(err)
				faulty = true
			}
			at++
			continue
		}
		a.frame(data[at : at+n : at+n])
		at += n
	}
}

// frame hands on what one frame holds.
func (a *audio) frame(b []byte) {
	list, samples, err := a.framing.frames(b, a.t)
	if err != nil {
		a.t.fault(err)
		return
	}
	for _, payload := range list {
		if !a.timed {
			return // what came before the first time
		}
		rate := a.t.track.ClockRate
		a.t.write(sample{pts: a.base + media.Rescale(a.since, rate, wireRate), duration: samples, key: true, payload: payload})
		a.since += samples
	}
}
