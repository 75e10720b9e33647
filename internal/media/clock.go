package media

import (
	"math"
	"math/bits"
	"time"
)

// Rescale converts ticks of rate from into ticks of rate to, rounding to the
// nearest tick and halves away from zero. It is exact where the result fits 64
// bits and saturates where it does not; both rates must be positive.
func Rescale(ticks int64, from, to int) int64 {
	if from == to {
		return ticks
	}
	negative := ticks < 0
	u := uint64(ticks)
	if negative {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(to))
	lo, carry := bits.Add64(lo, uint64(from)/2, 0)
	hi += carry
	q := uint64(math.MaxInt64)
	if hi < uint64(from) {
		q, _ = bits.Div64(hi, lo, uint64(from))
		q = min(q, math.MaxInt64)
	}
	if negative {
		return -int64(q)
	}
	return int64(q)
}

// Ticks converts a duration into ticks of rate.
func Ticks(d time.Duration, rate int) int64 { return Rescale(int64(d), int(time.Second), rate) }

// Duration converts ticks of rate into a duration.
func Duration(ticks int64, rate int) time.Duration {
	return time.Duration(Rescale(ticks, rate, int(time.Second)))
}

var processStart = time.Now()

// Now is the server's monotonic clock: the time since the process started. It
// does not step when the wall clock does.
func Now() time.Duration { return time.Since(processStart) }

// Wall is the wall-clock time at which Now was t, by the wall clock as it
// stood when the process started.
func Wall(t time.Duration) time.Time { return processStart.Add(t) }
