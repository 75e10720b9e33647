package transcode

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// Rendition is one of the forms in which a stream is offered. It is a value.
type Rendition struct {
	// Name is unique within the plan and one element of a URL's path: "720p"
	// for video, "audio", "audio-2" … for audio.
	Name string
	Kind media.Kind

	Source int  // ID of the source track
	Copy   bool // the source's own packets; the worker has no part in it

	Codec media.Codec

	// Video. Width and Height are the picture as shown: upright, with square
	// samples; a coded rendition's pictures are stored that way. FPS is the
	// rate to expect, unknown where the source's is.
	Width, Height int
	FPS           media.Rational

	// Bitrate is the average in bits/s, of a copy what the sender declared (0
	// unknown). MaxBitrate (bits/s) and BufSize (bits) are the VBV's, 0 for
	// copies and audio.
	Bitrate, MaxBitrate, BufSize int

	// Audio. A coded rendition's clock rate is its sample rate. Title is what
	// viewers are shown; two renditions of one track have the same. Group is
	// empty for those in AAC, else it names the renditions of another codec
	// that stand beside them. Default marks the first track's.
	SampleRate, Channels int
	Title, Group         string
	Default              bool

	Language string // BCP 47

	// Why says in words why it is a copy or is not, for logs and API.
	Why string

	// limit is set where frames have to be dropped to reach FPS.
	limit bool
}

func (r Rendition) String() string {
	how := "encoded"
	if r.Copy {
		how = "copied"
	}
	if r.Kind == media.Audio {
		return fmt.Sprintf("%s %s %s %d Hz %dch", r.Name, how, r.Codec, r.SampleRate, r.Channels)
	}
	return fmt.Sprintf("%s %s %s %dx%d %dk", r.Name, how, r.Codec, r.Width, r.Height, r.Bitrate/1000)
}
