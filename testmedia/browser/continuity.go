package browser

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/testmedia"
)

// Continuity is what a row of presented pictures says about the stream and
// about the browser.
type Continuity struct {
	Pictures   int
	Unreadable int

	// Lost and Repeated are faults of the stream: the number of a picture
	// went further, or less far, than its media time did.
	Lost, Repeated int

	// Skipped are pictures that the browser did not present, or that the
	// page did not get to see: number and media time went on together. Where a
	// page is late the picture it gets to see may be a newer one than the one
	// it was told of; that is counted here too.
	Skipped int
}

// Perfect reports whether the stream has no fault. Pictures that the browser
// skipped are none of the stream's.
func (c Continuity) Perfect() bool { return c.Lost == 0 && c.Repeated == 0 && c.Unreadable == 0 }

func (c Continuity) String() string {
	return fmt.Sprintf("%d pictures, %d unreadable, %d lost, %d repeated, %d skipped by the browser", c.Pictures, c.Unreadable, c.Lost, c.Repeated, c.Skipped)
}

// CheckShown compares the numbers of presented pictures with their media
// times. Rate is that of the source; a clip of loop pictures may start again,
// loop 0 is for a camera.
func CheckShown(shown []Shown, rate testmedia.Rate, loop int) Continuity {
	c := Continuity{Pictures: len(shown)}
	if loop == 0 {
		loop = testmedia.MaxFrame + 1
	}
	// between is how far time and number went from one picture to another.
	between := func(a, b *Shown) (time, step int) {
		time = int(math.Round((b.MediaTime - a.MediaTime).Seconds() * float64(rate.Num) / float64(rate.Den)))
		step = ((int(b.Frame)-int(a.Frame))%loop + loop) % loop
		if step > loop/2 && loop > testmedia.MaxFrame {
			step -= loop
		}
		return time, step
	}
	var last *Shown
	for i := range shown {
		s := &shown[i]
		if !s.Readable {
			c.Unreadable++
			continue
		}
		if last != nil {
			time, step := between(last, s)
			if step > time && i+1 < len(shown) && shown[i+1].Readable {
				if t, n := between(last, &shown[i+1]); t == n { // the next one is in its place
					continue
				}
			}
			switch {
			case step > time:
				c.Lost += step - time
			case step < time:
				c.Repeated += time - step
			}
			c.Skipped += max(min(step, time)-1, 0)
		}
		last = s
	}
	return c
}
