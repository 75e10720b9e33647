package testmedia

import (
	"crypto/sha256"
	"image/png"
	"os"
	"testing"
	"time"
)

func TestPictureIsDeterministic(t *testing.T) {
	for _, o := range []PictureOptions{{Width: 640, Height: 360, Label: "same"}, {Width: 360, Height: 640, Detail: 0.5}} {
		s := NewStamp(77, noon)
		a, b := drawn(t, o, s), drawn(t, o, s)
		if sha256.Sum256(a.I420) != sha256.Sum256(b.I420) {
			t.Errorf("%+v: two drawings differ", o)
		}
		p, err := NewPicture(o)
		if err != nil {
			t.Fatal(err)
		}
		dirty := p.NewFrame()
		for i := range 50 {
			p.Draw(dirty, NewStamp(uint64(i), noon.Add(time.Duration(i*137)*time.Millisecond)))
		}
		p.Draw(dirty, s)
		if sha256.Sum256(a.I420) != sha256.Sum256(dirty.I420) {
			t.Errorf("%+v: the drawing depends on what was drawn before", o)
		}
	}
}

func TestPictureOfAnyEvenSize(t *testing.T) {
	for w := 16; w <= 400; w += 46 {
		for h := 16; h <= 400; h += 46 {
			f := drawn(t, PictureOptions{Width: w, Height: h, Label: "a label that is too long for small ones"}, NewStamp(9, noon))
			if len(f.I420) != w*h*3/2 {
				t.Fatalf("%dx%d has %d bytes", w, h, len(f.I420))
			}
		}
	}
	for _, size := range [][2]int{{0, 0}, {641, 360}, {640, 361}, {14, 360}, {8194, 16}, {-2, 16}} {
		if _, err := NewPicture(PictureOptions{Width: size[0], Height: size[1]}); err == nil {
			t.Errorf("%v was accepted", size)
		}
	}
}

func TestEveryFrameDiffers(t *testing.T) {
	p, err := NewPicture(PictureOptions{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]int{}
	f := p.NewFrame()
	for i := range 120 {
		p.Draw(f, NewStamp(uint64(i), noon.Add(time.Duration(i)*time.Second/60)))
		sum := sha256.Sum256(f.I420)
		if j, ok := seen[sum]; ok {
			t.Fatalf("frames %d and %d are equal", j, i)
		}
		seen[sum] = i
	}
}

// TestKeepPicture writes pictures to look at, where MILLRACE_KEEP names a
// folder.
func TestKeepPicture(t *testing.T) {
	dir := os.Getenv("MILLRACE_KEEP")
	if dir == "" {
		t.Skip("MILLRACE_KEEP names no folder")
	}
	for name, o := range map[string]PictureOptions{
		"wide": {Width: 1280, Height: 720, Label: "Millrace demo"}, "portrait": {Width: 360, Height: 640, Label: "portrait"},
		"detail": {Width: 1280, Height: 720, Label: "bench", Detail: 0.5}, "pal": {Width: 720, Height: 576, Label: "pal", AspectNum: 16, AspectDen: 15},
		"small": {Width: 426, Height: 240, Label: "small"},
	} {
		out, err := os.Create(dir + "/" + name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(out, drawn(t, o, NewStamp(1234, noon))); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
}

func BenchmarkDraw720p(b *testing.B) {
	for name, detail := range map[string]float64{"calm": 0, "detail": 0.5} {
		b.Run(name, func(b *testing.B) {
			p, err := NewPicture(PictureOptions{Width: 1280, Height: 720, Label: "Millrace", Detail: detail})
			if err != nil {
				b.Fatal(err)
			}
			f := p.NewFrame()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p.Draw(f, NewStamp(uint64(i), noon.Add(time.Duration(i)*33*time.Millisecond)))
				i++
			}
		})
	}
}

func BenchmarkDecodeStrip(b *testing.B) {
	p, err := NewPicture(PictureOptions{Width: 640, Height: 360})
	if err != nil {
		b.Fatal(err)
	}
	f := p.NewFrame()
	p.Draw(f, NewStamp(1, noon))
	for b.Loop() {
		if _, err := DecodeLuma(f.Y, f.YStride, 640, 360); err != nil {
			b.Fatal(err)
		}
	}
}
