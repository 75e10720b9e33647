package packager

import (
	"slices"
	"time"

	"github.com/millrace/millrace/internal/media"
)

// minFrames is how many frames a part needs so that one frame less is still
// 85 % of it (RFC 8216bis §4.4.4.9).
const minFrames = 7

// partTarget is PART-TARGET for a known rate of frames: part rounded to whole
// frames, written up to the next millisecond (DESIGN §3.7). One frame lasts
// num/den seconds.
func partTarget(part time.Duration, num, den int64) time.Duration {
	frame := time.Duration(media.Rescale(num, int(den), int(time.Second)))
	if frame <= 0 {
		return part
	}
	frames := max((part+frame/2)/frame, 1)
	exact := time.Duration(media.Rescale(num*int64(frames), int(den), int(time.Second)))
	return (exact + time.Millisecond - 1).Truncate(time.Millisecond)
}

// measuredTarget is PART-TARGET for frames of these durations, in ticks of
// rate. Regular ones count as a known rate; else the target leaves room for
// seven of the longest, so that a part which is closed before it would be too
// long is never too short.
func measuredTarget(part time.Duration, durations []int64, rate int) time.Duration {
	if len(durations) == 0 {
		return part
	}
	longest, sum := slices.Max(durations), int64(0)
	for _, d := range durations {
		sum += d
	}
	n := int64(len(durations))
	if shortest := slices.Min(durations); (longest-shortest)*10*n <= sum {
		return partTarget(part, sum, n*int64(rate))
	}
	target := max(part, minFrames*media.Duration(longest, rate))
	return (target + time.Millisecond - 1).Truncate(time.Millisecond)
}
