package timeline

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// Bounds of the rate check.
const (
	rateWindow    = 2 * time.Second // shortest window judged
	rateSamples   = 20              // fewest samples judged
	rateWindowMax = time.Minute     // longest window while a correction is in force

	// Frames of live video arrive at distances between these; stamps that say
	// less than tooShort are not to be believed either.
	fastestArrival = 15 * time.Millisecond
	slowestArrival = 260 * time.Millisecond
	tooShort       = 12 * time.Millisecond
)

// rateMeter finds clocks that run at a wrong rate: cameras whose stamps
// advance 10.5 seconds a second.
//
// A sender that is merely fast or slow (a file pushed without pacing, an
// encoder that cannot keep up, a burst after a stall) is not to be touched,
// though its clock disagrees with the arrival clock too. What tells them apart
// is the frame: with a wrong clock frames arrive at their nominal distance and
// are stamped at another one; with an honest one it is the reverse. Where no
// nominal distance is known, a clock three times too fast or too slow is wrong
// when the arrivals are those of live video.
type rateMeter struct {
	window  time.Duration
	samples int64
	out     int64
	arrival time.Duration
}

func (m *rateMeter) reset(out int64, arrival time.Duration) {
	*m = rateMeter{window: max(m.window, rateWindow), out: out, arrival: arrival}
}

// add counts a sample and returns the correction to the scale as a ratio of
// two frame distances (wanted, stamped), or zeros. rate is the ticks a second,
// frame the nominal distance in ticks or 0, corrected whether a correction is
// in force already.
func (m *rateMeter) add(out int64, arrival time.Duration, rate int, frame int64, corrected bool) (wanted, stamped int64) {
	m.samples++
	elapsed := arrival - m.arrival
	if elapsed < m.window || m.samples < rateSamples {
		return 0, 0
	}
	span := media.Duration(out-m.out, rate)
	n := m.samples
	m.reset(out, arrival)
	if span <= 0 {
		return 0, 0
	}
	stampedFrame, arrivedFrame := span/time.Duration(n), elapsed/time.Duration(n)
	if frame > 0 {
		nominal := media.Duration(frame, rate)
		if !near(stampedFrame, nominal) && near(arrivedFrame, nominal) && !within(span, elapsed, 2) {
			return int64(nominal) * n, int64(span)
		}
		return 0, 0
	}
	if corrected {
		// no nominal distance to rely on: follow the arrival clock, over
		// windows long enough that jitter does not matter
		m.window = min(2*m.window, rateWindowMax)
		if d := span - elapsed; d > elapsed/200 || -d > elapsed/200 {
			return int64(elapsed), int64(span)
		}
		return 0, 0
	}
	live := fastestArrival <= arrivedFrame && arrivedFrame <= slowestArrival
	if live && (span > 3*elapsed || elapsed > 3*span && stampedFrame < tooShort) {
		return int64(elapsed), int64(span)
	}
	return 0, 0
}

// near is within 2/3 of each other, which leaves room for lost frames.
func near(a, b time.Duration) bool { return 3*a <= 5*b && 3*b <= 5*a }

func within[T ~int64](a, b, factor T) bool { return a <= factor*b && b <= factor*a }
