package libav

/*
#cgo pkg-config: libavcodec
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/pixdesc.h>
#include "graph.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// BlackPicture makes a picture of a pixel format of FFmpeg's, black and
// opaque.
func BlackPicture(width, height int, format string) (_ *Frame, err error) {
	if err := checkSize(width, height); err != nil {
		return nil, fmt.Errorf("make picture: %w", err)
	}
	pixels := astiav.FindPixelFormatByName(format)
	if pixels == astiav.PixelFormatNone {
		return nil, fmt.Errorf("make picture: %w", &transcode.OptionError{
			Kind: transcode.FilterOptions, Part: "format", Option: "pix_fmts", Value: format, Wanted: "a pixel format",
			Nearest: nearest(format, pixelFormats()),
		})
	}
	f, err := newFrame()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	f.f.SetWidth(width)
	f.f.SetHeight(height)
	f.f.SetPixelFormat(pixels)
	f.f.SetSampleAspectRatio(astiav.NewRational(1, 1))
	f.f.SetPts(astiav.NoPtsValue)
	if err := f.f.AllocBuffer(0); err != nil {
		return nil, fmt.Errorf("make picture of %s: %w", format, err)
	}
	if err := f.f.ImageFillBlack(); err != nil {
		return nil, fmt.Errorf("make picture of %s: %w", format, err)
	}
	return f, nil
}

// mostSamples of all channels stand in one frame.
const mostSamples = 1 << 24

// Silence makes a run of samples, as planar floats.
func Silence(rate, channels, samples int) (_ *Frame, err error) {
	if rate < 1 || rate > 768000 || channels < 1 || channels > 64 || samples < 1 {
		return nil, fmt.Errorf("make sound: %d samples of %d channels at %d Hz: %w", samples, channels, rate, ErrShape)
	}
	if samples > mostSamples/channels {
		return nil, fmt.Errorf("make sound: %d samples of %d channels are %w: %d in all can be made",
			samples, channels, ErrTooLarge, mostSamples)
	}
	f, err := newFrame()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	c := framePointer(f.f)
	C.av_channel_layout_default(&c.ch_layout, C.int(channels))
	f.f.SetSampleRate(rate)
	f.f.SetSampleFormat(astiav.SampleFormatFltp)
	f.f.SetNbSamples(samples)
	f.f.SetPts(astiav.NoPtsValue)
	f.clock = rate
	if err := f.f.AllocBuffer(0); err != nil {
		return nil, fmt.Errorf("make sound: %w", err)
	}
	if err := f.f.SamplesFillSilence(); err != nil {
		return nil, fmt.Errorf("make sound: %w", err)
	}
	return f, nil
}

// reshape runs one frame through a graph and returns what comes out, at the
// same time.
func (f *Frame) reshape(description string) (_ *Frame, err error) {
	g, err := newGraph(description, []input{{like: f.f, clock: max(f.clock, 1)}}, 1)
	if err != nil {
		return nil, err
	}
	defer g.free()
	out, err := newFrame()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			out.Close()
		}
	}()
	for _, in := range []*astiav.Frame{f.f, nil} {
		if err = g.push(0, in); err != nil {
			return nil, err
		}
	}
	got, _, err := g.pull(0, out.f)
	if err == nil && !got {
		err = errNoPicture
	}
	if err != nil {
		return nil, err
	}
	out.f.SetPts(f.f.Pts())
	out.clock, out.rate = f.clock, f.rate
	return out, out.upright()
}

// Scale makes a picture of another size and pixel format. A width or height of
// 0 keeps the aspect, an empty format the format.
func (f *Frame) Scale(width, height int, format string) (transcode.Frame, error) {
	if f.Kind() != media.Video {
		return nil, fmt.Errorf("scale: sound is no picture: %w", ErrShape)
	}
	w, h := int64(f.Width()), int64(f.Height())
	switch {
	case width == 0 && height == 0:
		width, height = f.Width(), f.Height()
	case width == 0:
		width = even(int64(height)*w, h)
	case height == 0:
		height = even(int64(width)*h, w)
	}
	if err := checkSize(width, height); err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	if format == "" {
		format = f.Format()
	}
	if astiav.FindPixelFormatByName(format) == astiav.PixelFormatNone {
		return nil, fmt.Errorf("scale: %w", &transcode.OptionError{
			Kind: transcode.FilterOptions, Part: "format", Option: "pix_fmts", Value: format, Wanted: "a pixel format",
			Nearest: nearest(format, pixelFormats()),
		})
	}
	out, err := f.reshape(fmt.Sprintf("scale=w=%d:h=%d,format=pix_fmts=%s", width, height, format))
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	return out, nil
}

// JPEG is the picture as a file, of a quality from 1 to 100.
func (f *Frame) JPEG(quality int) ([]byte, error) {
	const best, worst = 2, 31 // quantiser scales
	quality = min(max(quality, 1), 100)
	scale := math.Round(worst - float64(quality-1)*(worst-best)/99)
	options := map[string]string{"flags": "+qscale", "global_quality": strconv.Itoa(int(scale) * qscale)}
	return f.file("mjpeg", "scale=out_range=full,format=pix_fmts=yuvj420p", options)
}

// qscale is FFmpeg's unit of quality.
const qscale = 118

// PNG is the picture as a file, with its transparency where it has any.
func (f *Frame) PNG() ([]byte, error) {
	formats := []C.enum_AVPixelFormat{
		C.AV_PIX_FMT_RGB24, C.AV_PIX_FMT_RGBA, C.AV_PIX_FMT_RGB48BE, C.AV_PIX_FMT_RGBA64BE,
		C.AV_PIX_FMT_GRAY8, C.AV_PIX_FMT_YA8, C.AV_PIX_FMT_GRAY16BE, C.AV_PIX_FMT_NONE,
	}
	best := C.avcodec_find_best_pix_fmt_of_list(&formats[0], C.enum_AVPixelFormat(f.f.PixelFormat()), 1, nil)
	if best == C.AV_PIX_FMT_NONE {
		best = C.AV_PIX_FMT_RGB24
	}
	return f.file("png", "format=pix_fmts="+C.GoString(C.av_get_pix_fmt_name(best)), nil)
}

// file codes the picture, in the form that a graph gives it, by itself.
func (f *Frame) file(coder, form string, options map[string]string) ([]byte, error) {
	if f.Kind() != media.Video {
		return nil, fmt.Errorf("make %s: sound is no picture: %w", coder, ErrShape)
	}
	shaped, err := f.reshape(form)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", coder, err)
	}
	defer shaped.Close()
	file, err := still(shaped, coder, options)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", coder, err)
	}
	return file, nil
}

// still codes one picture that is in a form that the coder takes.
func still(f *Frame, coder string, options map[string]string) (file []byte, err error) {
	var e encoder
	defer e.Close()
	err = e.open(coder, options, func(c *astiav.CodecContext) error {
		c.SetWidth(f.Width())
		c.SetHeight(f.Height())
		c.SetPixelFormat(f.f.PixelFormat())
		c.SetColorRange(f.f.ColorRange())
		c.SetSampleAspectRatio(f.f.SampleAspectRatio())
		c.SetTimeBase(astiav.NewRational(1, 90000))
		c.SetThreadCount(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	take := func(p *media.Packet) error {
		file = p.Payload
		return nil
	}
	err = e.encode(f.f, take)
	if err == nil && file == nil {
		err = e.encode(nil, take)
	}
	if err == nil && file == nil {
		err = errors.New("nothing came of it")
	}
	return file, err
}

func pixelFormats() []string {
	var names []string
	for d := C.av_pix_fmt_desc_next(nil); d != nil; d = C.av_pix_fmt_desc_next(d) {
		names = append(names, C.GoString(d.name))
	}
	return names
}

func isRGB(p astiav.PixelFormat) bool {
	d := C.av_pix_fmt_desc_get(C.enum_AVPixelFormat(p))
	return d != nil && d.flags&C.AV_PIX_FMT_FLAG_RGB != 0
}
