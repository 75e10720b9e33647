package libav

import (
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// NewPicture makes a Frame of an 8-bit 4:2:0 picture whose planes stand one
// after the other without padding. The pixels are copied.
func NewPicture(width, height int, i420 []byte, pts int64) (*Frame, error) {
	if width <= 0 || height <= 0 || width%2 != 0 || height%2 != 0 || len(i420) != width*height*3/2 {
		return nil, fmt.Errorf("make picture: %d bytes for %dx%d: %w", len(i420), width, height, ErrShape)
	}
	f, err := newFrame()
	if err != nil {
		return nil, err
	}
	f.f.SetWidth(width)
	f.f.SetHeight(height)
	f.f.SetPixelFormat(astiav.PixelFormatYuv420P)
	f.f.SetPts(pts)
	if err := f.f.AllocBuffer(0); err != nil {
		f.Close()
		return nil, fmt.Errorf("make picture: %w", err)
	}
	strides := f.f.Linesize()
	for i, w := range []int{width, width / 2, width / 2} {
		h := height * w / width
		dst := plane(f.f, i, strides[i]*h)
		for y := range h {
			copy(dst[y*strides[i]:], i420[y*w:(y+1)*w])
		}
		i420 = i420[w*h:]
	}
	return f, nil
}

// NewSamples makes a Frame of 16-bit samples whose channels alternate. The
// samples are copied.
func NewSamples(rate, channels int, pcm []int16, pts int64) (*Frame, error) {
	l, err := layout(channels)
	if err != nil {
		return nil, err
	}
	if len(pcm) == 0 || len(pcm)%channels != 0 {
		return nil, fmt.Errorf("make sound: %d samples for %d channels: %w", len(pcm), channels, ErrShape)
	}
	f, err := newFrame()
	if err != nil {
		return nil, err
	}
	f.f.SetSampleRate(rate)
	f.f.SetChannelLayout(l)
	f.f.SetSampleFormat(astiav.SampleFormatS16)
	f.f.SetNbSamples(len(pcm) / channels)
	f.f.SetPts(pts)
	if err := f.f.AllocBuffer(0); err != nil {
		f.Close()
		return nil, fmt.Errorf("make sound: %w", err)
	}
	copy(plane(f.f, 0, len(pcm)*2), unsafe.Slice((*byte)(unsafe.Pointer(&pcm[0])), len(pcm)*2))
	return f, nil
}
