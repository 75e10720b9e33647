package testmedia

import (
	"math"
	"slices"
	"time"
)

// Beep is one beep found in samples.
type Beep struct {
	// At is the time of its onset since the first sample.
	At time.Duration

	// Second is the second of the minute that its label says, or -1 where
	// the label could not be read.
	Second int
}

// FindBeeps finds the beeps of a Sound in interleaved samples, also after
// lossy coding; it is exact to about a millisecond. Left out are beeps whose
// tone does not end within the samples, and those within the first 30 ms:
// nobody can say whether they began earlier.
func FindBeeps(pcm []int16, rate, channels int) []Beep {
	if rate <= 0 || channels <= 0 {
		return nil
	}
	mono := make([]float64, len(pcm)/channels)
	for i := range mono {
		sum := 0
		for c := range channels {
			sum += int(pcm[i*channels+c])
		}
		mono[i] = float64(sum) / float64(channels) / math.MaxInt16
	}
	pitch, all := envelopes(mono, rate)
	level := usualLevel(pitch)
	if level < 0.02 {
		return nil
	}
	var beeps []Beep
	half := level / 2
	ms := float64(rate) / 1000
	for i := 0; i < len(pitch); i++ {
		if pitch[i] < half {
			continue
		}
		// Lossy coding makes short holes in a tone; they do not end it.
		end, last, pure := i, i, 0.0
		for ; end < len(pitch) && float64(end-last) < 8*ms; end++ {
			pure += pitch[end] / max(all[end], 1e-9)
			if pitch[end] >= half {
				last = end
			}
		}
		length := float64(last-i) / ms
		if float64(i) > 30*ms && length > 85 && length < 120 && end < len(pitch) && pure/float64(end-i) > 0.7 {
			onset := float64(i) - (pitch[i]-half)/(pitch[i]-pitch[i-1])
			onset = max(onset-fade*0.44*float64(rate), 0) // half way up the fade
			b := Beep{At: time.Duration(onset / float64(rate) * float64(time.Second))}
			b.Second = readLabel(mono, onset, rate)
			beeps = append(beeps, b)
		}
		i = end - 1
	}
	return beeps
}

// usualLevel is the level of a beep: the median of all that is not much
// quieter than the loudest moment.
func usualLevel(pitch []float64) float64 {
	loudest := 0.0
	for _, v := range pitch {
		loudest = max(loudest, v)
	}
	var loud []float64
	for _, v := range pitch {
		if v > loudest/3 {
			loud = append(loud, v)
		}
	}
	if len(loud) == 0 {
		return 0
	}
	slices.Sort(loud)
	return loud[len(loud)/2]
}

// envelopes returns, around each sample, the amplitude of the beep's pitch,
// and of the sine that had all the energy. The window is one period long and
// has the sample in its middle, so that it crosses half of the amplitude at
// the onset.
func envelopes(mono []float64, rate int) (pitch, all []float64) {
	n := len(mono)
	pitch, all = make([]float64, n), make([]float64, n)
	window := max(rate/beepPitch, 4) * 2
	var re, im, energy float64
	add := func(i int, sign float64) {
		if i < 0 || i >= n {
			return
		}
		sin, cos := math.Sincos(2 * math.Pi * beepPitch * float64(i%rate) / float64(rate))
		re += sign * mono[i] * cos
		im += sign * mono[i] * sin
		energy += sign * mono[i] * mono[i]
	}
	for i := -window; i < n; i++ {
		add(i+window/2, 1)
		add(i-window/2, -1)
		if i >= 0 {
			pitch[i] = 2 * math.Hypot(re, im) / float64(window)
			all[i] = math.Sqrt(2 * max(energy, 0) / float64(window))
		}
	}
	return pitch, all
}

// readLabel listens to the middle of the label that follows a beep.
func readLabel(mono []float64, onset float64, rate int) int {
	middle := (labelEnd - labelStart).Seconds() * 0.8
	from := int(onset + (labelStart.Seconds()+0.01)*float64(rate))
	to := from + int(middle*float64(rate))
	if to > len(mono) {
		return -1
	}
	tens := loudestOf(mono[from:to], rate, 6, tensPitch)
	units := loudestOf(mono[from:to], rate, 10, unitsPitch)
	if tens < 0 || units < 0 {
		return -1
	}
	return tens*10 + units
}

// loudestOf returns which of n pitches is heard, or -1 where none stands out.
func loudestOf(samples []float64, rate, n int, pitch func(int) float64) int {
	best, first, second := -1, 0.0, 0.0
	for i := range n {
		var re, im float64
		for j, v := range samples {
			// A Hann window keeps the neighbours' tones out.
			v *= 0.5 - 0.5*math.Cos(2*math.Pi*float64(j)/float64(len(samples)))
			sin, cos := math.Sincos(2 * math.Pi * pitch(i) * float64(j) / float64(rate))
			re += v * cos
			im += v * sin
		}
		a := math.Hypot(re, im) / float64(len(samples))
		if a > first {
			best, first, second = i, a, first
		} else {
			second = max(second, a)
		}
	}
	if first < 0.005 || first < 2*second {
		return -1
	}
	return best
}

// FindSilence returns where nothing at all is heard for at least the given
// time, as start and end since the first sample. It is for sound with a Bed.
func FindSilence(pcm []int16, rate, channels int, least time.Duration) [][2]time.Duration {
	if rate <= 0 || channels <= 0 {
		return nil
	}
	const quiet = 64 // the bed's peak is 327
	var gaps [][2]time.Duration
	n := len(pcm) / channels
	at := func(i int) time.Duration { return time.Duration(i) * time.Second / time.Duration(rate) }
	start := 0
	for i := 0; i <= n; i++ {
		if i < n && -quiet < pcm[i*channels] && pcm[i*channels] < quiet {
			continue
		}
		if at(i)-at(start) >= least {
			gaps = append(gaps, [2]time.Duration{at(start), at(i)})
		}
		start = i + 1
	}
	return gaps
}
