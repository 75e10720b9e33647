package codec

import "github.com/millrace/millrace/internal/media"

// Complete reports whether everything is known that a decoder needs to be
// told before the first packet.
func Complete(t *media.Track) bool {
	if t.ClockRate <= 0 {
		return false
	}
	switch t.Codec {
	case media.H264, media.H265, media.AV1, media.VP9:
		return len(t.Config) > 0 && t.Width > 0 && t.Height > 0
	case media.AAC, media.Opus:
		return len(t.Config) > 0 && t.SampleRate > 0
	}
	return t.SampleRate > 0 && t.Channels > 0
}

// Reorder is the number of pictures a decoder of t holds back to put them in
// order, -1 where the parameter sets do not tell. Other codecs than H264 and
// H265 deliver in order.
func Reorder(t *media.Track) int {
	switch t.Codec {
	case media.H264, media.H265:
	default:
		return 0
	}
	s, err := ParseSets(t)
	switch {
	case err != nil:
		return -1
	case t.Codec == media.H264:
		return s.reorderH264()
	}
	return s.reorderH265()
}
