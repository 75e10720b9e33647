package libav

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// filtering runs a filter and keeps what comes out of it.
type filtering struct {
	t   testing.TB
	f   transcode.FrameFilter
	out [][]transcode.Frame
}

func filterOf(t testing.TB, description string, kinds ...media.Kind) *filtering {
	t.Helper()
	f, err := engine.Filter(description, kinds)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return &filtering{t: t, f: f, out: make([][]transcode.Frame, len(f.Outputs()))}
}

func (f *filtering) take(o int, frame transcode.Frame) error {
	f.out[o] = append(f.out[o], frame)
	f.t.Cleanup(frame.Close)
	return nil
}

// push gives an input a clone, or its end.
func (f *filtering) push(input int, frame transcode.Frame) {
	f.t.Helper()
	if err := f.try(input, frame); err != nil {
		f.t.Fatal(err)
	}
}

func (f *filtering) try(input int, frame transcode.Frame) error {
	f.t.Helper()
	if frame == nil {
		return f.f.Push(input, nil, f.take)
	}
	c, err := frame.Clone()
	if err != nil {
		f.t.Fatal(err)
	}
	return f.f.Push(input, c, f.take)
}

// at is a picture of one brightness at a time, in ticks of 90 kHz.
func at(t testing.TB, w, h int, brightness byte, pts int64) transcode.Frame {
	t.Helper()
	f := blackPicture(t, w, h, "yuv420p")
	paint(t, f, 0, brightness)
	f.SetClockRate(90000)
	f.SetPTS(pts)
	return f
}

func brightness(f transcode.Frame, x, y int) byte {
	data, stride := f.Plane(0)
	return data[y*stride+x]
}

func TestFilterTimes(t *testing.T) {
	for description, c := range map[string]struct {
		clock, frames int
		last          int64
	}{
		"null":                   {90000, 10, 9 * 3600},
		"fps=50":                 {50, 20, 19},
		"fps=30000/1001":         {30000, 12, 11 * 1001},
		"select='not(mod(n,2))'": {90000, 5, 8 * 3600},
		"setpts=2*PTS":           {90000, 10, 18 * 3600},
	} {
		f := filterOf(t, description, media.Video)
		for n := range int64(10) {
			p := at(t, 32, 32, 100, n*3600)
			p.(*Frame).rate = media.Rational{Num: 25, Den: 1}
			f.push(0, p)
		}
		f.push(0, nil)
		out := f.out[0]
		if len(out) != c.frames {
			t.Errorf("%s: %d frames, want %d", description, len(out), c.frames)
			continue
		}
		if pts, _ := out[len(out)-1].PTS(); out[0].ClockRate() != c.clock || pts != c.last {
			t.Errorf("%s: the last at %d of %d, want %d of %d", description, pts, out[0].ClockRate(), c.last, c.clock)
		}
	}
}

func TestFilterOfTwoInputs(t *testing.T) {
	f := filterOf(t, "[1][0]overlay=x=8:y=8[out0]", media.Video, media.Video)
	// Input 0 is on top. It is one picture, as a logo is, and stays.
	f.push(0, at(t, 16, 16, 235, 0))
	f.push(0, nil)
	for n := range int64(5) {
		f.push(1, at(t, 64, 64, 60, n*3600))
	}
	// The picture below changes its size.
	for n := range int64(5) {
		f.push(1, at(t, 96, 64, 80, (n+5)*3600))
	}
	f.push(1, nil)
	if len(f.out[0]) != 10 {
		t.Fatalf("%d pictures", len(f.out[0]))
	}
	for n, p := range f.out[0] {
		width, below := 64, byte(60)
		if n >= 5 {
			width, below = 96, 80
		}
		if pts, _ := p.PTS(); p.Width() != width || brightness(p, 2, 2) != below || brightness(p, 12, 12) != 235 ||
			media.Rescale(pts, p.ClockRate(), 90000) != int64(n)*3600 {
			t.Errorf("picture %d at %d: %d wide, %d, the logo %d", n, pts, p.Width(), brightness(p, 2, 2), brightness(p, 12, 12))
		}
	}
}

func TestFilterOfSoundAndTwoOutputs(t *testing.T) {
	f := filterOf(t, "[0][1]amix=inputs=2:normalize=0,asplit[a][b];[a]volume=0.5[out0];[b]aresample=24000[out1]", media.Audio, media.Audio)
	tone := func(value float32, pts int64) transcode.Frame {
		s, err := engine.Samples(48000, 1, 1024)
		made(t, s, err)
		samples := s.(*Frame).Channel(0)
		for i := range samples {
			samples[i] = value
		}
		s.SetPTS(pts)
		return s
	}
	for n := range int64(10) {
		f.push(0, tone(0.25, n*1024))
		f.push(1, tone(0.5, n*1024))
	}
	f.push(0, nil)
	f.push(1, nil)
	if labels := f.f.Outputs(); !slices.Equal(labels, []string{"out0", "out1"}) {
		t.Errorf("the outputs are called %q", labels)
	}
	samples := [2]int{}
	for o, out := range f.out {
		for _, s := range out {
			samples[o] += s.Samples()
		}
	}
	if samples[0] != 10240 || samples[1] < 5100 || samples[1] > 5140 || f.out[1][0].SampleRate() != 24000 || f.out[1][0].ClockRate() != 24000 {
		t.Errorf("%v samples", samples)
	}
	if _, peak, err := f.out[0][1].Levels(); err != nil || math.Abs(peak[0]-20*math.Log10(0.375)) > 0.1 {
		t.Errorf("peak %v, %v", peak, err)
	}
}

func TestFilterCommand(t *testing.T) {
	f := filterOf(t, "hue@tint=b=0", media.Video)
	if err := f.f.Command("tint", "b", "2"); err != nil { // before there is a graph
		t.Fatal(err)
	}
	f.push(0, at(t, 32, 32, 100, 0))
	if err := f.f.Command("hue", "b", "-10"); err != nil {
		t.Fatal(err)
	}
	f.push(0, at(t, 32, 32, 100, 3600))
	f.push(0, at(t, 48, 32, 100, 7200)) // a new graph keeps what was commanded
	f.push(0, nil)
	if len(f.out[0]) != 3 {
		t.Fatalf("%d pictures", len(f.out[0]))
	}
	if a, b, c := brightness(f.out[0][0], 5, 5), brightness(f.out[0][1], 5, 5), brightness(f.out[0][2], 5, 5); a <= 100 || b >= 40 || c != b {
		t.Errorf("brightness %d, %d, %d", a, b, c)
	}
	for name, err := range map[string]error{
		"no filter": f.f.Command("nosuch", "b", "1"), "no command": f.f.Command("tint", "nosuch", "1"),
	} {
		if err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

func TestFilterWithoutInputs(t *testing.T) {
	f := filterOf(t, "testsrc2=s=64x48:r=25:d=0.2[out0];sine=1000:r=48000:d=0.2[out1]")
	var err error
	for n := 0; err == nil && n < 1000; n++ {
		err = f.try(0, nil)
	}
	if !errors.Is(err, io.EOF) || len(f.out[0]) != 5 || f.out[0][0].ClockRate() != 25 {
		t.Errorf("%d pictures, %v", len(f.out[0]), err)
	}
	samples := 0
	for _, s := range f.out[1] {
		samples += s.Samples()
	}
	if samples != 9600 {
		t.Errorf("%d samples", samples)
	}
}

func TestFilterTurnsPicturesThatCanBeRead(t *testing.T) {
	p := at(t, 32, 32, 100, 0)
	data, stride := p.Plane(0)
	for x := range stride {
		data[x] = 200 // the first line
	}
	f := filterOf(t, "vflip", media.Video)
	f.push(0, p)
	if got := f.out[0][0]; brightness(got, 3, 31) != 200 || brightness(got, 3, 0) != 100 {
		t.Errorf("first line %d, last %d", brightness(got, 3, 0), brightness(got, 3, 31))
	}
}

func TestFilterRefuses(t *testing.T) {
	video, audio := []media.Kind{media.Video}, []media.Kind{media.Audio}
	for _, c := range []struct {
		description string
		kinds       []media.Kind
		want        string
	}{
		{"overlay", video, "2 inputs open, and 1 come in"},
		{"null", nil, "1 input open"},
		{"volume=1", video, "input 0 takes audio, and video comes in"},
		{"scale=2:2", audio, "input 0 takes video"},
		{"nullsink", video, "nothing comes out"},
		{"[0][0]overlay", []media.Kind{media.Video, media.Video}, "[0] is there twice"},
		{"scale=widht=3", video, "no option widht"},
		{"scale=[", video, "Mismatched"},
	} {
		f, err := engine.Filter(c.description, c.kinds)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) && !strings.Contains(err.Error(), "label") {
			t.Errorf("%s: %v, want %q", c.description, err, c.want)
		}
	}
	f := filterOf(t, "hstack", media.Video, media.Video)
	sound, err := engine.Samples(48000, 1, 100)
	made(t, sound, err)
	sound.SetPTS(0)
	for name, err := range map[string]error{
		"sound": f.try(0, sound), "no clock": f.try(0, blackPicture(t, 8, 8, "gray")), "no such input": f.try(2, at(t, 8, 8, 9, 0)),
		"ended before it began": f.try(1, nil), "after its end": f.try(1, at(t, 8, 8, 9, 0)),
	} {
		if err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

// TestFilterDoesNotHoardFrames leaves one input without anything.
func TestFilterDoesNotHoardFrames(t *testing.T) {
	f := filterOf(t, "hstack", media.Video, media.Video)
	var err error
	for n := int64(0); err == nil && n < 1000; n++ {
		err = f.try(0, at(t, 1024, 1024, 9, n*3600))
	}
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("1.5 GB wait: %v", err)
	}
}
