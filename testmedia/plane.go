package testmedia

import (
	"image"
	"math"
)

// plane is a luma plane and the rectangle in it that is the picture.
type plane struct {
	pix     []byte
	stride  int
	picture image.Rectangle
}

// nudges are the places, in blocks, where the strip is looked for: first where
// it should be, then around there, for pictures that were cropped or placed
// carelessly.
var nudges = [...]struct{ x, y float64 }{
	{0, 0}, {-0.3, 0}, {0.3, 0}, {0, -0.3}, {0, 0.3}, {-0.3, -0.3}, {0.3, -0.3}, {-0.3, 0.3}, {0.3, 0.3},
}

func (p plane) decode() (Stamp, bool) {
	for _, n := range nudges {
		for _, l := range layouts {
			if bits, ok := p.sample(l, n.x, n.y); ok {
				if s, ok := decodeBits(bits); ok {
					return s, true
				}
			}
		}
	}
	return Stamp{}, false
}

// minContrast is the least distance between black and white blocks; less is
// not told from noise.
const minContrast = 32

// sample reads the bits of one layout, moved by parts of a block.
func (p plane) sample(l Layout, moveX, moveY float64) ([]bool, bool) {
	bits := make([]bool, 0, l.Rows*l.Bits)
	blocks := make([]float64, l.blocks())
	w := (l.Right - l.Left) / float64(len(blocks)) * float64(p.picture.Dx())
	h := (l.Bottom - l.Top) / float64(l.Rows) * float64(p.picture.Dy())
	left := float64(p.picture.Min.X) + l.Left*float64(p.picture.Dx()) + moveX*w
	top := float64(p.picture.Min.Y) + l.Top*float64(p.picture.Dy()) + moveY*h
	for row := range l.Rows {
		for i := range blocks {
			blocks[i] = p.mean(left+(float64(i)+0.25)*w, top+(float64(row)+0.25)*h, w/2, h/2)
		}
		n := len(blocks)
		white, black := (blocks[0]+blocks[n-1])/2, (blocks[1]+blocks[n-2])/2
		if white-black < minContrast {
			return nil, false
		}
		threshold := (white + black) / 2
		if blocks[0] < threshold || blocks[1] > threshold || blocks[n-2] > threshold || blocks[n-1] < threshold {
			return nil, false
		}
		for _, b := range blocks[guardBits : n-guardBits] {
			bits = append(bits, b > threshold)
		}
	}
	return bits, true
}

// mean is the mean of the samples whose centres lie in a rectangle, or of the
// one nearest to its centre where it holds none.
func (p plane) mean(x, y, w, h float64) float64 {
	x0, x1 := span(x, w, p.picture.Min.X, p.picture.Max.X)
	y0, y1 := span(y, h, p.picture.Min.Y, p.picture.Max.Y)
	sum := 0
	for row := y0; row < y1; row++ {
		for _, v := range p.pix[row*p.stride+x0 : row*p.stride+x1] {
			sum += int(v)
		}
	}
	return float64(sum) / float64((x1-x0)*(y1-y0))
}

// span returns the samples from, to whose centres lie in [at, at+size), never
// none and never outside low and high.
func span(at, size float64, low, high int) (from, to int) {
	from, to = int(math.Ceil(at-0.5)), int(math.Ceil(at+size-0.5))
	if from >= to {
		from = int(math.Floor(at + size/2))
		to = from + 1
	}
	from = min(max(from, low), high-1)
	return from, min(max(to, from+1), high)
}

// barLuma is what a black bar does not exceed. The pictures' own edges are
// brighter.
const barLuma = 34

// trimBars takes black bars off the picture and reports whether it had some
// and something is left.
func (p *plane) trimBars() bool {
	r := p.picture
	dark := func(r image.Rectangle) bool {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for _, v := range p.pix[y*p.stride+r.Min.X : y*p.stride+r.Max.X] {
				if v > barLuma {
					return false
				}
			}
		}
		return true
	}
	for !r.Empty() && dark(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+1)) {
		r.Min.Y++
	}
	for !r.Empty() && dark(image.Rect(r.Min.X, r.Max.Y-1, r.Max.X, r.Max.Y)) {
		r.Max.Y--
	}
	for !r.Empty() && dark(image.Rect(r.Min.X, r.Min.Y, r.Min.X+1, r.Max.Y)) {
		r.Min.X++
	}
	for !r.Empty() && dark(image.Rect(r.Max.X-1, r.Min.Y, r.Max.X, r.Max.Y)) {
		r.Max.X--
	}
	if r.Empty() || r == p.picture {
		return false
	}
	p.picture = r
	return true
}
