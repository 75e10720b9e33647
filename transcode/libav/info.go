package libav

import (
	"time"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// Info is what an input is.
type Info struct {
	Container string // FFmpeg's short names: "mov,mp4,m4a,3gp,3g2,mj2"
	Duration  time.Duration
	Bitrate   int // bits/s
	Streams   []StreamInfo
}

// StreamInfo is one elementary stream of an input, usable or not.
type StreamInfo struct {
	Kind     string // "video", "audio", "subtitle", "data", "attachment"
	Codec    media.Codec
	Profile  string
	Level    int
	Bitrate  int
	Duration time.Duration
	Language string
	BFrames  bool
	Track    *media.Track // nil where it is not usable
}

// Info tells what is in the input.
func (d *Demuxer) Info() Info {
	const base = int64(time.Second / time.Microsecond) // AV_TIME_BASE
	i := Info{Bitrate: int(d.format.BitRate())}
	if f := d.format.InputFormat(); f != nil {
		i.Container = f.Name()
	}
	if n := d.format.Duration(); n > 0 {
		i.Duration = time.Duration(media.Rescale(n, int(base), int(time.Second)))
	}
	for n, s := range d.format.Streams() {
		p := s.CodecParameters()
		details := detailsOf(p)
		si := StreamInfo{
			Kind: kindName(p.MediaType()), Codec: codecOf(p.CodecID()), Profile: details.profile,
			Bitrate: int(p.BitRate()), Language: language(s), BFrames: details.delay > 0,
		}
		if l := p.Level(); l > 0 {
			si.Level = int(l)
		}
		if b := s.TimeBase(); s.Duration() > 0 && b.Den() > 0 {
			si.Duration = time.Duration(media.Rescale(s.Duration()*int64(b.Num()), b.Den(), int(time.Second)))
		}
		if d.streams[n] != nil {
			si.Track = d.streams[n].track
		}
		i.Streams = append(i.Streams, si)
	}
	return i
}

func kindName(t astiav.MediaType) string {
	switch t {
	case astiav.MediaTypeVideo:
		return "video"
	case astiav.MediaTypeAudio:
		return "audio"
	case astiav.MediaTypeSubtitle:
		return "subtitle"
	case astiav.MediaTypeAttachment:
		return "attachment"
	}
	return "data"
}
