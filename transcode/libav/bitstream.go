package libav

import (
	"errors"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// bitstream brings what containers and encoders give into fMP4's form: the
// configuration, and every payload.
type bitstream struct {
	track *media.Track
	sets  *parameterSets // H.264 and H.265 only
	adts  bool           // AAC with headers that have to go
}

// trackOf describes what FFmpeg's parameters describe, as far as they do; nil
// where they tell too little.
func trackOf(p *astiav.CodecParameters) *media.Track {
	d := detailsOf(p)
	t := &media.Track{Codec: codecOf(p.CodecID()), Config: p.ExtraData(), Bitrate: int(p.BitRate())}
	if len(t.Config) == 0 {
		t.Config = nil
	}
	switch p.MediaType() {
	case astiav.MediaTypeVideo:
		t.Kind = media.Video
		t.Width, t.Height = p.Width(), p.Height()
		t.Interlaced = d.interlaced
		t.BitDepth, t.Chroma = d.depth, d.chroma
		if t.Width <= 0 || t.Height <= 0 {
			return nil
		}
	case astiav.MediaTypeAudio:
		t.Kind = media.Audio
		t.SampleRate, t.Channels = p.SampleRate(), p.ChannelLayout().Channels()
		t.ClockRate = t.SampleRate
		t.BitsPerSample = d.bits
		if t.SampleRate <= 0 || t.Channels <= 0 {
			return nil
		}
	default:
		return nil
	}
	return t
}

// configure brings the container's configuration into fMP4's form.
func (s *bitstream) configure() {
	t := s.track
	switch t.Codec {
	case media.H264, media.H265:
		s.sets = &parameterSets{codec: t.Codec}
		if err := s.sets.parse(t.Config); errors.Is(err, ErrCorrupt) || s.sets.lengthSize != 4 {
			t.Config = s.sets.config(t)
		}
	case media.AAC:
		s.adts = len(t.Config) == 0
	case media.Opus:
		if box, err := opusBox(t.Config); err == nil {
			t.Config = box
		} else {
			t.Config = nil
		}
	case media.AV1:
		if len(t.Config) > 0 && t.Config[0] != 0x81 {
			t.Config = av1Box(t.Config, t)
		}
	case media.VP9:
		t.Config = nil
	}
}

// payload brings a packet's bytes into fMP4's form, in memory of ours.
func (s *bitstream) payload(b []byte, key *bool) []byte {
	if s.adts {
		return s.stripADTS(b)
	}
	if s.sets == nil {
		return append([]byte(nil), b...)
	}
	units, err := s.sets.split(b)
	if err != nil {
		// What is whole of it may still be decoded.
		*key = *key && len(units) > 0
	}
	var sets, kept [][]byte
	for _, u := range units {
		switch s.sets.kind(u) {
		case unitMedia:
			kept = append(kept, u)
		case unitVPS, unitSPS, unitPPS:
			sets = append(sets, u)
		case unitNoise:
		}
	}
	if len(sets) > 0 && (s.sets.replace(sets) || s.track.Config == nil) {
		s.revise(s.sets.config(s.track))
	}
	return joinLengths(kept)
}

// revise makes a new revision of the track with another configuration. The
// first configuration is no revision.
func (s *bitstream) revise(config []byte) {
	if config == nil || string(config) == string(s.track.Config) {
		return
	}
	t := *s.track
	if t.Config != nil {
		t.Revision++
	}
	t.Config = config
	s.track = &t
}
