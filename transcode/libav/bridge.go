package libav

/*
#cgo pkg-config: libavcodec libavformat libavutil libswresample
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// go-astiav shows the C pointer of a CodecContext and a Frame, not of the
// other types. Each of those is a struct of exactly one C pointer, which the
// array lengths below hold the compiler to.
var (
	_ [unsafe.Sizeof(uintptr(0)) - unsafe.Sizeof(astiav.Packet{})]struct{}
	_ [unsafe.Sizeof(uintptr(0)) - unsafe.Sizeof(astiav.CodecParameters{})]struct{}
	_ [unsafe.Sizeof(uintptr(0)) - unsafe.Sizeof(astiav.Codec{})]struct{}
	_ [unsafe.Sizeof(uintptr(0)) - unsafe.Sizeof(astiav.FormatContext{})]struct{}
	_ [unsafe.Sizeof(uintptr(0)) - unsafe.Sizeof(astiav.SoftwareResampleContext{})]struct{}
)

func codecPointer(c *astiav.CodecContext) *C.AVCodecContext {
	return (*C.AVCodecContext)(c.UnsafePointer())
}

func framePointer(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

func packetPointer(p *astiav.Packet) *C.AVPacket {
	return *(**C.AVPacket)(unsafe.Pointer(p))
}

func resamplePointer(r *astiav.SoftwareResampleContext) *C.SwrContext {
	return *(**C.SwrContext)(unsafe.Pointer(r))
}

func parametersPointer(p *astiav.CodecParameters) *C.AVCodecParameters {
	return *(**C.AVCodecParameters)(unsafe.Pointer(p))
}

// details is what FFmpeg found out about an elementary stream.
type details struct {
	depth, bits, delay int
	chroma             string
	interlaced         bool
	profile            string
}

func detailsOf(p *astiav.CodecParameters) details {
	c := C.millraceStreamDetails(parametersPointer(p))
	d := details{depth: int(c.depth), bits: int(c.bits), delay: int(c.delay), interlaced: c.interlaced != 0}
	switch [2]C.int{c.chromaWidth, c.chromaHeight} {
	case [2]C.int{1, 1}:
		d.chroma = "4:2:0"
	case [2]C.int{1, 0}:
		d.chroma = "4:2:2"
	case [2]C.int{0, 0}:
		d.chroma = "4:4:4"
	}
	if name := C.millraceProfileName(parametersPointer(p)); name != nil {
		d.profile = C.GoString(name)
	}
	return d
}

// codecNamed finds a codec by the name of its descriptor.
func codecNamed(name string) (astiav.CodecID, bool) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	id := C.millraceCodecNamed(c)
	return astiav.CodecID(id), id != C.AV_CODEC_ID_NONE
}

func fault(code C.int) error {
	if code >= 0 {
		return nil
	}
	return astiav.Error(code)
}

// send hands one payload to a decoder; nil drains it.
func send(c *astiav.CodecContext, scratch *astiav.Packet, p *media.Packet) error {
	if p == nil {
		return fault(C.millraceSend(codecPointer(c), packetPointer(scratch), nil, 0, 0, 0, 0, 0))
	}
	var key C.int
	if p.Key {
		key = 1
	}
	return fault(C.millraceSend(codecPointer(c), packetPointer(scratch),
		(*C.uint8_t)(unsafe.SliceData(p.Payload)), C.int(len(p.Payload)),
		C.int64_t(p.PTS), C.int64_t(p.DTS), C.int64_t(p.Duration), key))
}

// payload shows a packet's bytes without a copy; they live as long as the
// packet is not touched.
func payload(p *astiav.Packet) []byte {
	c := packetPointer(p)
	if c.data == nil || c.size <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(c.data), int(c.size))
}

func flush(c *astiav.CodecContext) { C.millraceFlush(codecPointer(c)) }

func setReorder(c *astiav.CodecContext, frames int) {
	C.millraceSetReorder(codecPointer(c), C.int(frames))
}

func reorder(c *astiav.CodecContext) int { return int(C.millraceReorder(codecPointer(c))) }

func initialPadding(c *astiav.CodecContext) int {
	return int(C.millraceInitialPadding(codecPointer(c)))
}

func setPacketTimeBase(c *astiav.CodecContext, rate int) {
	C.millraceSetPacketTimeBase(codecPointer(c), 1, C.int(rate))
}

func setColours(c *astiav.CodecContext, f *astiav.Frame) {
	C.millraceSetColours(codecPointer(c), framePointer(f))
}

func interlaced(f *astiav.Frame) bool { return C.millraceInterlaced(framePointer(f)) != 0 }

func bestPTS(f *astiav.Frame) int64 { return int64(C.millraceBestPTS(framePointer(f))) }

func skipSamples(f *astiav.Frame, n int) error {
	return fault(C.millraceSkipSamples(framePointer(f), C.int(n)))
}

func stretch(r *astiav.SoftwareResampleContext, delta, distance int) error {
	return fault(C.millraceStretch(resamplePointer(r), C.int(delta), C.int(distance)))
}

// plane shows one plane of a frame's samples or pixels without a copy.
func plane(f *astiav.Frame, i, size int) []byte {
	c := framePointer(f)
	if i < 0 || i >= len(c.data) || c.data[i] == nil || size <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(c.data[i]), size)
}

//export millraceLog
func millraceLog(level C.int, line *C.char, size, dropped C.int) {
	if handler := logHandler.Load(); handler != nil {
		(*handler)(LogLevel(level), C.GoStringN(line, size), int(dropped))
	}
}

// Version is the version of the FFmpeg that is linked in.
func Version() string { return C.GoString(C.av_version_info()) }

func startLog(level LogLevel) { C.millraceLogStart(C.int(level)) }

func duration(f *astiav.Frame) int64 { return int64(framePointer(f).duration) }

func setDuration(f *astiav.Frame, d int64) { framePointer(f).duration = C.int64_t(d) }
