package pipeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// seen knows what viewers have of a stream that is taken over in the middle:
// that primes decoders, and is not put out again. The zero value is a stream
// of which nobody has anything.
type seen struct {
	until time.Duration // media time

	begun bool
	first time.Duration // media time of the first packet
	done  bool
}

// patience is how much media is let pass in wait for the time at which the
// rest begins: a source may have begun to count again.
const patience = 15 * time.Second

// covers reports whether viewers have p. Once they have not, they never have.
func (s *seen) covers(p *media.Packet) bool {
	if s.done || s.until == 0 {
		return false
	}
	at := media.Duration(p.PTS, p.Track.ClockRate)
	if !s.begun {
		s.begun, s.first = true, at
	}
	if at < s.until && at-s.first < patience {
		return true
	}
	s.done = p.Track.Kind == media.Video // sound may be behind
	return false
}
