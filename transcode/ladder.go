package transcode

import (
	"math"
	"strconv"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// The ladder's heights and what a 16:9 picture of each gets at up to 30 frames
// a second.
var ladder = []struct{ height, bitrate int }{
	{1080, 4_500_000}, {720, 2_500_000}, {480, 1_200_000}, {360, 700_000},
}

const (
	// nearTop is how close to a copied top rung another one may come.
	nearTop = 0.9
	// loss is how much of the source's height an encoded top rung may give
	// up to land on a height of the ladder.
	loss = 0.75
	// maxFPS is the highest frame rate that is believed, and made.
	maxFPS = 240
	// autoFPS is the highest that ladder auto makes.
	autoFPS = 60
	// guessFPS stands in where the source's frame rate is unknown.
	guessFPS = 30

	minBitrate = 100_000
)

// shape is a source's picture as shown: rotation undone, samples squared.
type shape struct{ width, height int }

// shapeOf believes a sample aspect of up to four to one.
func shapeOf(t *media.Track) shape {
	s := shape{t.Width, t.Height}
	if a := t.SampleAspect; a.Known() && a.Num/4 <= a.Den && a.Den/4 <= a.Num {
		if w := media.Rescale(int64(t.Width), a.Den, a.Num); w > 0 && w <= wire.MaxSide {
			s.width = int(w)
		}
	}
	if t.Rotation == 90 || t.Rotation == 270 {
		s.width, s.height = s.height, s.width
	}
	return s
}

// short is what the ladder calls height: the short side, so that a portrait
// picture of 720x1280 is as good as a landscape one of 1280x720.
func (s shape) short() int { return min(s.width, s.height) }

func (s shape) pixels() float64 { return float64(s.width) * float64(s.height) }

// scaled is s with the short side made short, even in both dimensions, and
// never larger than s.
func (s shape) scaled(short int) shape {
	short = max(even(short), 2)
	if short >= s.short() {
		return shape{max(even(s.width), 2), max(even(s.height), 2)}
	}
	long := max(s.width, s.height)
	long = int(media.Rescale(int64(long), 2*s.short(), short)) * 2 // the nearest even number
	if s.width >= s.height {
		return shape{long, short}
	}
	return shape{short, long}
}

// within is s fitted into a box of its own orientation; 0 is no bound. A
// width alone bounds the horizontal side, whichever that is.
func (s shape) within(width, height int) shape {
	long, short := max(s.width, s.height), s.short()
	boxLong, boxShort := max(width, height), min(width, height)
	if height == 0 {
		boxLong, boxShort = width, short
		if s.width < s.height {
			boxLong, boxShort = long, width
		}
	}
	if boxLong < long {
		boxShort = min(boxShort, int(int64(boxLong)*int64(short)/int64(long)))
	}
	return s.scaled(min(short, boxShort))
}

func even(n int) int { return n &^ 1 }

func heightName(height int) string { return strconv.Itoa(height) + "p" }

// autoHeights are the short sides that ladder auto encodes of a source of s,
// below a copied top rung or from the top.
func autoHeights(s shape, copied bool) []int {
	source := s.short()
	var heights []int
	for _, l := range ladder {
		if l.height > source || copied && float64(l.height) > nearTop*float64(source) {
			continue
		}
		heights = append(heights, l.height)
	}
	if copied {
		return heights
	}
	top := 0
	if len(heights) > 0 {
		top = heights[0]
	}
	if top < ladder[0].height && float64(top) < loss*float64(source) {
		heights = append([]int{max(even(source), 2)}, heights...)
	}
	return heights
}

// bitrateFor is what a picture of s at fps is given: that of the ladder's
// height, by the number of pixels, half as much again at 60 frames a second.
func bitrateFor(s shape, fps float64) int {
	// Between the ladder's heights the bits a pixel follow the neighbours.
	pixels := func(height int) float64 { return float64(height*height) * 16 / 9 }
	n := s.pixels()
	rate := 0.0
	switch first, last := ladder[0], ladder[len(ladder)-1]; {
	case n >= pixels(first.height):
		rate = float64(first.bitrate) * math.Pow(n/pixels(first.height), 0.75)
	case n <= pixels(last.height):
		rate = float64(last.bitrate) * math.Pow(n/pixels(last.height), 0.75)
	default:
		for i := 1; i < len(ladder); i++ {
			hi, lo := ladder[i-1], ladder[i]
			if from, to := pixels(lo.height), pixels(hi.height); n >= from {
				rate = float64(lo.bitrate) + (n-from)/(to-from)*float64(hi.bitrate-lo.bitrate)
				break
			}
		}
	}
	rate *= 1 + 0.5*min(max((fps-30)/30, 0), 1)
	return max(roundBitrate(rate), minBitrate)
}

// below caps the bitrate of a rung by the source's: the whole of it at the
// source's size, less for fewer pixels.
func below(bitrate, source int, rung, of shape) int {
	if source < 10_000 { // unknown, or not to be believed
		return bitrate
	}
	most := float64(source) * math.Pow(min(rung.pixels()/of.pixels(), 1), 0.75)
	// Rounding must not lift it over the source's.
	return min(bitrate, max(roundBitrate(most), min(minBitrate, source)), source)
}

func roundBitrate(rate float64) int { return int(math.Round(rate/10_000)) * 10_000 }

// vbv are the rate and the buffer that keep a rung's peaks in bounds: a fifth
// over the average, and a second of it.
func vbv(bitrate int) (maxBitrate, bufSize int) { return bitrate + bitrate/5, bitrate + bitrate/5 }

// frameRate is t's where it can be believed.
func frameRate(t *media.Track) media.Rational {
	if f := t.FrameRate; f.Known() && f.Float() <= maxFPS && f.Float() >= 0.1 {
		return f
	}
	return media.Rational{}
}

// limited is rate held to at most limit, and whether frames must be dropped.
func limited(rate, limit media.Rational) (media.Rational, bool) {
	if !limit.Known() {
		return rate, false
	}
	if rate.Known() && int64(rate.Num)*int64(limit.Den) <= int64(limit.Num)*int64(rate.Den) {
		return rate, false
	}
	return limit, true
}

// estimate is rate as a number, guessed where unknown.
func estimate(rate media.Rational) float64 {
	if !rate.Known() {
		return guessFPS
	}
	return rate.Float()
}
