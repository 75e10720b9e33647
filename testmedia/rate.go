package testmedia

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Rate is a number of frames a second, as an exact ratio.
type Rate struct{ Num, Den int }

// The frame rates of the world.
var (
	Film   = Rate{24000, 1001} // 23.976
	PAL    = Rate{25, 1}
	NTSC   = Rate{30000, 1001} // 29.97
	FPS30  = Rate{30, 1}
	FPS50  = Rate{50, 1}
	NTSC60 = Rate{60000, 1001} // 59.94
	FPS60  = Rate{60, 1}
)

// Valid reports whether r is a rate that pictures can have.
func (r Rate) Valid() bool { return r.Num > 0 && r.Den > 0 && r.Num/r.Den <= 1000 }

// Time is when frame n starts, counted from frame 0 and rounded down. It
// saturates where a Duration ends; n must not be negative.
func (r Rate) Time(n int64) time.Duration {
	return time.Duration(scale(n, int64(r.Den)*int64(time.Second), int64(r.Num)))
}

// Frame is the number of the frame that is shown at d, which must not be
// negative.
func (r Rate) Frame(d time.Duration) int64 {
	n := scale(int64(d), int64(r.Num), int64(r.Den)*int64(time.Second))
	for next := r.Time(n + 1); next <= d && next < math.MaxInt64; next = r.Time(n + 1) {
		n++
	}
	return n
}

// scale is n·num/den rounded down, at most MaxInt64.
func scale(n, num, den int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(num))
	if hi >= uint64(den) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return int64(min(q, math.MaxInt64))
}

// String is the rate as ffmpeg reads it: 25 or 30000/1001.
func (r Rate) String() string {
	if r.Den == 1 {
		return fmt.Sprint(r.Num)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}
