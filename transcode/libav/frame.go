package libav

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// ErrMemory is what FFmpeg's allocators mean by a nil.
var ErrMemory = errors.New("out of memory")

// Frame is one decoded picture or a run of decoded samples in C memory, whose
// planes several Frames may share. Its owner must Close it. It is what
// transcode.Frame asks for.
type Frame struct {
	f     *astiav.Frame
	clock int            // ticks of PTS a second; 0 while nobody has said it
	rate  media.Rational // of the pictures that it is one of, where it is known
}

var _ transcode.Frame = (*Frame)(nil)

func newFrame() (*Frame, error) {
	f := astiav.AllocFrame()
	if f == nil {
		return nil, fmt.Errorf("allocate frame: %w", ErrMemory)
	}
	return &Frame{f: f}, nil
}

// Kind tells pictures from sound.
func (f *Frame) Kind() media.Kind {
	if f.f.Width() > 0 {
		return media.Video
	}
	return media.Audio
}

// Time is the frame's PTS, for those who know that it has one.
func (f *Frame) Time() int64 { return f.f.Pts() }

// PTS is the frame's time in ticks of its clock, which is its track's.
func (f *Frame) PTS() (pts int64, ok bool) {
	pts = f.f.Pts()
	return pts, pts != astiav.NoPtsValue
}

// SetPTS gives the frame another time.
func (f *Frame) SetPTS(pts int64) { f.f.SetPts(pts) }

// ClockRate is the number of ticks of PTS a second.
func (f *Frame) ClockRate() int { return f.clock }

// SetClockRate says how PTS counts; it changes no time.
func (f *Frame) SetClockRate(rate int) { f.clock = rate }

// Width is a picture's width, after cropping.
func (f *Frame) Width() int { return f.f.Width() }

// Height is a picture's height, after cropping.
func (f *Frame) Height() int { return f.f.Height() }

// Format is FFmpeg's name of the pixel or sample format.
func (f *Frame) Format() string {
	if f.Kind() == media.Video {
		return f.f.PixelFormat().Name()
	}
	return f.f.SampleFormat().Name()
}

// Key reports whether the picture came of a keyframe.
func (f *Frame) Key() bool { return f.f.KeyFrame() }

// Interlaced reports whether the picture holds two fields.
func (f *Frame) Interlaced() bool { return interlaced(f.f) }

// SampleRate is the number of samples a second of each channel.
func (f *Frame) SampleRate() int { return f.f.SampleRate() }

// Channels is the number of channels.
func (f *Frame) Channels() int { return f.f.ChannelLayout().Channels() }

// Samples is the number of samples a channel.
func (f *Frame) Samples() int { return f.f.NbSamples() }

// Channel shows the samples of one channel, without a copy, where they are
// planar floats as most decoders give them, and nil otherwise. They may be
// read until the frame is closed.
func (f *Frame) Channel(i int) []float32 {
	n := f.f.NbSamples()
	if f.f.SampleFormat() != astiav.SampleFormatFltp || i >= f.f.ChannelLayout().Channels() {
		return nil
	}
	b := plane(f.f, i, 4*n)
	if b == nil {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), n)
}

// Share makes another Frame of the same planes, which are shared, not copied.
func (f *Frame) Share() (*Frame, error) {
	c := f.f.Clone()
	if c == nil {
		return nil, fmt.Errorf("reference frame: %w", ErrMemory)
	}
	return &Frame{f: c, clock: f.clock, rate: f.rate}, nil
}

// Clone is Share.
func (f *Frame) Clone() (transcode.Frame, error) {
	c, err := f.Share()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// take moves what a borrowed frame holds into one of its own.
func (f *Frame) take() (*Frame, error) {
	c, err := newFrame()
	if err != nil {
		return nil, err
	}
	c.f.MoveRef(f.f)
	c.clock, c.rate = f.clock, f.rate
	return c, nil
}

// Close frees the Frame, and the planes with the last Frame that shares them.
// It may be called twice.
func (f *Frame) Close() {
	if f.f != nil {
		f.f.Free()
		f.f = nil
	}
}

// FrameOf is what an interface's frame is: there is no other kind.
func FrameOf(f transcode.Frame) (*Frame, error) {
	ours, ok := f.(*Frame)
	if !ok || ours == nil || ours.f == nil {
		return nil, fmt.Errorf("a frame that is closed, or not of this engine: %w", ErrShape)
	}
	return ours, nil
}
