package libav

/*
#cgo pkg-config: libavcodec
#include <libavcodec/avcodec.h>
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// usualEncoders are what media's names of codecs stand for, the best first.
var usualEncoders = map[string][]string{
	string(media.H264): {"libx264"}, string(media.H265): {"libx265"}, "hevc": {"libx265"},
	string(media.VP9): {"libvpx-vp9"}, "vp8": {"libvpx"}, string(media.AV1): {"libsvtav1", "libaom-av1"},
	string(media.Opus): {"libopus"}, string(media.MPEGAudio): {"libmp3lame", "mp2"}, "mp3": {"libmp3lame"},
	string(media.PCMA): {"pcm_alaw"}, string(media.PCMU): {"pcm_mulaw"}, string(media.LPCM): {"pcm_s16be"},
}

// findEncoder finds an encoder by its own name or its codec's.
func findEncoder(name string) (*astiav.Codec, error) {
	for _, usual := range usualEncoders[name] {
		if c := astiav.FindEncoderByName(usual); c != nil {
			return c, nil
		}
	}
	if c := astiav.FindEncoderByName(name); c != nil {
		return c, nil
	}
	if id, ok := codecNamed(name); ok {
		if c := astiav.FindEncoder(id); c != nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrUnsupported, &transcode.OptionError{
		Kind: transcode.EncoderOptions, Part: name, Nearest: nearest(name, coderNames(true)),
	})
}

// coderNames lists the coders that pictures and sound can have.
func coderNames(encoders bool) []string {
	var names []string
	var opaque unsafe.Pointer
	for c := C.av_codec_iterate(&opaque); c != nil; c = C.av_codec_iterate(&opaque) {
		isEncoder := C.av_codec_is_encoder(c) != 0
		if isEncoder != encoders || c._type != C.AVMEDIA_TYPE_VIDEO && c._type != C.AVMEDIA_TYPE_AUDIO {
			continue
		}
		if c.id == C.AV_CODEC_ID_WRAPPED_AVFRAME || c.id == C.AV_CODEC_ID_VNULL || c.id == C.AV_CODEC_ID_ANULL {
			continue // no media
		}
		names = append(names, C.GoString(c.name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// takes lists what an opened-to-be encoder takes of one thing; nil is
// anything.
func takes[T any](c *astiav.Codec, what C.enum_AVCodecConfig) []T {
	var list unsafe.Pointer
	var n C.int
	if C.avcodec_get_supported_config(nil, constCodec(c), what, 0, &list, &n) < 0 || list == nil {
		return nil
	}
	return slices.Clone(unsafe.Slice((*T)(list), int(n)))
}

// pixelFormatFor chooses the pixel format of an encoder for pictures of one.
// Where red, green and blue come in and could only stay whole as 4:4:4, which
// few players take, they become 4:2:0.
func pixelFormatFor(c *astiav.Codec, from astiav.PixelFormat) astiav.PixelFormat {
	formats := takes[C.enum_AVPixelFormat](c, C.AV_CODEC_CONFIG_PIX_FORMAT)
	mine := C.enum_AVPixelFormat(from)
	if len(formats) == 0 || slices.Contains(formats, mine) {
		return from
	}
	usual := C.enum_AVPixelFormat(C.AV_PIX_FMT_YUV420P)
	if isRGB(from) && slices.Contains(formats, usual) && !slices.ContainsFunc(formats, func(f C.enum_AVPixelFormat) bool {
		return isRGB(astiav.PixelFormat(f))
	}) {
		return astiav.PixelFormat(usual)
	}
	formats = append(formats, C.AV_PIX_FMT_NONE)
	best := C.avcodec_find_best_pix_fmt_of_list(&formats[0], mine, 1, nil)
	if best == C.AV_PIX_FMT_NONE {
		best = formats[0]
	}
	return astiav.PixelFormat(best)
}

// fullRange is the form of a pixel format that JPEG has.
func fullRange(p astiav.PixelFormat) astiav.PixelFormat {
	if rest, ok := strings.CutPrefix(p.Name(), "yuv4"); ok {
		return astiav.FindPixelFormatByName("yuvj4" + rest)
	}
	return p
}

// sampleFormatFor chooses an encoder's sample format.
func sampleFormatFor(c *astiav.Codec, from astiav.SampleFormat) astiav.SampleFormat {
	formats := takes[C.enum_AVSampleFormat](c, C.AV_CODEC_CONFIG_SAMPLE_FORMAT)
	if len(formats) == 0 || slices.Contains(formats, C.enum_AVSampleFormat(from)) {
		return from
	}
	return astiav.SampleFormat(formats[0])
}

// sampleRateFor chooses an encoder's sample rate: the least that loses nothing.
func sampleRateFor(c *astiav.Codec, from int) int {
	best := 0
	for _, r := range takes[C.int](c, C.AV_CODEC_CONFIG_SAMPLE_RATE) {
		switch rate := int(r); {
		case rate == from:
			return from
		case best == 0, best < from && rate > best, best > from && rate > from && rate < best:
			best = rate
		}
	}
	if best == 0 {
		return from
	}
	return best
}

// channelsFor chooses an encoder's number of channels.
func channelsFor(c *astiav.Codec, from int) int {
	best := 0
	for _, l := range takes[C.AVChannelLayout](c, C.AV_CODEC_CONFIG_CHANNEL_LAYOUT) {
		switch n := int(l.nb_channels); {
		case n == from:
			return from
		case best == 0, n < from && (n > best || best > from), best > from && n > from && n < best:
			best = n
		}
	}
	if best == 0 {
		return from
	}
	return best
}

func sampleFormatNamed(name string) astiav.SampleFormat {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return astiav.SampleFormat(C.av_get_sample_fmt(n))
}

// constCodec shows the C pointer; see bridge.go.
func constCodec(c *astiav.Codec) *C.AVCodec { return *(**C.AVCodec)(unsafe.Pointer(c)) }

// isVideo tells what a coder codes.
func isVideo(c *astiav.Codec) bool { return constCodec(c)._type == C.AVMEDIA_TYPE_VIDEO }

// quietSVT keeps that encoder from writing to standard error, which it does by
// itself.
func quietSVT() { C.setenv(svtLog, svtErrors, 0) }

var svtLog, svtErrors = C.CString("SVT_LOG"), C.CString("1")

// formatNames are the pixel formats that an encoder takes.
func formatNames(c *astiav.Codec) []string {
	var names []string
	for _, f := range takes[C.enum_AVPixelFormat](c, C.AV_CODEC_CONFIG_PIX_FORMAT) {
		names = append(names, astiav.PixelFormat(f).Name())
	}
	return names
}

// sampleFormatNames are the sample formats that an encoder takes.
func sampleFormatNames(c *astiav.Codec) []string {
	var names []string
	for _, f := range takes[C.enum_AVSampleFormat](c, C.AV_CODEC_CONFIG_SAMPLE_FORMAT) {
		names = append(names, astiav.SampleFormat(f).Name())
	}
	return names
}

// sampleRates are those that an encoder takes, nil for any.
func sampleRates(c *astiav.Codec) []string {
	var rates []string
	for _, r := range takes[C.int](c, C.AV_CODEC_CONFIG_SAMPLE_RATE) {
		rates = append(rates, strconv.Itoa(int(r)))
	}
	return rates
}
