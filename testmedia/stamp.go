package testmedia

import (
	"fmt"
	"time"
)

// MaxFrame is the largest frame number that the strip can carry; after it the
// number starts again at zero.
const MaxFrame = 1<<frameBits - 1

// Stamp is what a picture says about itself: its number, and the wall-clock
// time at which it was drawn, in whole milliseconds.
type Stamp struct {
	Frame uint32
	Wall  time.Time
}

// NewStamp returns the stamp as the strip will carry it: the frame number
// within MaxFrame, the time in UTC and truncated to milliseconds.
func NewStamp(frame uint64, wall time.Time) Stamp {
	return Stamp{Frame: uint32(frame % (MaxFrame + 1)), Wall: time.UnixMilli(wall.UnixMilli()).UTC()}
}

func (s Stamp) String() string {
	return fmt.Sprintf("#%d at %s", s.Frame, s.Wall.UTC().Format("2006-01-02 15:04:05.000"))
}

// Continuity is what a row of stamps says about frames on their way.
type Continuity struct {
	Frames    int // stamps looked at
	Lost      int // frame numbers that never came
	Doubled   int // frames that came twice in a row
	Backwards int // times the number went back
}

// Perfect reports whether every frame came once and in order.
func (c Continuity) Perfect() bool { return c.Lost == 0 && c.Doubled == 0 && c.Backwards == 0 }

func (c Continuity) String() string {
	return fmt.Sprintf("%d frames, %d lost, %d doubled, %d times backwards", c.Frames, c.Lost, c.Doubled, c.Backwards)
}

// CheckContinuity counts what is wrong with a row of frame numbers. A clip of
// loop frames that is played in a loop goes from loop-1 to 0; loop 0 is for
// sources that go on counting.
func CheckContinuity(frames []uint32, loop uint32) Continuity {
	c := Continuity{Frames: len(frames)}
	if loop == 0 {
		loop = MaxFrame + 1
	}
	for i := 1; i < len(frames); i++ {
		step := (uint64(frames[i]) + uint64(loop) - uint64(frames[i-1]%loop)) % uint64(loop)
		switch {
		case step == 1 || loop == 1:
		case step == 0:
			c.Doubled++
		case step > uint64(loop)/2:
			c.Backwards++
		default:
			c.Lost += int(step) - 1
		}
	}
	return c
}
