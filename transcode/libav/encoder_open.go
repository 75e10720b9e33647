package libav

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// usualGOP is how far keyframes are apart where nobody says.
const usualGOP = 2 * time.Second

// usualRate is what rate control is told where nothing is known.
var usualRate = media.Rational{Num: 25, Den: 1}

// openVideo opens the encoder for pictures like the first one.
func (e *FrameEncoder) openVideo(first *Frame) error {
	if err := checkSize(first.Width(), first.Height()); err != nil {
		return err
	}
	var err error
	if e.send, err = newFrame(); err != nil {
		return err
	}
	if e.clock = e.o.ClockRate; e.clock <= 0 {
		e.clock = first.clock
	}
	if e.clock <= 0 {
		return fmt.Errorf("a frame of no clock rate: %w", ErrShape)
	}
	if e.found.ID() == astiav.CodecIDMpeg4 && e.clock > math.MaxUint16 {
		e.clock = 30000 // MPEG-4 has 16 bits for it
	}
	rate := e.rate(first)
	e.each = media.Rescale(int64(rate.Den), rate.Num, e.clock)
	pixels := e.form.pixels
	if pixels == astiav.PixelFormatNone {
		pixels = pixelFormatFor(e.found, first.f.PixelFormat())
	}
	if e.found.ID() == astiav.CodecIDMjpeg {
		pixels = fullRange(pixels)
	}
	e.convert = &pictureForm{width: first.Width(), height: first.Height(), pixels: pixels}
	shaped, err := e.convert.shape(first)
	if err != nil {
		return err
	}
	err = e.open(e.found.Name(), e.settings(), func(c *astiav.CodecContext) error {
		c.SetWidth(first.Width())
		c.SetHeight(first.Height())
		c.SetPixelFormat(pixels)
		c.SetSampleAspectRatio(first.f.SampleAspectRatio())
		c.SetTimeBase(astiav.NewRational(1, e.clock))
		c.SetFramerate(astiav.NewRational(rate.Num, rate.Den))
		c.SetGopSize(e.gop(rate))
		if e.o.Bitrate > 0 {
			c.SetBitRate(int64(e.o.Bitrate))
		}
		c.SetThreadCount(e.o.Threads)
		if id := e.found.ID(); id == astiav.CodecIDH264 || id == astiav.CodecIDHevc {
			c.SetFlags(c.Flags().Add(astiav.CodecContextFlagClosedGop))
		}
		if e.o.LowLatency {
			c.SetFlags(c.Flags().Add(astiav.CodecContextFlagLowDelay))
			c.SetMaxBFrames(0)
		}
		setColours(c, shaped.f)
		return nil
	})
	if err != nil {
		return err
	}
	e.fed, e.lasts = false, make(map[int64]int64)
	return e.describe(func(t *media.Track) {
		t.ClockRate, t.FrameRate = e.clock, e.knownRate(first)
		t.SampleAspect = rational(e.codec.SampleAspectRatio())
	})
}

// knownRate is the frame rate as far as it is known.
func (e *FrameEncoder) knownRate(first *Frame) media.Rational {
	if e.o.FrameRate.Known() {
		return e.o.FrameRate
	}
	return first.rate
}

// rate is what rate control is told.
func (e *FrameEncoder) rate(first *Frame) media.Rational {
	if r := e.knownRate(first); r.Known() {
		return r
	}
	if d := duration(first.f); d > 0 && first.clock > 0 && int64(first.clock)/d < 1000 && int64(first.clock) > d {
		return media.Rational{Num: first.clock, Den: int(d)}
	}
	return usualRate
}

// gop is the distance of keyframes in pictures, by which encoders count. Where
// the rate is not known for sure time is counted here.
func (e *FrameEncoder) gop(rate media.Rational) int {
	gop := e.o.GOP
	if gop <= 0 {
		gop = usualGOP
	}
	e.every = 0
	if !e.o.FrameRate.Known() {
		e.every = media.Ticks(gop, e.clock)
	}
	for _, own := range []string{"g", "x264-params", "x264opts", "x265-params", "svtav1-params"} {
		if v, ok := e.asked[own]; ok && (own == "g" || strings.Contains(v, "keyint")) {
			e.every = 0
		}
	}
	return max(int(math.Round(gop.Seconds()*rate.Float())), 1)
}

// settings are the options with which the encoder is opened.
func (e *FrameEncoder) settings() map[string]string {
	s := make(map[string]string)
	switch name := e.found.Name(); name {
	case "libx264", "libx264rgb", "libx265":
		s["forced-idr"] = "1"
		if e.o.LowLatency {
			s["preset"], s["tune"] = "veryfast", "zerolatency"
		}
		if name == "libx265" {
			s["x265-params"] = "log-level=error"
		}
	case "libvpx", "libvpx-vp9":
		if e.o.LowLatency {
			s["deadline"], s["cpu-used"], s["lag-in-frames"] = "realtime", "8", "0"
		}
	case "libsvtav1":
		quietSVT()
		if e.o.LowLatency {
			s["preset"], s["svtav1-params"] = "10", "pred-struct=1:lookahead=0"
		}
	}
	for k, v := range e.asked {
		if strings.HasSuffix(k, "-params") && s[k] != "" {
			v = s[k] + ":" + v
		}
		s[k] = v
	}
	return s
}

// openAudio opens the encoder for sound like the first frame.
func (e *FrameEncoder) openAudio(first *Frame) error {
	form := e.form
	if form.rate == 0 {
		form.rate = sampleRateFor(e.found, first.SampleRate())
	}
	if form.channels == 0 {
		form.channels = channelsFor(e.found, first.Channels())
	}
	if form.samples == astiav.SampleFormatNone {
		form.samples = sampleFormatFor(e.found, first.f.SampleFormat())
	}
	l, err := layout(form.channels)
	if err != nil {
		return err
	}
	err = e.open(e.found.Name(), maps.Clone(e.asked), func(c *astiav.CodecContext) error {
		c.SetSampleRate(form.rate)
		c.SetChannelLayout(l)
		c.SetSampleFormat(form.samples)
		c.SetTimeBase(astiav.NewRational(1, form.rate))
		if e.o.Bitrate > 0 {
			c.SetBitRate(int64(e.o.Bitrate))
		}
		c.SetThreadCount(e.o.Threads)
		return nil
	})
	if err != nil {
		return err
	}
	e.row, err = newRow(soundForm{form.samples, form.rate, l, e.codec.FrameSize()})
	if err != nil {
		return err
	}
	return e.describe(func(t *media.Track) { t.ClockRate = form.rate })
}

// describe makes the track that packets have.
func (e *FrameEncoder) describe(complete func(*media.Track)) error {
	p := astiav.AllocCodecParameters()
	if p == nil {
		return ErrMemory
	}
	defer p.Free()
	if err := p.FromCodecContext(e.codec); err != nil {
		return err
	}
	t := trackOf(p)
	if t == nil {
		return fmt.Errorf("%s tells neither size nor rate: %w", e.found.Name(), ErrUnsupported)
	}
	complete(t)
	bits := &bitstream{track: t}
	bits.configure()
	if e.bits != nil && e.bits.track.SameParameters(t) {
		bits.track = e.bits.track
	}
	e.bits, e.track = bits, bits.track
	return nil
}
