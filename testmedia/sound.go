package testmedia

import (
	"fmt"
	"math"
	"time"
)

// What is heard in each second, counted from the whole second of the wall
// clock:
//
//	0 ms   a beep of 1 kHz, 100 ms long: the onset that FindBeeps measures
//	200 ms two tones together, 100 ms long: their pitches say which second of
//	       the minute it is
//
// All frequencies lie below 4 kHz, so that G.711 carries them.
const (
	beepPitch  = 1000 // Hz
	beepLength = 100 * time.Millisecond
	labelStart = 200 * time.Millisecond
	labelEnd   = 300 * time.Millisecond
	bedPitch   = 220   // Hz
	fade       = 0.001 // s, at each end of a tone, against clicks
)

// labelPitches are the tones for one second of the minute: the first says the
// tens, the second the units.
func labelPitches(second int) (tens, units float64) {
	return tensPitch(second / 10), unitsPitch(second % 10)
}

func tensPitch(n int) float64  { return 400 + 50*float64(n) }
func unitsPitch(n int) float64 { return 1300 + 100*float64(n) }

// SoundOptions says what to make. Rate is in Hz and Channels is the number of
// interleaved channels; all channels carry the same.
type SoundOptions struct {
	Rate, Channels int

	// Bed lies a faint tone under everything, so that a gap can be told from
	// the silence between two beeps.
	Bed bool
}

// Sound makes signed 16-bit samples. What it makes depends on the options and
// the wall-clock time of the sample alone. It may be used by one goroutine at
// a time.
type Sound struct {
	o    SoundOptions
	next int64 // samples since 1970
}

// NewSound starts at a wall-clock time, rounded to the nearest sample.
func NewSound(o SoundOptions, start time.Time) (*Sound, error) {
	if o.Rate < 8000 || o.Rate > 192000 || o.Channels < 1 || o.Channels > 64 {
		return nil, fmt.Errorf("make sound: %d Hz with %d channels is not within 8000 to 192000 Hz and 1 to 64 channels", o.Rate, o.Channels)
	}
	rate := int64(o.Rate)
	return &Sound{o: o, next: start.Unix()*rate + (int64(start.Nanosecond())*rate+5e8)/1e9}, nil
}

// Fill makes the next samples; len(pcm) must be a multiple of the number of
// channels.
func (s *Sound) Fill(pcm []int16) {
	rate := int64(s.o.Rate)
	for i := 0; i+s.o.Channels <= len(pcm); i += s.o.Channels {
		second, offset := floorDiv(s.next, rate)
		v := int16(math.Round(math.MaxInt16 * s.level(int(second%60), float64(offset)/float64(rate))))
		for c := range s.o.Channels {
			pcm[i+c] = v
		}
		s.next++
	}
}

func floorDiv(a, b int64) (q, r int64) {
	if q, r = a/b, a%b; r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// level is the sound at a time within a second of the minute.
func (s *Sound) level(second int, t float64) float64 {
	v := 0.0
	if s.o.Bed {
		v = 0.01 * math.Sin(2*math.Pi*bedPitch*t) // whole periods a second
	}
	switch {
	case t < beepLength.Seconds():
		v += 0.5 * edge(t, 0, beepLength) * math.Sin(2*math.Pi*beepPitch*t)
	case t >= labelStart.Seconds() && t < labelEnd.Seconds():
		tens, units := labelPitches(second)
		v += 0.15 * edge(t, labelStart, labelEnd) * (math.Sin(2*math.Pi*tens*t) + math.Sin(2*math.Pi*units*t))
	}
	return v
}

func edge(t float64, from, to time.Duration) float64 {
	return min((t-from.Seconds())/fade, (to.Seconds()-t)/fade, 1)
}
