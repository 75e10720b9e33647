package libav

/*
#include "planes.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/transcode"
)

// Planes is how many planes the frame has: of sound that is planar, one a
// channel.
func (f *Frame) Planes() int { return int(C.millracePlanes(framePointer(f.f))) }

// Plane shows one plane and its bytes a line, without a copy. It may be read
// until Close, and written after Writable. The last line of a cropped picture
// may be shorter than stride.
func (f *Frame) Plane(i int) (data []byte, stride int) {
	var n C.int
	var size C.size_t
	p := C.millracePlane(framePointer(f.f), C.int(i), &n, &size)
	if p == nil {
		return nil, 0
	}
	return unsafe.Slice((*byte)(p), int(size)), int(n)
}

// Writable makes the memory this Frame's own, copying where it is shared.
func (f *Frame) Writable() error {
	if f.f.IsWritable() {
		return nil
	}
	if err := f.f.MakeWritable(); err != nil {
		return fmt.Errorf("copy frame: %w", err)
	}
	return nil
}

// Bytes is how much memory the planes take, shared or not.
func (f *Frame) Bytes() int64 { return int64(C.millraceBytes(framePointer(f.f))) }

// upright copies a frame whose lines stand from bottom to top, as filters that
// only turn a picture leave them: nobody but FFmpeg can read that.
func (f *Frame) upright() error {
	if C.millraceUpsideDown(framePointer(f.f)) == 0 {
		return nil
	}
	c, err := newFrame()
	if err != nil {
		return err
	}
	defer c.Close()
	c.f.SetWidth(f.f.Width())
	c.f.SetHeight(f.f.Height())
	c.f.SetPixelFormat(f.f.PixelFormat())
	if err := c.f.AllocBuffer(0); err != nil {
		return fmt.Errorf("copy frame: %w", err)
	}
	if err := copyFrame(c.f, f.f); err != nil {
		return fmt.Errorf("copy frame: %w", err)
	}
	f.f.Unref()
	f.f.MoveRef(c.f)
	return nil
}

func copyFrame(to, from *astiav.Frame) error {
	if err := fault(C.av_frame_copy(framePointer(to), framePointer(from))); err != nil {
		return err
	}
	return fault(C.av_frame_copy_props(framePointer(to), framePointer(from)))
}

// Diff is how different two pictures are: the mean absolute difference of
// their brightness, of 1. Where they differ in size the larger is scaled down.
func (f *Frame) Diff(with transcode.Frame) (float64, error) {
	other, err := FrameOf(with)
	if err != nil {
		return 0, fmt.Errorf("compare pictures: %w", err)
	}
	w, h := min(f.Width(), other.Width()), min(f.Height(), other.Height())
	alike := f.full() == other.full()
	a, err := f.luma(w, h, alike)
	if err != nil {
		return 0, fmt.Errorf("compare pictures: %w", err)
	}
	defer a.Close()
	b, err := other.luma(w, h, alike)
	if err != nil {
		return 0, fmt.Errorf("compare pictures: %w", err)
	}
	defer b.Close()
	x, y := framePointer(a.f), framePointer(b.f)
	steps := 219.0
	if a.full() && b.full() {
		steps = 255
	}
	sum := C.millraceDifference(x.data[0], x.linesize[0], y.data[0], y.linesize[0], C.int(w), C.int(h))
	return math.Min(float64(sum)/(float64(w)*float64(h)*steps), 1), nil
}

// full reports whether brightness counts from 0 to 255, not from 16 to 235.
func (f *Frame) full() bool { return C.millraceFullRange(framePointer(f.f)) != 0 }

// luma is a picture of a size whose first plane is brightness, counted from 16
// to 235; with asIs the picture itself where that is of the size.
func (f *Frame) luma(w, h int, asIs bool) (*Frame, error) {
	if f.Width() <= 0 {
		return nil, fmt.Errorf("sound is no picture: %w", ErrShape)
	}
	if (asIs || !f.full()) && f.Width() == w && f.Height() == h && C.millraceHasLuma(framePointer(f.f)) != 0 {
		return f.Share()
	}
	return f.reshape(fmt.Sprintf("scale=w=%d:h=%d:out_range=limited,format=pix_fmts=yuv420p", w, h))
}

// Histogram counts brightness in 256 steps, of which 0 is black and 255 white.
func (f *Frame) Histogram() ([]int, error) {
	l, err := f.luma(f.Width(), f.Height(), true)
	if err != nil {
		return nil, fmt.Errorf("count brightness: %w", err)
	}
	defer l.Close()
	c := framePointer(l.f)
	var counts [256]C.uint32_t
	C.millraceCount(c.data[0], c.linesize[0], c.width, c.height, &counts[0])
	steps := make([]int, len(counts))
	full := l.full()
	for i, n := range counts {
		at := i
		if !full {
			at = min(max(int(math.Round(float64(i-16)*255/219)), 0), 255)
		}
		steps[at] += int(n)
	}
	return steps, nil
}

// Levels is the RMS and the peak of each channel in dBFS, -Inf for silence.
func (f *Frame) Levels() (rms, peak []float64, err error) {
	n := f.Samples()
	if n <= 0 {
		return nil, nil, fmt.Errorf("measure sound: a picture has none: %w", ErrShape)
	}
	for i := range f.Channels() {
		var squares, top C.double
		if err := fault(C.millraceLevel(framePointer(f.f), C.int(i), &squares, &top)); err != nil {
			return nil, nil, fmt.Errorf("measure sound of %s: %w", f.Format(), err)
		}
		rms = append(rms, 10*math.Log10(float64(squares)/float64(n)))
		peak = append(peak, 20*math.Log10(float64(top)))
	}
	return rms, peak, nil
}
