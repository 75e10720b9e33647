package libav

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

// first opens a clip and returns its video track and packets.
func first(t testing.TB, path string) (*media.Track, []*media.Packet) {
	t.Helper()
	d, err := OpenInput(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return d.Tracks()[0], readAll(t, d)
}

// quadrants is a picture whose quarters are white, black, black, grey.
func quadrants(w, h int) []byte {
	b := make([]byte, w*h*3/2)
	for y := range h {
		for x := range w {
			switch {
			case x < w/2 && y < h/2:
				b[y*w+x] = 235
			case x >= w/2 && y >= h/2:
				b[y*w+x] = 126
			default:
				b[y*w+x] = 16
			}
		}
	}
	for i := w * h; i < len(b); i++ {
		b[i] = 128
	}
	return b
}

// luma reads the brightness in the middle of a quarter.
func luma(f *Frame, right, bottom bool) byte {
	x, y := f.Width()/4, f.Height()/4
	if right {
		x *= 3
	}
	if bottom {
		y *= 3
	}
	stride := f.f.Linesize()[0]
	return plane(f.f, 0, stride*f.Height())[y*stride+x]
}

func TestFilterShapesPictures(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int // of the source
		origin        Origin
		want          [4]byte // top left, top right, bottom left, bottom right
		bar           bool    // black above or beside the picture
	}{
		{"as it is", 160, 90, Origin{}, [4]byte{235, 16, 16, 126}, false},
		{"smaller", 320, 180, Origin{}, [4]byte{235, 16, 16, 126}, false},
		{"quarter turn", 180, 320, Origin{Rotation: 90}, [4]byte{16, 235, 126, 16}, false},
		{"half turn", 320, 180, Origin{Rotation: 180}, [4]byte{126, 16, 16, 235}, false},
		{"three quarters", 180, 320, Origin{Rotation: 270}, [4]byte{16, 126, 235, 16}, false},
		{"wide samples", 80, 90, Origin{Width: 80, Height: 90, Aspect: media.Rational{Num: 2, Den: 1}}, [4]byte{235, 16, 16, 126}, false},
		{"another shape", 180, 180, Origin{}, [4]byte{235, 16, 16, 126}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := NewVideoFilter(Picture{Width: 160, Height: 90, ClockRate: 90000})
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			v.SetOrigin(c.origin)
			in, err := NewPicture(c.width, c.height, quadrants(c.width, c.height), 4711)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			seen := 0
			err = v.Filter(in, func(f *Frame) error {
				seen++
				if f.Width() != 160 || f.Height() != 90 || f.Time() != 4711 {
					t.Errorf("%dx%d at %d", f.Width(), f.Height(), f.Time())
				}
				got := [4]byte{luma(f, false, false), luma(f, true, false), luma(f, false, true), luma(f, true, true)}
				for i := range got {
					if d := int(got[i]) - int(c.want[i]); d < -3 || d > 3 {
						t.Errorf("quarters %v, want %v", got, c.want)
						break
					}
				}
				stride := f.f.Linesize()[0]
				edge := plane(f.f, 0, stride*90)[22*stride+2]
				if (edge < 30) != (c.bar || c.want[0] == 16 || c.want[0] == 126 && edge < 30) {
					t.Errorf("edge is %d, bar %v", edge, c.bar)
				}
				return nil
			})
			if err != nil || seen != 1 {
				t.Fatalf("%d pictures, %v", seen, err)
			}
		})
	}
}

func TestEncoderRefusesWhatDoesNotFit(t *testing.T) {
	o := VideoEncoderOptions{
		Codec: media.H264, Width: 160, Height: 90, ClockRate: 90000, FrameRate: media.Rational{Num: 25, Den: 1},
		Bitrate: 200000, LowLatency: true, Threads: 1, Preset: "ultrafast",
	}
	for name, options := range map[string]map[string]string{
		"unknown": {"no-such-option": "1"}, "bad": {"profile": "nonsense"},
	} {
		bad := o
		bad.Options = options
		if e, err := OpenVideoEncoder(bad, nil); err == nil {
			e.Close()
			t.Errorf("an %s option passes", name)
		}
	}
	e, err := OpenVideoEncoder(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	packets := 0
	emit := func(*media.Packet) error { packets++; return nil }
	feed := func(w, h int, pts int64) error {
		f, err := NewPicture(w, h, quadrants(w, h), pts)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return e.Encode(f, false, emit)
	}
	if err := feed(80, 90, 0); !errors.Is(err, ErrShape) {
		t.Errorf("a small picture: %v", err)
	}
	for i, want := range []error{nil, nil, ErrOrder} {
		if err := feed(160, 90, []int64{3600, 7200, 7200}[i]); !errors.Is(err, want) {
			t.Errorf("picture %d: %v", i, err)
		}
	}
	if packets != 2 {
		t.Errorf("%d packets for 2 pictures: no low latency", packets)
	}
}

func TestRecorder(t *testing.T) {
	r, err := OpenRecorder(RecorderOptions{
		Width: 160, Height: 90, FrameRate: media.Rational{Num: 25, Den: 1}, GOP: 10, SampleRate: 48000, Channels: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var video, audio []*media.Packet
	for n := range int64(30) {
		if n == 5 {
			continue // a picture that came too late
		}
		if err := r.Picture(quadrants(160, 90), n, func(p *media.Packet) error { video = append(video, p); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for n := int64(0); n < 48000; n += 960 {
		if err := r.Sound(make([]int16, 1920), n, func(p *media.Packet) error { audio = append(audio, p); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(video) != 29 || len(audio) < 43 {
		t.Fatalf("%d pictures, %d audio frames", len(video), len(audio))
	}
	for i, p := range video {
		n := i
		if i >= 5 {
			n++
		}
		if p.PTS != int64(n)*3600 || p.DTS != p.PTS || p.Key != (n%10 == 0) || p.Track != r.Tracks()[0] {
			t.Errorf("picture %d: PTS %d, DTS %d, key %v", n, p.PTS, p.DTS, p.Key)
		}
	}
	for i, p := range audio {
		if p.PTS != int64(i)*1024 || p.Track != r.Tracks()[1] {
			t.Errorf("audio frame %d at %d", i, p.PTS)
		}
	}
	if n := decodeAll(t, r.Tracks()[0], video, nil); n != 29 {
		t.Errorf("%d pictures decoded", n)
	}
}

func TestJPEG(t *testing.T) {
	path := clip(t, "a.mp4", append(lavfi("testsrc2=s=320x180:r=25:d=1"), "-vf", "setsar=4/3",
		"-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error")...)
	_, packets := first(t, path)
	jpeg, err := JPEG(packets[0], 160)
	if err != nil {
		t.Fatal(err)
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(jpeg))
	if err != nil || format != "jpeg" || c.Width != 160 || c.Height != 68 {
		t.Errorf("%s of %dx%d: %v", format, c.Width, c.Height, err)
	}
	bad := *packets[0]
	bad.Payload = bytes.Repeat([]byte{0, 0, 0, 3, 1, 2, 3}, 20)
	if _, err := JPEG(&bad, 160); err == nil {
		t.Error("a picture of nothing")
	}
}

// TestDecoderSurvivesGarbage feeds a decoder what an attacker might.
func TestDecoderSurvivesGarbage(t *testing.T) {
	for _, codec := range []string{"libx264", "libx265", "libvpx-vp9"} {
		path := clip(t, "a.mp4", append(lavfi(picture), "-c:v", codec, "-deadline", "realtime", "-preset", "ultrafast")...)
		track, packets := first(t, path)
		d, err := OpenDecoder(track, DecoderOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		frames := 0
		for i, p := range packets {
			damaged := *p
			damaged.Payload = bytes.Clone(p.Payload)
			switch i % 5 {
			case 1:
				damaged.Payload = damaged.Payload[:len(damaged.Payload)/2]
			case 2:
				for j := 0; j < len(damaged.Payload); j += 7 {
					damaged.Payload[j] ^= byte(i * j)
				}
			case 3:
				damaged.Payload = nil
			}
			err := d.Decode(&damaged, func(*Frame) error { frames++; return nil })
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
		}
		d.Close()
		if frames == 0 {
			t.Errorf("%s: nothing could be decoded", codec)
		}
	}
}

// TestNothingLeaks opens and closes everything again and again and looks at
// the memory that the system sees.
func TestNothingLeaks(t *testing.T) {
	path := clip(t, "a.ts", append(lavfi("testsrc2=s=160x90:r=25:d=0.2", "sine=1000:d=0.2"), "-c:v", "libx264", "-preset", "ultrafast")...)
	round := func() {
		d, err := OpenInput(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		packets := readAll(t, d)
		v := d.Tracks()[0]
		dec, err := OpenDecoder(v, DecoderOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		filter, err := NewVideoFilter(Picture{Width: 96, Height: 54, ClockRate: v.ClockRate})
		if err != nil {
			t.Fatal(err)
		}
		defer filter.Close()
		enc, err := OpenVideoEncoder(VideoEncoderOptions{
			Codec: media.H264, Width: 96, Height: 54, ClockRate: v.ClockRate, Bitrate: 100000, Threads: 1, Preset: "ultrafast",
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer enc.Close()
		drop := func(*media.Packet) error { return nil }
		each := func(f *Frame) error {
			return filter.Filter(f, func(f *Frame) error { return enc.Encode(f, false, drop) })
		}
		for _, p := range packets[:len(packets)/2] {
			if p.Track.Kind == media.Video {
				if err := dec.Decode(p, each); err != nil {
					t.Fatal(err)
				}
			}
		}
		r, err := OpenRecorder(RecorderOptions{Width: 96, Height: 54, FrameRate: media.Rational{Num: 25, Den: 1}, SampleRate: 48000, Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := r.Sound(make([]int16, 3000), 0, drop); err != nil {
			t.Fatal(err)
		}
		if _, err := JPEG(packets[0], 32); err != nil && packets[0].Track.Kind == media.Video {
			t.Fatal(err)
		}
	}
	leavesNothing(t, round)
}

// leavesNothing runs a round again and again and looks at the memory that the
// system sees.
func leavesNothing(t *testing.T, round func()) {
	t.Helper()
	if testing.Short() || raced {
		t.Skip("takes ten seconds, and the race detector's own memory grows")
	}
	// The allocator's arenas, one a thread, grow in steps and at any time. A
	// leak grows all the time: it shows in the middle one of several stretches.
	const warm, stretches, rounds, most = 300, 5, 240, 1 << 20
	for range warm {
		round()
	}
	var grown []int
	for range stretches {
		before := resident(t)
		for range rounds {
			round()
		}
		grown = append(grown, resident(t)-before)
	}
	t.Logf("grown by %d bytes in stretches of %d rounds", grown, rounds)
	slices.Sort(grown)
	if middle := grown[stretches/2]; middle > most {
		t.Errorf("%d rounds left %d KiB behind", rounds, middle>>10)
	}
}

func resident(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
