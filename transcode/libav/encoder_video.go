package libav

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// VideoEncoderOptions describes one video encoder.
type VideoEncoderOptions struct {
	Codec         media.Codec
	Width, Height int
	ClockRate     int // ticks of PTS a second; the source's own

	// FrameRate is what rate control assumes; without it the bitrate comes
	// out low. It forces no timestamps.
	FrameRate media.Rational

	Bitrate, MaxBitrate int // bits/s; MaxBitrate 0 is no limit
	BufSize             int // bits that MaxBitrate is measured over
	Preset, Profile     string
	Threads             int // 0 leaves it to the encoder

	// LowLatency gives a packet for a frame at once: no look-ahead and no
	// B-frames.
	LowLatency bool

	// NoCaptions leaves closed captions out. It is needed where frames are
	// dropped, because captions are spread over all of them.
	NoCaptions bool

	// Options are the encoder's own, by FFmpeg's names. An unknown one is an
	// error.
	Options map[string]string
}

// VideoEncoder encodes pictures of one size.
type VideoEncoder struct {
	encoder
	width, height int
	last          int64
	fed           bool
}

// OpenVideoEncoder opens an encoder, which the caller must Close. The first
// picture gives the colours that the stream declares; it may be nil.
func OpenVideoEncoder(o VideoEncoderOptions, first *Frame) (_ *VideoEncoder, err error) {
	if o.Codec != media.H264 {
		return nil, fmt.Errorf("open encoder: %s: %w", o.Codec, ErrUnsupported)
	}
	options := map[string]string{
		// No keyframes but those that are asked for, and NAL units as fMP4
		// stores them.
		"x264-params": "annexb=0:keyint=infinite:scenecut=0",
		"preset":      o.Preset,
	}
	if o.Preset == "" {
		options["preset"] = "veryfast"
	}
	if o.Profile != "" {
		options["profile"] = o.Profile
	}
	if o.LowLatency {
		// Each of these would hold a picture back: B-frames, both kinds of
		// look-ahead, the macroblock tree, which needs it, and the wait for
		// the next PTS that variable frame rates need.
		options["x264-params"] += ":bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:force-cfr=1"
		// Threads that work at pictures one after the other delay by one
		// each; threads that share a picture do not.
		if o.Threads > 1 {
			options["x264-params"] += ":sliced-threads=1"
		}
	}
	if o.NoCaptions {
		options["a53cc"] = "0"
	}
	for k, v := range o.Options {
		if k == "x264-params" {
			v = options[k] + ":" + v
		}
		options[k] = v
	}
	if o.BufSize > 0 && o.MaxBitrate > 0 {
		options["maxrate"] = strconv.Itoa(o.MaxBitrate)
		options["bufsize"] = strconv.Itoa(o.BufSize)
	}
	e := &VideoEncoder{width: o.Width, height: o.Height}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	err = e.open("libx264", options, func(c *astiav.CodecContext) error {
		c.SetWidth(o.Width)
		c.SetHeight(o.Height)
		c.SetPixelFormat(astiav.PixelFormatYuv420P)
		c.SetSampleAspectRatio(astiav.NewRational(1, 1))
		c.SetTimeBase(astiav.NewRational(1, o.ClockRate))
		if o.FrameRate.Known() {
			c.SetFramerate(astiav.NewRational(o.FrameRate.Num, o.FrameRate.Den))
		}
		c.SetBitRate(int64(o.Bitrate))
		c.SetThreadCount(o.Threads)
		c.SetFlags(c.Flags().Add(astiav.CodecContextFlagClosedGop))
		if first != nil {
			setColours(c, first.f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open encoder: %w", err)
	}
	config := e.codec.ExtraData()
	if len(config) < 7 || config[0] != 1 {
		return nil, errors.New("open encoder: no avcC from x264")
	}
	e.track = &media.Track{
		Kind: media.Video, Codec: media.H264, ClockRate: o.ClockRate, Config: config,
		Width: o.Width, Height: o.Height, SampleAspect: media.Rational{Num: 1, Den: 1},
		FrameRate: o.FrameRate, BitDepth: 8, Chroma: "4:2:0", Bitrate: max(o.Bitrate, o.MaxBitrate),
	}
	return e, nil
}

// Encode takes one picture, of the size the encoder was opened for, which it
// only borrows, and hands the packets that are ready to emit. key makes it an
// IDR picture, and no other picture is one. PTS must grow. A nil frame drains
// the encoder, which then takes no more.
func (e *VideoEncoder) Encode(f *Frame, key bool, emit func(*media.Packet) error) error {
	if f == nil {
		return e.encode(nil, emit)
	}
	if f.f.Width() != e.width || f.f.Height() != e.height || f.f.PixelFormat() != astiav.PixelFormatYuv420P {
		return fmt.Errorf("encode %dx%d %s as %dx%d: %w",
			f.f.Width(), f.f.Height(), f.f.PixelFormat(), e.width, e.height, ErrShape)
	}
	if e.fed && f.f.Pts() <= e.last {
		return fmt.Errorf("encode: PTS %d after %d: %w", f.f.Pts(), e.last, ErrOrder)
	}
	e.fed, e.last = true, f.f.Pts()
	// The decoder's own picture types would be obeyed too.
	kind := astiav.PictureTypeNone
	if key {
		kind = astiav.PictureTypeI
	}
	f.f.SetPictureType(kind)
	return e.encode(f.f, emit)
}

// ErrOrder marks a frame that is not later than the one before it.
var ErrOrder = errors.New("frames out of order")
