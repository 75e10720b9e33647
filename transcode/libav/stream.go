package libav

import (
	"math"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// stream turns one of FFmpeg's streams into a track and its packets.
type stream struct {
	bitstream
	format *astiav.FormatContext
	av     *astiav.Stream
	base   astiav.Rational

	last, expected int64 // DTS of the newest packet and of the one after it
	begun          bool
	breaks         *breaks // of all streams
	epoch          int     // how many of them this stream has seen
	frame          int64   // samples of every audio frame, where the container does not know
}

// newStream describes a stream; it returns nil where that is not possible.
func newStream(f *astiav.FormatContext, s *astiav.Stream, id int, b *breaks) *stream {
	p := s.CodecParameters()
	t := trackOf(p)
	if t == nil {
		return nil
	}
	st := &stream{bitstream: bitstream{track: t}, format: f, av: s, base: s.TimeBase(), breaks: b}
	t.ID, t.Language = id, language(s)
	switch t.Kind {
	case media.Video:
		t.ClockRate = videoClock(st.base)
		t.SampleAspect = rational(f.GuessSampleAspectRatio(s, nil))
		t.Rotation = rotation(p)
		t.FrameRate = frameRate(s)
	case media.Audio:
		if st.base.Den() < t.SampleRate && t.Codec != media.Opus {
			st.frame = int64(p.FrameSize())
		}
	}
	st.configure()
	return st
}

// videoClock is a clock in which every timestamp of a container can be told
// exactly: 90 kHz where that is one, else the container's own.
func videoClock(base astiav.Rational) int {
	const usual = 90000
	if base.Num() <= 0 || base.Den() <= 0 || usual*base.Num()%base.Den() == 0 {
		return usual
	}
	if base.Den() >= 1000 && base.Den() <= 1_000_000 {
		return base.Den()
	}
	return usual
}

func rational(r astiav.Rational) media.Rational {
	if r.Num() <= 0 || r.Den() <= 0 {
		return media.Rational{}
	}
	return media.Rational{Num: r.Num(), Den: r.Den()}
}

// frameRate is a stream's constant frame rate, unknown where it varies: then
// the average and the finest grid that holds all timestamps differ.
func frameRate(s *astiav.Stream) media.Rational {
	average, grid := rational(s.AvgFrameRate()), rational(s.RFrameRate())
	if !average.Known() || !grid.Known() {
		return average
	}
	if off := average.Float() / grid.Float(); off < 0.98 || off > 1.02 {
		return media.Rational{}
	}
	return grid
}

// rotation is what makes pictures upright, in quarter turns clockwise.
func rotation(p *astiav.CodecParameters) int {
	m, ok := p.SideData().DisplayMatrix().Get()
	if !ok {
		return 0
	}
	r := m.Rotation()
	if math.IsNaN(r) {
		return 0
	}
	return (int(math.Round(r/90))*90%360 + 360) % 360
}

func language(s *astiav.Stream) string {
	m := s.Metadata()
	if m == nil {
		return ""
	}
	e := m.Get("language", nil, astiav.NewDictionaryFlags())
	if e == nil {
		return ""
	}
	return media.LanguageTag(e.Value())
}

// packet turns a packet into ours, in the track's clock but not yet on the
// common timeline. It returns nil for one that carries nothing.
func (s *stream) packet(av *astiav.Packet) *media.Packet {
	p := &media.Packet{Key: av.Flags().Has(astiav.PacketFlagKey)}
	before := s.track
	if p.Payload = s.payload(payload(av), &p.Key); len(p.Payload) == 0 {
		return nil
	}
	if s.track != before && before.Config != nil && s.sets != nil {
		s.measure(p.Payload)
	}
	if s.sets != nil && s.track.Config == nil {
		// Nothing before the first parameter sets can be decoded.
		return nil
	}
	p.Track = s.track
	if p.Duration = s.frame; p.Duration <= 0 {
		p.Duration = s.ticks(av.Duration())
	}
	s.time(p, av.Pts(), av.Dts())
	return p
}

// ticks converts the container's ticks into the track's.
func (s *stream) ticks(t int64) int64 {
	return media.Rescale(t*int64(s.base.Num()), s.base.Den(), s.track.ClockRate)
}

// time sets a packet's timestamps. Missing ones follow from the others.
func (s *stream) time(p *media.Packet, pts, dts int64) {
	none := astiav.NoPtsValue
	if dts == none && pts != none && (s.track.Kind == media.Audio || !s.begun) {
		dts = pts
	}
	if dts == none {
		p.DTS = s.expected
	} else {
		p.DTS = s.ticks(dts) + s.shift()
		if s.begun && s.breaks.jumped(p.DTS-s.expected, s.track.ClockRate) {
			s.epoch = s.breaks.next(s.epoch, media.Duration(p.DTS, s.track.ClockRate))
			p.DTS = s.ticks(dts) + s.shift()
		}
	}
	p.Epoch = uint32(s.epoch)
	// Containers with coarse clocks tell audio to the nearest tick: where that
	// agrees with the samples, the samples are right.
	if s.begun && s.track.Kind == media.Audio && p.Duration > 0 {
		tolerance := s.ticks(1) + 1
		if off := p.DTS - s.expected; off >= -tolerance && off <= tolerance {
			p.DTS = s.expected
		}
	}
	if s.begun && p.DTS < s.last {
		p.DTS = s.last
	}
	switch {
	case s.track.Kind == media.Audio || pts == none:
		p.PTS = p.DTS
	default:
		p.PTS = s.ticks(pts) + s.shift()
	}
	s.begun, s.last, s.expected = true, p.DTS, p.DTS+max(p.Duration, 1)
	s.breaks.end = max(s.breaks.end, media.Duration(max(p.PTS+p.Duration, s.expected), s.track.ClockRate))
}

// shift is what has to be added to the container's time.
func (s *stream) shift() int64 { return media.Ticks(s.breaks.shift(s.epoch), s.track.ClockRate) }

// measure finds out what a new revision's pictures are by decoding one: its
// parameter sets may tell of another size.
func (s *stream) measure(payload []byte) {
	d, err := OpenDecoder(s.track, DecoderOptions{Threads: 1})
	if err != nil {
		return
	}
	defer d.Close()
	take := func(f *Frame) error {
		t := *s.track
		t.Width, t.Height = f.Width(), f.Height()
		t.SampleAspect = rational(f.f.SampleAspectRatio())
		s.track = &t
		return nil
	}
	for _, p := range []*media.Packet{{Track: s.track, Key: true, Payload: payload}, nil} {
		if err := d.Decode(p, take); err != nil {
			return // it stays as it was
		}
	}
}
