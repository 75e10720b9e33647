package tools

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/millrace/millrace/testmedia"
)

// Recording is what Read saw and heard. All PTS are those of the source, on
// one clock for picture and sound.
type Recording struct {
	Width, Height int
	Pictures      []Seen

	PCM   []int16 // one channel
	Rate  int     // Hz
	Beeps []Heard

	sound []soundFrame
}

// Seen is one decoded picture.
type Seen struct {
	testmedia.Stamp
	PTS      time.Duration
	Arrived  time.Time // when it was decoded
	Readable bool      // the strip could be read; the Stamp is zero otherwise
}

// Latency is the time from drawing to decoding, for a source that draws by the
// wall clock.
func (s Seen) Latency() time.Duration { return s.Arrived.Sub(s.Wall) }

// Heard is one beep.
type Heard struct {
	testmedia.Beep // At counts samples, holes in the timestamps left out
	PTS            time.Duration
}

// soundFrame places decoded samples in time.
type soundFrame struct {
	first int // sample
	pts   time.Duration
}

// Frames are the numbers of the readable pictures.
func (r *Recording) Frames() []uint32 {
	var frames []uint32
	for _, s := range r.Pictures {
		if s.Readable {
			frames = append(frames, s.Frame)
		}
	}
	return frames
}

// Unreadable is the number of pictures whose strip could not be read.
func (r *Recording) Unreadable() int { return len(r.Pictures) - len(r.Frames()) }

// Check says what is wrong with the pictures: none at all, unreadable ones,
// and frames that were lost, doubled or out of order. A clip of loop frames
// may start again; loop 0 is for a camera.
func (r *Recording) Check(loop int) error {
	if len(r.Pictures) == 0 {
		return fmt.Errorf("check pictures: there are none")
	}
	c := testmedia.CheckContinuity(r.Frames(), uint32(loop))
	if n := r.Unreadable(); n > 0 || !c.Perfect() {
		return fmt.Errorf("check pictures: %v, %d unreadable", c, n)
	}
	return nil
}

// Skews returns, for each beep that can be told from the pictures around it,
// how much later the sound comes than the picture; negative is early.
func (r *Recording) Skews() []time.Duration {
	seen := slices.DeleteFunc(slices.Clone(r.Pictures), func(s Seen) bool { return !s.Readable })
	slices.SortStableFunc(seen, func(a, b Seen) int { return int(a.PTS - b.PTS) })
	var skews []time.Duration
	for _, b := range r.Beeps {
		i := sort.Search(len(seen), func(i int) bool { return seen[i].PTS > b.PTS }) - 1
		if i < 0 || b.Second < 0 || b.PTS-seen[i].PTS > time.Second {
			continue
		}
		wall := seen[i].Wall.Add(b.PTS - seen[i].PTS)
		second := wall.Round(time.Second)
		if second.Second() == b.Second {
			skews = append(skews, wall.Sub(second))
		}
	}
	return skews
}

// Offsets returns PTS minus content time for each readable picture, content
// time counted from start. Where timestamps are true to the content all are
// equal.
func (r *Recording) Offsets(start time.Time) []time.Duration {
	var offsets []time.Duration
	for _, s := range r.Pictures {
		if s.Readable {
			offsets = append(offsets, s.PTS-s.Wall.Sub(start))
		}
	}
	return offsets
}

// hear finds the beeps and places them in time.
func (r *Recording) hear() {
	for _, b := range testmedia.FindBeeps(r.PCM, r.Rate, 1) {
		sample := int(b.At * time.Duration(r.Rate) / time.Second)
		i := sort.Search(len(r.sound), func(i int) bool { return r.sound[i].first > sample }) - 1
		if i < 0 {
			continue
		}
		f := r.sound[i]
		r.Beeps = append(r.Beeps, Heard{Beep: b, PTS: f.pts + b.At - time.Duration(f.first)*time.Second/time.Duration(r.Rate)})
	}
}

// SoundGaps returns where the timestamps of the sound jump by more than the
// given time, as PTS and size of the jump; negative sizes overlap.
func (r *Recording) SoundGaps(least time.Duration) [][2]time.Duration {
	var gaps [][2]time.Duration
	for i := 1; i < len(r.sound); i++ {
		a, b := r.sound[i-1], r.sound[i]
		end := a.pts + time.Duration(b.first-a.first)*time.Second/time.Duration(r.Rate)
		if d := b.pts - end; d.Abs() > least {
			gaps = append(gaps, [2]time.Duration{end, d})
		}
	}
	return gaps
}
