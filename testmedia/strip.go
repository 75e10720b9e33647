package testmedia

import (
	"errors"
	"fmt"
	"image"
	"math"
	"time"
)

// ErrNoStrip says that the picture has no strip, or one that cannot be read
// without doubt. A strip is never misread in silence: guard blocks and a
// checksum are looked at.
var ErrNoStrip = errors.New("no readable strip")

// What the strip carries, most significant bit first: the frame number, the
// wall-clock time in milliseconds since 1970, and a checksum of both.
const (
	frameBits = 26 // 13 days of 60 pictures a second
	wallBits  = 42 // until the year 2109
	crcBits   = 16
	stripBits = frameBits + wallBits + crcBits
	guardBits = 2 // at each end of each row: white black … black white
)

// Layout is where the strip is, in fractions of the picture's width and
// height. Each row starts with a white and a black block and ends with a black
// and a white one; between them stand Bits bits, white is 1.
type Layout struct {
	Left, Top, Right, Bottom float64
	Rows, Bits               int
}

// Layouts are the ways in which strips are laid out: the first one where the
// displayed picture is wider than high, the second one elsewhere. A reader
// tries both.
func Layouts() []Layout { return []Layout{layouts[0], layouts[1]} }

var layouts = [2]Layout{
	{Left: 0.04, Top: 0.035, Right: 0.96, Bottom: 0.125, Rows: 2, Bits: stripBits / 2},
	{Left: 0.04, Top: 0.030, Right: 0.96, Bottom: 0.120, Rows: 4, Bits: stripBits / 4},
}

// blocks is the number of blocks in a row.
func (l Layout) blocks() int { return l.Bits + 2*guardBits }

// edges returns where n blocks between two fractions of size start and end.
func edges(from, to float64, n, size int) []int {
	e := make([]int, n+1)
	for i := range e {
		e[i] = int(math.Round((from + (to-from)*float64(i)/float64(n)) * float64(size)))
	}
	return e
}

// encodeStrip returns the strip's bits.
func encodeStrip(s Stamp) [stripBits]bool {
	var bits [stripBits]bool
	put := func(at, n int, v uint64) {
		for i := range n {
			bits[at+i] = v>>(n-1-i)&1 == 1
		}
	}
	put(0, frameBits, uint64(s.Frame))
	put(frameBits, wallBits, uint64(s.Wall.UnixMilli()))
	put(frameBits+wallBits, crcBits, uint64(crc16(bits[:frameBits+wallBits])))
	return bits
}

// decodeBits is the reverse of encodeStrip.
func decodeBits(bits []bool) (Stamp, bool) {
	get := func(at, n int) (v uint64) {
		for _, b := range bits[at : at+n] {
			v <<= 1
			if b {
				v |= 1
			}
		}
		return v
	}
	if uint64(crc16(bits[:frameBits+wallBits])) != get(frameBits+wallBits, crcBits) {
		return Stamp{}, false
	}
	return Stamp{Frame: uint32(get(0, frameBits)), Wall: time.UnixMilli(int64(get(frameBits, wallBits))).UTC()}, true
}

// crc16 is CRC-16/CCITT with all ones to start from, over single bits.
func crc16(bits []bool) uint16 {
	crc := uint16(0xffff)
	for _, b := range bits {
		top := crc>>15 == 1
		crc <<= 1
		if top != b {
			crc ^= 0x1021
		}
	}
	return crc
}

// DecodeStrip reads the strip of a picture of any size. The picture is the
// part of img inside rect, or all of img where rect is empty; black bars
// around it are found by themselves.
func DecodeStrip(img image.Image, rect image.Rectangle) (Stamp, error) {
	if rect.Empty() {
		rect = img.Bounds()
	}
	rect = rect.Intersect(img.Bounds())
	if rect.Empty() {
		return Stamp{}, fmt.Errorf("read strip: empty picture: %w", ErrNoStrip)
	}
	if y, ok := img.(*image.YCbCr); ok {
		return DecodeLuma(y.Y[y.YOffset(rect.Min.X, rect.Min.Y):], y.YStride, rect.Dx(), rect.Dy())
	}
	if g, ok := img.(*image.Gray); ok {
		return DecodeLuma(g.Pix[g.PixOffset(rect.Min.X, rect.Min.Y):], g.Stride, rect.Dx(), rect.Dy())
	}
	gray := make([]byte, rect.Dx()*rect.Dy())
	for y := range rect.Dy() {
		for x := range rect.Dx() {
			r, g, b, _ := img.At(rect.Min.X+x, rect.Min.Y+y).RGBA()
			gray[y*rect.Dx()+x] = byte((r + 2*g + b) >> 10)
		}
	}
	return DecodeLuma(gray, rect.Dx(), rect.Dx(), rect.Dy())
}

// DecodeLuma reads the strip of a picture given as its luma plane, of either
// range, with stride bytes a row.
func DecodeLuma(pix []byte, stride, width, height int) (Stamp, error) {
	if width <= 0 || height <= 0 || stride < width || len(pix) < stride*(height-1)+width {
		return Stamp{}, fmt.Errorf("read strip: %d bytes are no %dx%d picture: %w", len(pix), width, height, ErrNoStrip)
	}
	p := plane{pix: pix, stride: stride, picture: image.Rect(0, 0, width, height)}
	if s, ok := p.decode(); ok {
		return s, nil
	}
	if p.trimBars() {
		if s, ok := p.decode(); ok {
			return s, nil
		}
	}
	return Stamp{}, fmt.Errorf("read strip of a %dx%d picture: %w", width, height, ErrNoStrip)
}

// StripBits are the widths of the frame number and of the time in the strip,
// for readers in another language.
func StripBits() (frame, wall int) { return frameBits, wallBits }
