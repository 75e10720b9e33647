package testmedia

import (
	"image"
	"math"
)

// newGround draws the background: a calm slope of colour with a grid that
// shows geometry, and texture by detail.
func newGround(width, height int, detail float64) (*Frame, error) {
	w, h := width, height
	if detail > 0 {
		w, h = min(width+even(float64(width)/8)+2, 8192), min(height+even(float64(height)/8)+2, 8192)
	}
	f, err := NewFrame(w, h)
	if err != nil {
		return nil, err
	}
	grid := max(height/8&^1, 8)
	noise := newNoise(w, h)
	for y := range h {
		for x := range w {
			r, g, b := shade(float64(x)/float64(w), float64(y)/float64(h))
			luma, u, v := yuv(r, g, b)
			if (x%grid < 2 || y%grid < 2) && detail == 0 {
				luma += 7
			}
			if detail > 0 {
				luma = clamp(max(float64(luma)+40*detail*noise.at(x, y), barLuma+8))
			}
			f.Y[y*f.YStride+x] = luma
			if x%2 == 0 && y%2 == 0 {
				f.Cb[y/2*f.CStride+x/2], f.Cr[y/2*f.CStride+x/2] = u, v
			}
		}
	}
	return f, nil
}

// shade is the colour of the background, from a deep blue above to a warm
// violet below; never as dark as a black bar.
func shade(x, y float64) (r, g, b float64) {
	return 40 + 70*y + 20*x, 62 + 30*(1-y) + 10*x, 110 + 30*x - 15*y
}

// noise is smooth texture of three sizes, the same at every run.
type noise struct {
	width, height int
	octaves       [3][]float64
}

var octaveSize = [3]int{16, 5, 1}

func newNoise(width, height int) *noise {
	n := &noise{width: width, height: height}
	state := uint64(0x9e3779b97f4a7c15)
	for i, size := range octaveSize {
		n.octaves[i] = make([]float64, (width/size+2)*(height/size+2))
		for j := range n.octaves[i] {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			n.octaves[i][j] = float64(state>>40)/(1<<23) - 1
		}
	}
	return n
}

// at is between -1 and 1.
func (n *noise) at(x, y int) float64 {
	sum := 0.0
	for i, size := range octaveSize {
		stride := n.width/size + 2
		cx, cy := x/size, y/size
		fx, fy := float64(x%size)/float64(size), float64(y%size)/float64(size)
		v := n.octaves[i][cy*stride+cx:]
		below := v[stride:]
		top := v[0]*(1-fx) + v[1]*fx
		bottom := below[0]*(1-fx) + below[1]*fx
		sum += (top*(1-fy) + bottom*fy) * [3]float64{0.6, 0.25, 0.15}[i]
	}
	return sum
}

// hueBand is a rainbow across the picture; drawing it at another offset is
// only copying.
type hueBand struct {
	top, bottom int
	y, u, v     []byte // two turns of the colour wheel
}

func newHueBand(width, top, bottom int) hueBand {
	b := hueBand{top: top, bottom: bottom, y: make([]byte, 2*width), u: make([]byte, width), v: make([]byte, width)}
	for x := range 2 * width {
		turn := 6 * float64(x%width) / float64(width)
		channel := func(shift float64) float64 {
			d := math.Abs(math.Mod(turn+shift, 6) - 3)
			return 40 + 190*min(max(d-1, 0), 1)
		}
		y, u, v := yuv(channel(0), channel(4), channel(2))
		b.y[x], b.u[x/2], b.v[x/2] = y, u, v
	}
	return b
}

func (b *hueBand) draw(dst *Frame, offset int) {
	for row := b.top; row < b.bottom; row++ {
		copy(dst.Y[row*dst.YStride:(row+1)*dst.YStride], b.y[offset:])
	}
	for row := b.top / 2; row < b.bottom/2; row++ {
		copy(dst.Cb[row*dst.CStride:(row+1)*dst.CStride], b.u[offset/2:])
		copy(dst.Cr[row*dst.CStride:(row+1)*dst.CStride], b.v[offset/2:])
	}
}

// ball is a shaded ball with a smooth edge.
type ball struct {
	width, height       int // even
	y, u, v             []byte
	cover, coverChroma  []byte // 0 to 255
	chromaW, chromaRows int
}

func newBall(radius, aspect float64) *ball {
	b := &ball{width: max(even(2*radius/aspect), 2), height: max(even(2*radius), 2)}
	n := b.width * b.height
	b.y, b.cover = make([]byte, n), make([]byte, n)
	b.chromaW, b.chromaRows = b.width/2, b.height/2
	b.u, b.v, b.coverChroma = make([]byte, n/4), make([]byte, n/4), make([]byte, n/4)
	for y := range b.height {
		for x := range b.width {
			dx := (float64(x)+0.5)/float64(b.width)*2 - 1
			dy := (float64(y)+0.5)/float64(b.height)*2 - 1
			light := min(max(1.15-0.8*math.Hypot(dx+0.35, dy+0.4), 0.25), 1)
			luma, u, v := yuv(255*light, 170*light, 40*light)
			cover := clamp(255 * min(max((1-math.Hypot(dx, dy))*radius, 0), 1))
			i := y*b.width + x
			b.y[i], b.cover[i] = luma, cover
			if x%2 == 0 && y%2 == 0 {
				j := y/2*b.chromaW + x/2
				b.u[j], b.v[j], b.coverChroma[j] = u, v, cover
			}
		}
	}
	return b
}

// draw mixes the ball into the picture; at must be even.
func (b *ball) draw(dst *Frame, at image.Point) {
	if !image.Rect(at.X, at.Y, at.X+b.width, at.Y+b.height).In(dst.Rect) {
		return
	}
	for row := range b.height {
		mix(dst.Y[(at.Y+row)*dst.YStride+at.X:], b.y[row*b.width:(row+1)*b.width], b.cover[row*b.width:])
	}
	for row := range b.chromaRows {
		i, j := (at.Y/2+row)*dst.CStride+at.X/2, row*b.chromaW
		mix(dst.Cb[i:], b.u[j:j+b.chromaW], b.coverChroma[j:])
		mix(dst.Cr[i:], b.v[j:j+b.chromaW], b.coverChroma[j:])
	}
}

func mix(dst, src, cover []byte) {
	for i, s := range src {
		d := int(dst[i])
		dst[i] = byte(d + (int(s)-d)*int(cover[i])/255)
	}
}
