package libav

import (
	"bytes"
	"errors"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// made makes a frame that is closed when the test ends.
func made(t testing.TB, f transcode.Frame, err error) transcode.Frame {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func blackPicture(t testing.TB, w, h int, format string) transcode.Frame {
	t.Helper()
	f, err := engine.Picture(w, h, format)
	return made(t, f, err)
}

// paint fills a plane.
func paint(t testing.TB, f transcode.Frame, plane int, value byte) {
	t.Helper()
	if err := f.Writable(); err != nil {
		t.Fatal(err)
	}
	data, _ := f.Plane(plane)
	for i := range data {
		data[i] = value
	}
}

func TestFramesShareTheirMemoryUntilWritten(t *testing.T) {
	f := blackPicture(t, 64, 48, "yuv420p")
	f.SetPTS(4711)
	f.SetClockRate(1000)
	c, err := f.Clone()
	made(t, c, err)
	if pts, ok := c.PTS(); pts != 4711 || !ok || c.ClockRate() != 1000 || c.Format() != "yuv420p" || c.Kind() != media.Video {
		t.Errorf("the clone is at %d of %d, %s", pts, c.ClockRate(), c.Format())
	}
	a, stride := f.Plane(0)
	b, _ := c.Plane(0)
	if &a[0] != &b[0] || stride < 64 || len(a) < stride*47+64 || f.Planes() != 3 {
		t.Errorf("a plane of %d bytes, %d a line, of %d planes", len(a), stride, f.Planes())
	}
	if n := f.Bytes(); n < 64*48*3/2 || n > 64*1024 {
		t.Errorf("%d bytes", n)
	}
	if a[0] != 16 {
		t.Errorf("black is %d", a[0])
	}
	paint(t, c, 0, 200)
	if a[0] != 16 {
		t.Error("a clone was written and both changed")
	}
	if b, _ = c.Plane(0); b[0] != 200 {
		t.Error("what was written is not there")
	}
	if data, _ := f.Plane(3); data != nil {
		t.Error("a fourth plane")
	}
	f.Close()
	f.Close()
}

func TestScale(t *testing.T) {
	f := blackPicture(t, 320, 180, "yuv420p")
	paint(t, f, 0, 126)
	f.SetPTS(7)
	for _, c := range []struct {
		w, h         int
		format       string
		wantW, wantH int
	}{{160, 0, "", 160, 90}, {0, 90, "rgba", 160, 90}, {0, 0, "gray", 320, 180}, {33, 17, "", 33, 17}} {
		s, err := f.Scale(c.w, c.h, c.format)
		made(t, s, err)
		if pts, _ := s.PTS(); s.Width() != c.wantW || s.Height() != c.wantH || pts != 7 || c.format != "" && s.Format() != c.format {
			t.Errorf("%dx%d %s at %d", s.Width(), s.Height(), s.Format(), pts)
		}
		if data, _ := s.Plane(0); data[0] < 120 || data[0] > 132 {
			t.Errorf("%s: brightness is %d", s.Format(), data[0])
		}
	}
	var oe *transcode.OptionError
	if _, err := f.Scale(10, 10, "yuv42op"); !errors.As(err, &oe) || oe.Nearest != "yuv420p" {
		t.Errorf("a wrong format: %v", err)
	}
}

func TestPicturesAsFiles(t *testing.T) {
	f := blackPicture(t, 321, 181, "yuv444p")
	paint(t, f, 0, 235)
	for quality, most := range map[int]int{1: 4000, 100: 20000} {
		b, err := f.JPEG(quality)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil || picture.Bounds().Dx() != 321 || picture.Bounds().Dy() != 181 || len(b) > most {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if r, g, b, _ := picture.At(100, 100).RGBA(); r < 0xf800 || g < 0xf800 || b < 0xf800 {
			t.Errorf("white is %x %x %x", r, g, b)
		}
	}
	glass := blackPicture(t, 20, 10, "rgba")
	paint(t, glass, 0, 0x80)
	b, err := glass.PNG()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil || picture.Bounds().Dx() != 20 {
		t.Fatal(err)
	}
	if _, _, _, a := picture.At(3, 3).RGBA(); a>>8 != 0x80 {
		t.Errorf("half transparent is %x", a)
	}
}

func TestMeasures(t *testing.T) {
	black, white := blackPicture(t, 100, 60, "yuv420p"), blackPicture(t, 100, 60, "yuv420p")
	paint(t, white, 0, 235)
	small, err := white.Scale(50, 30, "")
	made(t, small, err)
	full, err := white.Scale(0, 0, "yuvj420p")
	made(t, full, err)
	rgb, err := white.Scale(0, 0, "rgb24")
	made(t, rgb, err)
	for name, c := range map[string]struct {
		a, b transcode.Frame
		want float64
	}{
		"the same": {white, white, 0}, "black and white": {black, white, 1}, "of two sizes": {black, small, 1},
		"of two ranges": {white, full, 0}, "of two formats": {white, rgb, 0},
	} {
		if d, err := c.a.Diff(c.b); err != nil || math.Abs(d-c.want) > 0.01 {
			t.Errorf("%s: %g, %v", name, d, err)
		}
	}
	for name, f := range map[string]transcode.Frame{"limited": white, "full": full, "rgb": rgb} {
		if h, err := f.Histogram(); err != nil || len(h) != 256 || h[255]+h[254]+h[253] != 6000 {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	sound, err := engine.Samples(48000, 2, 480)
	made(t, sound, err)
	if sound.Kind() != media.Audio || sound.Channels() != 2 || sound.Samples() != 480 || sound.SampleRate() != 48000 ||
		sound.Format() != "fltp" || sound.Planes() != 2 || sound.ClockRate() != 48000 {
		t.Errorf("%v", sound)
	}
	left := sound.(*Frame).Channel(0)
	for i := range left {
		left[i] = 0.5
	}
	rms, peak, err := sound.Levels()
	if err != nil || math.Abs(rms[0]+6.02) > 0.01 || math.Abs(peak[0]+6.02) > 0.01 || !math.IsInf(rms[1], -1) {
		t.Errorf("%v %v %v", rms, peak, err)
	}
	if data, n := sound.Plane(1); len(data) != 480*4 || n != len(data) {
		t.Errorf("a channel of %d bytes, stride %d", len(data), n)
	}
	for name, err := range map[string]error{
		"levels of a picture": second(black.Levels()), "a picture of sound": first2(sound.JPEG(50)),
		"brightness of sound": first2(sound.Histogram()), "sound beside a picture": first2(black.Diff(sound)),
	} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_, _ []float64, err error) error { return err }

func first2[T any](_ T, err error) error { return err }

// TestSizesNobodyMeans asks for pictures and sound that would take all memory.
func TestSizesNobodyMeans(t *testing.T) {
	f := blackPicture(t, 16, 16, "yuv420p")
	f.SetClockRate(1000)
	f.SetPTS(0)
	filter := func(description string) error {
		g, err := engine.Filter(description, []media.Kind{media.Video})
		if err != nil {
			return err
		}
		defer g.Close()
		c, err := f.Clone()
		if err != nil {
			return err
		}
		return g.Push(0, c, func(_ int, f transcode.Frame) error { f.Close(); return nil })
	}
	for name, err := range map[string]error{
		"picture":        first2(engine.Picture(60000, 60000, "yuv420p")),
		"a long picture": first2(engine.Picture(1<<20, 2, "gray")),
		"samples":        first2(engine.Samples(48000, 8, 1<<30)),
		"scale":          first2(f.Scale(60000, 60000, "")),
		"keeping aspect": first2(f.Scale(60000, 0, "")),
		"pad":            filter("pad=20000:20000"),
		"inside":         filter("scale=16000:16000,scale=16:16"),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := filter("scale=60000:60000"); err == nil {
		t.Error("a filter makes it")
	}
	for name, err := range map[string]error{
		"nothing": first2(engine.Picture(0, 10, "yuv420p")), "less": first2(engine.Picture(-5, 10, "yuv420p")),
		"no samples": first2(engine.Samples(48000, 2, 0)), "no channels": first2(engine.Samples(48000, 0, 10)),
	} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
