package testmedia

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 250e6, time.UTC)

func drawn(t testing.TB, o PictureOptions, s Stamp) *Frame {
	t.Helper()
	p, err := NewPicture(o)
	if err != nil {
		t.Fatal(err)
	}
	f := p.NewFrame()
	p.Draw(f, s)
	return f
}

// resize scales the luma plane by averaging areas, as a good scaler does.
func resize(src *image.Gray, w, h int) *image.Gray {
	dst := image.NewGray(image.Rect(0, 0, w, h))
	sw, sh := src.Rect.Dx(), src.Rect.Dy()
	for y := range h {
		for x := range w {
			x0, y0 := float64(x*sw)/float64(w), float64(y*sh)/float64(h)
			x1, y1 := float64((x+1)*sw)/float64(w), float64((y+1)*sh)/float64(h)
			sum, area := 0.0, 0.0
			for j := int(y0); j < sh && float64(j) < y1; j++ {
				for i := int(x0); i < sw && float64(i) < x1; i++ {
					a := (min(x1, float64(i+1)) - max(x0, float64(i))) * (min(y1, float64(j+1)) - max(y0, float64(j)))
					sum += a * float64(src.Pix[j*src.Stride+i])
					area += a
				}
			}
			dst.Pix[y*dst.Stride+x] = clamp(sum / area)
		}
	}
	return dst
}

func blur(src *image.Gray, radius int) *image.Gray {
	dst := image.NewGray(src.Rect)
	w, h := src.Rect.Dx(), src.Rect.Dy()
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for j := max(y-radius, 0); j <= min(y+radius, h-1); j++ {
				for i := max(x-radius, 0); i <= min(x+radius, w-1); i++ {
					sum += int(src.Pix[j*src.Stride+i])
					n++
				}
			}
			dst.Pix[y*dst.Stride+x] = byte(sum / n)
		}
	}
	return dst
}

func addNoise(src *image.Gray, sigma float64, seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 1))
	dst := image.NewGray(src.Rect)
	for i, v := range src.Pix {
		dst.Pix[i] = clamp(float64(v) + sigma*r.NormFloat64())
	}
	return dst
}

func luma(f *Frame) *image.Gray { return &image.Gray{Pix: f.Y, Stride: f.YStride, Rect: f.Rect} }

func TestStripSurvivesScaling(t *testing.T) {
	for _, size := range []image.Point{{1280, 720}, {640, 360}, {352, 288}, {360, 640}, {720, 1280}, {640, 480}} {
		for _, height := range []int{480, 360, 240} {
			t.Run(fmt.Sprintf("%dx%d to %d", size.X, size.Y, height), func(t *testing.T) {
				s := NewStamp(uint64(height*1000+size.X), noon.Add(time.Duration(height)*time.Hour))
				f := luma(drawn(t, PictureOptions{Width: size.X, Height: size.Y}, s))
				short := min(size.X, size.Y)
				small := resize(f, size.X*height/short, size.Y*height/short)
				for name, img := range map[string]*image.Gray{
					"plain": small, "blurred": blur(small, max(height/240, 1)), "noisy": addNoise(small, 25, 7),
				} {
					got, err := DecodeStrip(img, image.Rectangle{})
					if err != nil || got != s {
						t.Errorf("%s: got %v, %v; want %v", name, got, err, s)
					}
				}
			})
		}
	}
}

func TestStripOfOddScales(t *testing.T) {
	s := NewStamp(MaxFrame-5, noon)
	f := luma(drawn(t, PictureOptions{Width: 640, Height: 360, Detail: 1}, s))
	for w := 200; w < 1000; w += 37 {
		h := w*360/640 + w%3
		if got, err := DecodeStrip(resize(f, w, h), image.Rectangle{}); err != nil || got != s {
			t.Errorf("%dx%d: got %v, %v; want %v", w, h, got, err, s)
		}
	}
}

func TestStripInsideOtherImages(t *testing.T) {
	s := NewStamp(4711, noon)
	f := drawn(t, PictureOptions{Width: 640, Height: 360}, s)
	page := image.NewRGBA(image.Rect(0, 0, 1000, 800))
	draw.Draw(page, page.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	at := image.Rect(101, 203, 741, 563)
	draw.Draw(page, at, f, image.Point{}, draw.Src)
	for name, c := range map[string]struct {
		img  image.Image
		rect image.Rectangle
	}{
		"the frame itself":      {f, image.Rectangle{}},
		"screenshot with place": {page, at},
		"screenshot with bars":  {page, image.Rectangle{}},
		"pillars":               {page, image.Rect(0, 203, 1000, 563)},
		"bars above and below":  {page, image.Rect(101, 0, 741, 800)},
		"cut by two samples":    {page, image.Rect(103, 205, 739, 561)},
		"two samples too large": {page, image.Rect(99, 201, 743, 565)},
		"part of a gray image":  {luma(f).SubImage(f.Rect), f.Rect},
	} {
		if got, err := DecodeStrip(c.img, c.rect); err != nil || got != s {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, s)
		}
	}
}

func TestStripOfFields(t *testing.T) {
	p, err := NewPicture(PictureOptions{Width: 720, Height: 576, AspectNum: 16, AspectDen: 15})
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.NewFrame(), p.NewFrame()
	s := NewStamp(25, noon)
	p.DrawFields(a, s, 40*time.Millisecond)
	p.Draw(b, s)
	if got, err := DecodeStrip(a, image.Rectangle{}); err != nil || got != s {
		t.Fatalf("got %v, %v; want %v", got, err, s)
	}
	var differ [2]int
	for y := range 576 {
		if string(a.Y[y*720:(y+1)*720]) != string(b.Y[y*720:(y+1)*720]) {
			differ[y%2]++
		}
	}
	if differ[0] != 0 || differ[1] < 20 {
		t.Errorf("lines that moved: %d of the top field, %d of the bottom field; want none and many", differ[0], differ[1])
	}
}

func TestNoStrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := image.NewGray(image.Rect(0, 0, 640, 360))
	for name, img := range map[string]image.Image{
		"empty":  image.NewGray(image.Rectangle{}),
		"black":  image.NewGray(image.Rect(0, 0, 640, 360)),
		"tiny":   image.NewGray(image.Rect(0, 0, 1, 1)),
		"hidden": blur(luma(drawn(t, PictureOptions{Width: 320, Height: 180}, NewStamp(1, noon))), 12),
	} {
		if got, err := DecodeStrip(img, image.Rectangle{}); !errors.Is(err, ErrNoStrip) {
			t.Errorf("%s: got %v, %v; want ErrNoStrip", name, got, err)
		}
	}
	for range 50 {
		for i := range random.Pix {
			random.Pix[i] = byte(r.Uint32())
		}
		if got, err := DecodeStrip(random, image.Rectangle{}); !errors.Is(err, ErrNoStrip) {
			t.Errorf("noise: got %v, %v; want ErrNoStrip", got, err)
		}
	}
	if _, err := DecodeLuma(make([]byte, 10), 640, 640, 360); !errors.Is(err, ErrNoStrip) {
		t.Errorf("short plane: %v; want ErrNoStrip", err)
	}
}

// TestDamageIsDetected mixes two pictures in every proportion and covers
// parts: what is read is one of them, or nothing.
func TestDamageIsDetected(t *testing.T) {
	a, b := NewStamp(1000, noon), NewStamp(1001, noon.Add(33*time.Millisecond))
	o := PictureOptions{Width: 640, Height: 360}
	fa, fb := luma(drawn(t, o, a)), luma(drawn(t, o, b))
	read := 0
	for i := range 101 {
		mixed := image.NewGray(fa.Rect)
		for j := range mixed.Pix {
			mixed.Pix[j] = byte((int(fa.Pix[j])*(100-i) + int(fb.Pix[j])*i) / 100)
		}
		got, err := DecodeStrip(mixed, image.Rectangle{})
		if err == nil {
			read++
		}
		if err == nil && got != a && got != b {
			t.Errorf("%d %%: read %v, which is neither %v nor %v", i, got, a, b)
		}
	}
	if read < 80 {
		t.Errorf("only %d of 101 mixtures could be read", read)
	}
	for x := 30; x < 610; x++ {
		torn := image.NewGray(fa.Rect)
		copy(torn.Pix, fa.Pix)
		for y := range 60 {
			copy(torn.Pix[y*640+x:y*640+640], fb.Pix[y*640+x:])
		}
		if got, err := DecodeStrip(torn, image.Rectangle{}); err == nil && got != a && got != b {
			t.Errorf("torn at %d: read %v", x, got)
		}
	}
}

func FuzzDecodeLuma(f *testing.F) {
	f.Add([]byte{1, 2, 3}, 3, 3, 1)
	f.Fuzz(func(t *testing.T, pix []byte, stride, w, h int) {
		if h > 1<<16 || stride > 1<<16 || w > 1<<16 {
			return
		}
		if s, err := DecodeLuma(pix, stride, w, h); err == nil && s.Frame > MaxFrame {
			t.Fatal(s)
		}
	})
}

func FuzzStripRoundTrip(f *testing.F) {
	f.Add(uint32(1), int64(1764000000000))
	f.Fuzz(func(t *testing.T, frame uint32, ms int64) {
		s := NewStamp(uint64(frame), time.UnixMilli(ms&(1<<wallBits-1)))
		bits := encodeStrip(s)
		if got, ok := decodeBits(bits[:]); !ok || got != s {
			t.Fatalf("got %v, %v; want %v", got, ok, s)
		}
		for i := range bits {
			bits[i] = !bits[i]
			if got, ok := decodeBits(bits[:]); ok {
				t.Fatalf("bit %d turned, yet read as %v", i, got)
			}
			bits[i] = !bits[i]
		}
	})
}

func TestCheckContinuity(t *testing.T) {
	for _, c := range []struct {
		frames []uint32
		loop   uint32
		want   Continuity
	}{
		{nil, 0, Continuity{}},
		{[]uint32{5, 6, 7}, 0, Continuity{Frames: 3}},
		{[]uint32{5, 8, 8, 7}, 0, Continuity{Frames: 4, Lost: 2, Doubled: 1, Backwards: 1}},
		{[]uint32{48, 49, 0, 1}, 50, Continuity{Frames: 4}},
		{[]uint32{48, 0, 2}, 50, Continuity{Frames: 3, Lost: 2}},
		{[]uint32{MaxFrame, 0}, 0, Continuity{Frames: 2}},
		{[]uint32{0, 0}, 1, Continuity{Frames: 2}},
	} {
		got := CheckContinuity(c.frames, c.loop)
		if got != c.want {
			t.Errorf("%v, loop %d: got %v, want %v", c.frames, c.loop, got, c.want)
		}
		if got.Perfect() != (c.want.Lost+c.want.Doubled+c.want.Backwards == 0) {
			t.Errorf("%v: Perfect is wrong", c.frames)
		}
	}
}

func TestLayoutsAgree(t *testing.T) {
	for _, l := range Layouts() {
		if l.Rows*l.Bits != stripBits {
			t.Errorf("%d rows of %d bits do not carry %d", l.Rows, l.Bits, stripBits)
		}
		if math.Min(l.Left, l.Top) <= 0 || l.Right >= 1 || l.Bottom >= 1 {
			t.Errorf("%+v leaves the picture", l)
		}
	}
}
