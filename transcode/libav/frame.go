package libav

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// ErrMemory is what FFmpeg's allocators mean by a nil.
var ErrMemory = errors.New("out of memory")

// Frame is one decoded picture or a run of decoded samples in C memory, whose
// planes several Frames may share. Its owner must Close it.
type Frame struct {
	f *astiav.Frame
}

func newFrame() (*Frame, error) {
	f := astiav.AllocFrame()
	if f == nil {
		return nil, fmt.Errorf("allocate frame: %w", ErrMemory)
	}
	return &Frame{f: f}, nil
}

// PTS is the frame's time in ticks of the clock of its track.
func (f *Frame) PTS() int64 { return f.f.Pts() }

// HasPTS reports whether the frame's time is known.
func (f *Frame) HasPTS() bool { return f.f.Pts() != astiav.NoPtsValue }

// Width is a picture's width, after cropping.
func (f *Frame) Width() int { return f.f.Width() }

// Height is a picture's height, after cropping.
func (f *Frame) Height() int { return f.f.Height() }

// Interlaced reports whether the picture holds two fields.
func (f *Frame) Interlaced() bool { return interlaced(f.f) }

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

// Clone makes another Frame of the same planes, which are shared, not copied.
func (f *Frame) Clone() (*Frame, error) {
	c := f.f.Clone()
	if c == nil {
		return nil, fmt.Errorf("reference frame: %w", ErrMemory)
	}
	return &Frame{f: c}, nil
}

// Close frees the Frame, and the planes with the last Frame that shares them.
// It may be called twice.
func (f *Frame) Close() {
	if f.f != nil {
		f.f.Free()
		f.f = nil
	}
}
