package testmedia

import (
	"fmt"
	"image"
)

// Frame is one 8-bit 4:2:0 picture whose planes stand one after the other.
type Frame struct {
	image.YCbCr

	// I420 is the memory of all three planes: Y, Cb, Cr, without padding, as
	// rawvideo of pixel format yuv420p has it.
	I420 []byte
}

// NewFrame returns a black frame. Width and height must be even and between 16
// and 8192.
func NewFrame(width, height int) (*Frame, error) {
	if width < 16 || height < 16 || width > 8192 || height > 8192 || width%2 != 0 || height%2 != 0 {
		return nil, fmt.Errorf("make frame: size %dx%d is not even or not within 16 and 8192", width, height)
	}
	luma, chroma := width*height, width*height/4
	b := make([]byte, luma+2*chroma)
	f := &Frame{I420: b, YCbCr: image.YCbCr{
		Y: b[:luma:luma], Cb: b[luma : luma+chroma : luma+chroma], Cr: b[luma+chroma:],
		YStride: width, CStride: width / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420,
		Rect:           image.Rect(0, 0, width, height),
	}}
	fill(f.Y, black)
	fill(f.Cb, neutral)
	fill(f.Cr, neutral)
	return f, nil
}

// Luma and chroma of limited range, as video has them.
const (
	black   = 16
	white   = 235
	neutral = 128
)

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// yuv converts full-range RGB to limited-range BT.709.
func yuv(r, g, b float64) (y, u, v byte) {
	luma := 0.2126*r + 0.7152*g + 0.0722*b
	return clamp(16 + luma*219/255), clamp(128 + (b-luma)/1.8556*224/255), clamp(128 + (r-luma)/1.5748*224/255)
}

func clamp(v float64) byte { return byte(min(max(v+0.5, 0), 255)) }

// rect fills a rectangle, given in luma samples, with gray; its corners must be
// even.
func (f *Frame) rect(r image.Rectangle, gray byte) {
	r = r.Intersect(f.Rect)
	if r.Empty() {
		return
	}
	for row := r.Min.Y; row < r.Max.Y; row++ {
		fill(f.Y[row*f.YStride+r.Min.X:row*f.YStride+r.Max.X], gray)
	}
	for row := r.Min.Y / 2; row < r.Max.Y/2; row++ {
		at := row * f.CStride
		fill(f.Cb[at+r.Min.X/2:at+r.Max.X/2], neutral)
		fill(f.Cr[at+r.Min.X/2:at+r.Max.X/2], neutral)
	}
}

// even rounds down to an even number of samples, so that chroma lines up.
func even(v float64) int { return int(v) &^ 1 }
